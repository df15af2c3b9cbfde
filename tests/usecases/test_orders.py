"""Observations of a shop platform: whatever their order and number, the same final state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.db import erasure, reservations
from returns_api.db import orders as order_rows
from returns_api.domain.allocation import from_json
from returns_api.domain.errors import Invalid
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.orders import (
    AppRemoved,
    BuyerFacts,
    DisputeSeen,
    LineFacts,
    LineKind,
    Observation,
    OrderFacts,
    OrderSeen,
    OutsideRefundLine,
    OutsideRefundMoney,
    OutsideRefundSeen,
    ParcelDelivered,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
    PaymentSeen,
    PersonDataRequested,
    PersonErased,
    PlatformReturnSeen,
    ShopErased,
)
from returns_api.usecases.context import Context
from tests.support.context import Clock, a_context
from tests.support.intake import PATIENT, Intake, an_intake, await_here, in_thread

T0 = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
JACKET = LineFacts("l1", LineKind.GOODS, "Jacket", 2, 9900, order_discount_minor=1000, sku="JKT")
SHIRT = LineFacts("l2", LineKind.GOODS, "Shirt", 3, 2000)
SHIPPING = LineFacts("l3", LineKind.SHIPPING, "Standard", 1, 490, shippable=False)
CARD = PaymentFacts("p1", "shopify_payments", 25290, "EUR", "pi_1")
CASH = PaymentFacts("p1", "cash", 25290, "EUR")
BUYER = BuyerFacts(
    email="Anna@Example.com",
    phone="+49301",
    name="Anna Canary",
    customer_id="700123",
    locale="de-DE",
    street1="Canary Str. 1",
    city="Berlin",
    region="BE",
    postcode="10115",
    country="DE",
)


def at(**units: float) -> datetime:
    return T0 + timedelta(**units)


def order(**changes: Any) -> OrderFacts:
    facts = OrderFacts(
        external_id="o1",
        number="#1001",
        placed_at=T0,
        updated_at=T0,
        currency="EUR",
        taxes_included=True,
        total_minor=25290,
        lines=(JACKET, SHIRT, SHIPPING),
        payments=(CARD,),
        buyer=BUYER,
        tags=("vip",),
        channel="web",
        financial_status="paid",
    )
    return replace(facts, **changes)


def parcel(name: str = "f1", **changes: Any) -> ParcelSeen:
    seen = ParcelSeen(
        order_external_id="o1",
        external_id=name,
        lines=(ParcelLine("l1", 1), ParcelLine("l2", 2)),
        shipped_at=at(days=1),
        updated_at=at(days=1),
        carrier="DHL",
        tracking_codes=("T1",),
    )
    return replace(seen, **changes)


def money(name: str = "t1", amount: int = 2000, **changes: Any) -> OutsideRefundMoney:
    return replace(OutsideRefundMoney(name, "p1", amount, "EUR", True), **changes)


def outside(name: str = "r1", *moves: OutsideRefundMoney, **changes: Any) -> OutsideRefundSeen:
    seen = OutsideRefundSeen(
        "o1", name, at(days=5), (OutsideRefundLine("l2", 1),), moves or (money(),)
    )
    return replace(seen, **changes)


def dispute(**changes: Any) -> DisputeSeen:
    return replace(
        DisputeSeen("o1", "d1", 5000, "EUR", "under_review", True, at(days=9)), **changes
    )


@pytest.fixture
async def ctx(app_database_url: str) -> AsyncIterator[Context]:
    async with a_context(app_database_url, Clock()) as context:
        yield context


@pytest.fixture
async def intake(ctx: Context) -> Intake:
    return await an_intake(ctx)


async def load(intake: Intake, external_id: str = "o1") -> OrderRecord:
    found = await intake.rows("SELECT id FROM orders WHERE external_id = $1", external_id)
    async with intake.ctx.database.transaction(intake.shop) as tx:
        loaded = await order_rows.load_order(tx, found[0]["id"])
    assert loaded is not None
    return loaded


async def events(intake: Intake) -> list[tuple[str, int]]:
    found = await intake.rows(
        "SELECT type, sequence FROM events WHERE type LIKE 'order.%' ORDER BY id"
    )
    return [(row["type"], row["sequence"]) for row in found]


async def test_an_order_is_stored_whole_and_told_once(intake: Intake) -> None:
    await intake.see(OrderSeen(order()), OrderSeen(order()))
    stored = await load(intake)
    assert (stored.number, stored.total_minor, stored.country, stored.version) == (
        "#1001",
        25290,
        "DE",
        1,
    )
    assert [(line.external_id, line.ordered, line.discounted) for line in stored.lines] == [
        ("l1", 2, True),
        ("l2", 3, False),
        ("l3", 1, False),
    ]
    assert from_json(stored.certificate).paid_minor == 25290
    assert await events(intake) == [("order.received", 1)]
    (row,) = await intake.rows("SELECT email_key, number_key FROM orders")
    assert row["email_key"] == intake.ctx.sealer.keyed_hash("anna@example.com")
    assert row["number_key"] == "1001"


async def test_a_newer_snapshot_wins_and_an_older_one_changes_nothing(intake: Intake) -> None:
    newer = order(updated_at=at(hours=2), financial_status="refunded", tags=("late",))
    await intake.see(OrderSeen(newer), OrderSeen(order()))
    stored = await load(intake)
    assert (stored.financial_status, stored.tags, stored.version) == ("refunded", ("late",), 1)


@pytest.mark.parametrize("first", [0, 1])
async def test_of_two_snapshots_of_one_second_the_paid_one_wins(intake: Intake, first: int) -> None:
    unpaid = order(payments=(), financial_status="pending")
    both = [OrderSeen(unpaid), OrderSeen(order())]
    await intake.see(both[first], both[1 - first])
    assert (await load(intake)).financial_status == "paid"


async def test_a_certificate_version_is_added_only_when_the_cut_changes(intake: Intake) -> None:
    edited = replace(SHIRT, removed=1)
    await intake.see(
        OrderSeen(order()),
        OrderSeen(order(updated_at=at(hours=1), tags=())),
        OrderSeen(order(updated_at=at(hours=2), lines=(JACKET, edited, SHIPPING))),
    )
    found = await intake.rows("SELECT version FROM certificates ORDER BY version")
    assert [row["version"] for row in found] == [1, 2]
    stored = await load(intake)
    assert stored.certificate_version == 2
    assert stored.lines[1].removed == 1


async def test_a_line_that_the_platform_dropped_goes_unless_something_points_to_it(
    intake: Intake,
) -> None:
    await intake.see(OrderSeen(order()), parcel(lines=(ParcelLine("l1", 1),)))
    await intake.see(OrderSeen(order(updated_at=at(hours=1), lines=(SHIPPING,))))
    kept = {line.external_id: (line.ordered, line.removed) for line in (await load(intake)).lines}
    assert kept == {"l1": (2, 2), "l3": (1, 0)}


async def test_captured_money_follows_the_newest_snapshot_and_leaves_our_counters_alone(
    intake: Intake,
) -> None:
    await intake.see(OrderSeen(order()))
    await intake.rows("UPDATE payments SET reserved = 700")
    more = replace(CARD, captured_minor=30000)
    await intake.see(OrderSeen(order(updated_at=at(hours=1), payments=(more,))))
    less = replace(CARD, captured_minor=1)
    await intake.see(OrderSeen(order(updated_at=at(minutes=1), payments=(less,))))
    (payment,) = (await load(intake)).payments
    assert (payment.captured, payment.reserved, payment.refundable) == (30000, 700, 29300)


async def test_a_payment_behind_a_connected_gateway_belongs_to_that_account(intake: Intake) -> None:
    await intake.connect("stripe-de", "payments", "stripe", gateways=["shopify_payments"])
    gift = PaymentFacts("p2", "gift_card", 500, "EUR")
    await intake.see(OrderSeen(order(payments=(CARD, gift))))
    found = [(p.provider, p.account, p.provider_payment_id) for p in (await load(intake)).payments]
    assert found == [("stripe", "stripe-de", "pi_1"), ("shop", "shopify", None)]


async def test_a_provider_connected_later_takes_over_with_the_next_snapshot(intake: Intake) -> None:
    await intake.see(OrderSeen(order()))
    await intake.connect("stripe", "payments", "stripe", gateways=["shopify_payments"])
    await intake.see(OrderSeen(order(updated_at=at(hours=1))))
    assert (await load(intake)).payments[0].provider == "stripe"


async def test_two_captures_of_one_provider_payment_are_both_kept(intake: Intake) -> None:
    second = replace(CARD, external_id="p2", captured_minor=100)
    await intake.see(OrderSeen(order(payments=(CARD,))), PaymentSeen("o1", second))
    found = [
        (p.external_id, p.captured, p.provider_payment_id) for p in (await load(intake)).payments
    ]
    assert sorted(found) == [("p1", 25290, "pi_1"), ("p2", 100, None)]


async def test_a_payment_told_alone_waits_for_its_order(intake: Intake) -> None:
    paid = PaymentSeen("o1", CARD)
    assert await intake.see(paid) == [paid]
    await intake.see(OrderSeen(order(payments=())), paid, paid)
    assert [p.captured for p in (await load(intake)).payments] == [25290]
    assert await events(intake) == [("order.received", 1), ("order.paid", 2)]


async def test_parcels_wait_for_the_order_and_scans_for_the_parcel(intake: Intake) -> None:
    scan = ParcelDelivered("o1", "f1", at(days=3))
    assert await intake.see(scan, parcel()) == [scan, parcel()]
    assert await intake.see(OrderSeen(order()), scan) == [scan]
    assert await intake.see(parcel(), scan) == []
    stored = await load(intake)
    assert [(x.shipped, x.delivered, x.left) for x in stored.lines] == [
        (1, 1, 1),
        (2, 2, 2),
        (0, 0, 0),
    ]
    assert stored.lines[0].last_delivered_at == at(days=3)
    assert stored.lines[0].all_delivered
    assert await events(intake) == [
        ("order.received", 1),
        ("order.parcel_shipped", 2),
        ("order.parcel_delivered", 3),
    ]


async def test_counts_are_sums_over_parcels_however_often_they_are_told(intake: Intake) -> None:
    second = parcel("f2", lines=(ParcelLine("l1", 1),), shipped_at=at(days=2))
    await intake.see(OrderSeen(order()), parcel(), parcel(), second, second)
    stored = await load(intake)
    assert stored.lines[0].shipped == 2
    assert (stored.lines[0].first_fulfilled_at, stored.lines[0].last_fulfilled_at) == (
        at(days=1),
        at(days=2),
    )
    gone = replace(second, cancelled=True, updated_at=at(days=3))
    await intake.see(gone, second)
    assert (await load(intake)).lines[0].shipped == 1


async def test_the_window_of_a_line_waits_for_its_last_parcel(intake: Intake) -> None:
    second = parcel("f2", lines=(ParcelLine("l1", 1),))
    delivered = ParcelDelivered("o1", "f1", at(days=3))
    await intake.see(OrderSeen(order()), parcel(), second, delivered)
    line = (await load(intake)).lines[0]
    assert (line.delivered, line.all_delivered) == (1, False)
    await intake.see(ParcelDelivered("o1", "f2", at(days=4)))
    line = (await load(intake)).lines[0]
    assert (line.delivered, line.all_delivered, line.last_delivered_at) == (2, True, at(days=4))


async def test_the_earliest_delivery_counts_whoever_told_it(intake: Intake) -> None:
    late = parcel(updated_at=at(days=6), delivered_at=at(days=6))
    early = parcel(updated_at=at(days=4), delivered_at=at(days=4))
    await intake.see(OrderSeen(order()), late, early, ParcelDelivered("o1", "f1", at(days=5)))
    assert (await load(intake)).parcels[0].delivered_at == at(days=4)


async def test_a_parcel_that_waits_in_the_warehouse_is_not_shipped(intake: Intake) -> None:
    await intake.see(OrderSeen(order()), parcel(shipped_at=None))
    assert (await load(intake)).lines[0].shipped == 0


async def test_an_outside_refund_lowers_what_is_refundable_and_takes_units(intake: Intake) -> None:
    await intake.see(OrderSeen(order(payments=(CASH,))), parcel(), outside(), outside())
    stored = await load(intake)
    assert (stored.payments[0].external, stored.payments[0].refundable) == (2000, 23290)
    assert (stored.lines[1].outside_returned, stored.lines[1].left) == (1, 1)
    assert [kind for kind, _ in await events(intake)].count("order.refunded_elsewhere") == 1


async def test_an_outside_refund_above_captured_is_recorded(intake: Intake) -> None:
    huge = outside("r1", money(amount=10**9))
    await intake.see(OrderSeen(order(payments=(CASH,))), huge)
    (payment,) = (await load(intake)).payments
    assert (payment.external, payment.refundable) == (10**9, 0)
    (event,) = await intake.rows("SELECT data FROM events WHERE type = 'order.refunded_elsewhere'")
    assert event["data"]["exceeds_captured"] is True


async def test_a_connected_provider_tells_refunds_itself(intake: Intake) -> None:
    await intake.connect("stripe", "payments", "stripe", gateways=["shopify_payments"])
    await intake.see(OrderSeen(order()), outside())
    stored = await load(intake)
    assert stored.payments[0].external == 0
    assert stored.lines[1].outside_returned == 1
    facts = await intake.rows("SELECT amount_minor, counted FROM outside_facts ORDER BY 1")
    assert [(fact["amount_minor"], fact["counted"]) for fact in facts] == [
        (0, False),
        (2000, False),
    ]


async def test_a_movement_that_failed_gives_the_amount_back(intake: Intake) -> None:
    failed = outside("r1", money(succeeded=False))
    await intake.see(OrderSeen(order(payments=(CASH,))), outside(), failed, outside())
    assert (await load(intake)).payments[0].external == 0


async def test_a_refund_known_before_any_payment_counts_when_the_payment_comes(
    intake: Intake,
) -> None:
    seen = outside()
    assert await intake.see(OrderSeen(order(payments=())), seen) == [seen]
    assert (await load(intake)).lines[1].outside_returned == 1
    await intake.settle(PaymentSeen("o1", CASH), seen)
    assert (await load(intake)).payments[0].external == 2000


async def test_a_guessed_payment_gives_way_to_the_named_one(intake: Intake) -> None:
    gift = PaymentFacts("p2", "gift_card", 300, "EUR")
    seen = outside()
    assert await intake.see(OrderSeen(order(payments=(gift,))), seen) == [seen]
    assert [p.external for p in (await load(intake)).payments] == [2000]
    assert await intake.see(PaymentSeen("o1", CASH), seen) == []
    found = {p.external_id: p.external for p in (await load(intake)).payments}
    assert found == {"p1": 2000, "p2": 0}


async def test_ids_that_a_sender_rounded_still_name_their_payment(intake: Intake) -> None:
    exact, rounded = "820982911946154508", "820982911946154500"
    card = replace(CASH, external_id=exact, captured_minor=1)
    refund = outside("r1", money(payment_external_id=rounded))
    assert await intake.see(OrderSeen(order(payments=(CASH, card))), refund) == []
    found = {p.external_id: p.external for p in (await load(intake)).payments}
    assert found == {"p1": 0, exact: 2000}


async def test_a_dispute_of_several_payments_is_taken_off_the_largest(intake: Intake) -> None:
    gift = PaymentFacts("p2", "gift_card", 300, "EUR")
    await intake.see(OrderSeen(order(payments=(gift,))), dispute())
    await intake.see(PaymentSeen("o1", CASH))
    found = {p.external_id: p.disputed for p in (await load(intake)).payments}
    assert found == {"p1": 5000, "p2": 0}


async def test_a_dispute_blocks_money_until_it_is_won(intake: Intake) -> None:
    await intake.see(OrderSeen(order(payments=(CASH,))), dispute(), dispute())
    assert (await load(intake)).payments[0].disputed == 5000
    lost = dispute(status="lost", open=False, at=at(days=10))
    await intake.see(lost)
    assert (await load(intake)).payments[0].disputed == 5000
    await intake.see(dispute(status="won", open=False, at=at(days=11)), dispute())
    assert (await load(intake)).payments[0].disputed == 0


async def test_a_dispute_in_another_currency_or_of_no_order_is_recorded(intake: Intake) -> None:
    await intake.see(
        OrderSeen(order(payments=(CASH,))),
        dispute(external_id="d2", currency="CAD"),
        dispute(external_id="d3", order_external_id=None),
    )
    facts = await intake.rows("SELECT external_id, counted FROM outside_facts ORDER BY 1")
    assert [(fact["external_id"], fact["counted"]) for fact in facts] == [
        ("d2", False),
        ("d3", False),
    ]


async def test_an_erased_person_stays_erased(intake: Intake) -> None:
    erased = PersonErased("700123", "anna@example.com", ("o1",))
    assert await intake.see(erased) == [erased]
    await intake.see(OrderSeen(order()), erased, OrderSeen(order(updated_at=at(days=1))), erased)
    state = await intake.state()
    assert state["people"][0]["erased"] is True
    assert "Canary" not in str(state)
    assert (state["orders"][0]["email_key"], state["orders"][0]["customer_key"]) == (None, None)
    assert (await load(intake)).total_minor == 25290
    assert [kind for kind, _ in await events(intake)] == [
        "order.received",
        "order.person_erased",
        "order.updated",
    ]


async def test_a_shop_that_leaves_keeps_its_books_and_loses_its_people(intake: Intake) -> None:
    await intake.see(*(OrderSeen(order(external_id=f"o{n}")) for n in range(5)))
    await intake.see(AppRemoved(), ShopErased(), AppRemoved())
    state = await intake.state()
    assert state["shop"] == [{"status": "erased"}]
    assert "Canary" not in str(state)
    assert len(state["orders"]) == 5
    await intake.see(OrderSeen(order(external_id="o9")))
    assert len((await intake.state())["orders"]) == 5
    told = await intake.rows("SELECT type FROM events WHERE type LIKE 'shop.%' ORDER BY id")
    assert [row["type"] for row in told][-2:] == ["shop.removed", "shop.erased"]


async def test_what_the_books_do_not_follow_is_told_on(intake: Intake) -> None:
    await intake.see(
        OrderSeen(order()),
        PlatformReturnSeen("o1", "R1", "OPEN"),
        PlatformReturnSeen(None, "R2", None),
        PersonDataRequested("700123", "anna@example.com", ("o1", "o404")),
    )
    assert [kind for kind, _ in await events(intake)] == [
        "order.received",
        "order.returned_elsewhere",
        "order.person_data_requested",
    ]


async def test_sequences_have_no_gaps(intake: Intake) -> None:
    await intake.see(
        OrderSeen(order(payments=(CASH,))),
        parcel(),
        outside(),
        dispute(),
        OrderSeen(order(updated_at=at(hours=1), payments=(CASH,))),
    )
    assert [sequence for _, sequence in await events(intake)] == [1, 2, 3, 4, 5]
    assert (await load(intake)).version == 5


async def test_an_order_that_no_arithmetic_can_repair_writes_nothing(intake: Intake) -> None:
    with pytest.raises(Invalid):
        await intake.see(OrderSeen(order(lines=(JACKET, JACKET))))
    assert (await intake.state())["orders"] == []


EVERYTHING: tuple[Observation, ...] = (
    OrderSeen(order(payments=())),
    OrderSeen(order(updated_at=at(seconds=1), financial_status="authorized", payments=())),
    OrderSeen(order(updated_at=at(seconds=1), payments=(CASH,))),
    OrderSeen(
        order(
            updated_at=at(hours=1),
            lines=(JACKET, replace(SHIRT, removed=1), SHIPPING),
            payments=(CASH,),
            tags=("edited",),
        )
    ),
    PaymentSeen("o1", PaymentFacts("p2", "gift_card", 300, "EUR")),
    parcel(shipped_at=None, updated_at=at(hours=20)),
    parcel(),
    parcel(updated_at=at(days=4), delivered_at=at(days=4)),
    parcel("f2", lines=(ParcelLine("l1", 1),)),
    parcel("f2", lines=(ParcelLine("l1", 1),), cancelled=True),
    ParcelDelivered("o1", "f1", at(days=3)),
    outside(),
    outside("r2", money("t2", 700), money("t3", 100, succeeded=False)),
    outside(
        "r3", money("t4", 50, payment_external_id=None), money("t5", 9, payment_external_id="p2")
    ),
    dispute(),
    dispute(status="won", open=False, at=at(days=20)),
    PersonErased("700123", "anna@example.com", ("o1",)),
    PlatformReturnSeen("o1", "R1", "OPEN"),
)


async def test_any_order_and_repetition_gives_one_final_state(ctx: Context) -> None:
    clean = await an_intake(ctx)
    await clean.settle(*EVERYTHING)
    wanted = await clean.state()
    loop = asyncio.get_running_loop()

    async def check(seen: list[Observation]) -> None:
        shop = await an_intake(ctx)
        await shop.settle(*seen)
        assert await shop.state() == wanted

    @PATIENT
    @given(st.permutations([*EVERYTHING, EVERYTHING[3], EVERYTHING[7], EVERYTHING[11]]))
    def shuffled(seen: list[Observation]) -> None:
        await_here(loop, check(seen))

    await in_thread(shuffled)


async def test_intakes_of_one_order_at_once_end_alike_and_never_deadlock(ctx: Context) -> None:
    clean = await an_intake(ctx)
    await clean.settle(*EVERYTHING)
    shop = await an_intake(ctx)
    left: tuple[Observation, ...] = EVERYTHING
    for _ in range(4):
        answers = await asyncio.gather(*(shop.see(seen) for seen in left))
        left = tuple(seen for waiting in answers for seen in waiting)
    assert await shop.state() == await clean.state()


async def test_the_first_sights_of_an_order_at_once_make_one_order(ctx: Context) -> None:
    for _ in range(5):
        shop = await an_intake(ctx)
        seen = [OrderSeen(order(updated_at=at(seconds=n), tags=(f"{n}",))) for n in range(5)]
        await asyncio.gather(*(shop.see(each) for each in seen))
        assert (await load(shop)).tags == ("4",)


async def test_intake_and_money_lock_in_one_order(ctx: Context) -> None:
    shop = await an_intake(ctx)
    await shop.see(OrderSeen(order(payments=(CASH,))))
    order_id = (await load(shop)).id

    async def refund_like(number: int) -> None:
        async with ctx.database.transaction(shop.shop) as tx:
            await reservations.lock_payments(tx, order_id)
            await asyncio.sleep(0.001)
            await tx.connection.execute(
                "UPDATE orders SET returns_opened = returns_opened + 1 WHERE id = $1", order_id
            )
            await tx.connection.execute(
                "UPDATE order_lines SET claimed = claimed WHERE order_id = $1", order_id
            )

    def intake_of(number: int) -> OrderSeen:
        cash = replace(CASH, external_id=f"p{number % 4}")
        return OrderSeen(order(updated_at=at(seconds=number), payments=(CASH, cash)))

    for start in range(0, 40, 8):
        work = [
            shop.see(intake_of(n), outside(f"r{n}"), parcel(updated_at=at(days=2, seconds=n)))
            if n % 2
            else refund_like(n)
            for n in range(start, start + 8)
        ]
        await asyncio.gather(*work)  # a deadlock would be an Unavailable
    (counted,) = await shop.rows("SELECT returns_opened FROM orders")
    assert counted["returns_opened"] == 20


async def test_erasing_a_large_shop_takes_several_turns(ctx: Context) -> None:
    shop = await an_intake(ctx)
    await shop.see(*(OrderSeen(order(external_id=f"o{n}")) for n in range(3)))
    async with ctx.database.transaction(shop.shop) as tx:
        assert await erasure.erase_some(tx, 2, T0) == 2
        assert await erasure.erase_some(tx, 2, T0) == 1
        assert await erasure.erase_some(tx, 2, T0) == 0
