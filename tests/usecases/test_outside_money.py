"""Refunds and disputes that were made elsewhere: always recorded, counted on the right payment."""

from __future__ import annotations

from dataclasses import replace

from returns_api.domain.orders import (
    OrderSeen,
    PaymentFacts,
    PaymentSeen,
)
from tests.support.intake import Intake
from tests.support.seen import CASH, at, dispute, events, load, money, order, outside, parcel


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


async def test_money_that_is_told_anew_in_another_currency_keeps_its_sum(intake: Intake) -> None:
    """Four million yen are not forty thousand euros."""
    await intake.see(OrderSeen(order(payments=(CASH,))), outside(), dispute())
    yen = replace(CASH, currency="JPY", captured_minor=4_000_000)
    later = order(payments=(yen,), currency="JPY", updated_at=at(hours=1))
    told = outside("r1", money(amount=300_000, currency="JPY"), at=at(days=6))
    again = dispute(amount_minor=800_000, currency="JPY", at=at(days=10))
    await intake.see(OrderSeen(later), told, again)
    (payment,) = (await load(intake)).payments
    assert (payment.currency, payment.captured) == ("EUR", CASH.captured_minor)
    assert (payment.external, payment.disputed) == (2000, 5000)
