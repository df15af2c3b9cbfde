"""Snapshots of an order: the newest wins, people are forgotten, what cannot be is not written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from returns_api.db import erasure
from returns_api.domain.allocation import from_json
from returns_api.domain.errors import Invalid
from returns_api.domain.orders import (
    AppRemoved,
    OrderSeen,
    ParcelLine,
    PaymentFacts,
    PaymentSeen,
    PersonDataRequested,
    PersonErased,
    PlatformReturnSeen,
    ShopErased,
)
from returns_api.usecases.context import Context
from tests.support.intake import Intake, an_intake
from tests.support.seen import (
    CARD,
    CASH,
    JACKET,
    SHIPPING,
    SHIRT,
    T0,
    at,
    dispute,
    events,
    load,
    order,
    outside,
    parcel,
)


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


async def test_erasing_a_large_shop_takes_several_turns(ctx: Context) -> None:
    shop = await an_intake(ctx)
    await shop.see(*(OrderSeen(order(external_id=f"o{n}")) for n in range(3)))
    async with ctx.database.transaction(shop.shop) as tx:
        assert await erasure.erase_some(tx, 2, T0) == 2
        assert await erasure.erase_some(tx, 2, T0) == 1
        assert await erasure.erase_some(tx, 2, T0) == 0
