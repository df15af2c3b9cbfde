"""What cancellations pay beside what a platform, a warehouse and a carrier did meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from returns_api.domain.orders import (
    LineFacts,
    LineKind,
    OrderSeen,
    OutsideRefundLine,
    OutsideRefundSeen,
    ParcelDelivered,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
)
from returns_api.domain.units_left import units_left
from tests.support.postgres import PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import freight, goods
from tests.usecases.test_cancellations import Case, a_case, case

__all__ = ["case"]


async def returnable(case: Case, name: str) -> tuple[int, ...]:
    record = await case.story.load(case.order.id)
    line = record.line(case.order.lines[name])
    assert line is not None
    return units_left(record, line, case.story.clock())


async def test_charges_that_a_platform_tells_as_sent_go_back_with_the_last_unit_once(
    story: Story, postgres: PostgresForTests, story_database: str
) -> None:
    """A tip in a parcel of its own, a fee in that of the coat: neither hinders nor is early."""
    lines = (
        goods("coat", 3000),
        goods("hat", 1000),
        freight(500),
        LineFacts("tip", LineKind.TIP, "Tip", 1, 200, shippable=False),
        LineFacts("wrap", LineKind.FEE, "Wrapping", 1, 100, shippable=False),
    )
    async with a_case(story, postgres, story_database, *lines) as case:
        await story.send(case.order.name, {"tip": 1}, parcel="f1")
        await story.send(case.order.name, {"coat": 1, "wrap": 1}, parcel="f2")
        lost = await case.cancel("agent", cause="lost", parcel="f2")
        await case.desk.follow("agent", lost, "confirm", {})
        unsent = await case.cancel()
        await case.desk.follow("agent", await case.again(unsent), "confirm", {})
        assert [amount for _, amount, _ in await case.refunds()] == [3000, 1000 + 500 + 200 + 100]
        claims = {name: counts[1:] for name, counts in (await case.counts()).items()}
        assert claims["tip"] == claims["wrap"] == (0, 1)


async def test_units_that_came_can_be_returned_whatever_numbers_a_cancellation_holds(
    case: Case,
) -> None:
    first, second = [await case.cancel(lines=case.lines(coat=1)) for _ in range(2)]
    await case.desk.follow("buyer", first, "withdraw")
    await case.desk.follow("agent", await case.again(second), "confirm", {})
    asked = await case.cancel(lines=case.lines(hat=1))
    await case.story.send(case.order.name, {"coat": 2, "hat": 1}, delivered=timedelta(days=1))
    assert (await case.again(asked))["state"] == "declined"
    assert await returnable(case, "coat") == (1, 3)
    assert await returnable(case, "hat") == (1,)


async def test_a_unit_that_the_platform_made_good_is_taken_off_once(case: Case) -> None:
    two, one = [await case.cancel(lines=case.lines(coat=count)) for count in (2, 1)]
    made_good = (OutsideRefundLine("coat", 1),)
    await case.story.see(
        OutsideRefundSeen(case.order.name, "r1", case.story.clock(), made_good, ())
    )
    await case.desk.follow("agent", await case.again(one), "confirm", {})
    await case.desk.follow("agent", await case.again(two), "confirm", {})
    assert [amount for _, amount, _ in await case.refunds()] == [3000, 3000]


async def test_what_was_captured_since_goes_back_too(
    story: Story, postgres: PostgresForTests, story_database: str
) -> None:
    """Authorised when the buyer asked, captured before the shop confirmed."""
    paid = (PaymentFacts("p0", "manual", 0, "EUR"),)
    async with a_case(story, postgres, story_database, goods("coat", 3000), payments=paid) as case:
        asked = await case.cancel()
        captured = (replace(paid[0], captured_minor=3000),)
        now, facts = story.clock(), story.facts(case.order)
        await story.see(OrderSeen(replace(facts, updated_at=now, payments=captured)))
        await case.desk.follow("agent", await case.again(asked), "confirm", {})
        assert await case.refunds() == [("cancellation", 3000, "needs_review")]


async def test_a_missing_parcel_that_is_sent_anew_is_not_paid_by_silence(case: Case) -> None:
    """Taken back in the platform and sent again: two of three coats; the third is paid."""
    story, name, now = case.story, case.order.name, case.story.clock()
    await story.send(name, {"coat": 3}, parcel="f1")
    waits = await case.cancel("agent", cause="lost", parcel="f1")
    sent = (await story.load(case.order.id)).parcels[0].shipped_at
    void = ParcelSeen(name, "f1", (ParcelLine("coat", 3),), sent, now, cancelled=True)
    await story.see(void)
    await story.send(name, {"coat": 2, "hat": 1}, parcel="f2")
    reduced = await case.again(waits)
    assert (reduced["state"], [line["held"] for line in reduced["lines"]]) == ("requested", [1])
    await story.drain(days=15)
    assert await case.refunds() == [("cancellation", 3000, "succeeded")]
    await story.send(name, {"coat": 1}, parcel="f3")
    assert (await case.again(waits))["overrun"] == 1
    assert await case.told() == ["requested", "reduced", "confirmed", "overrun"]


async def test_a_payment_in_another_currency_is_left_alone(
    story: Story, postgres: PostgresForTests, story_database: str
) -> None:
    """No share was cut of it: the refund goes along the others, and is not stopped by it."""
    paid = tuple(
        PaymentFacts(f"p{n}", "manual", 3000, code) for n, code in enumerate(("USD", "EUR"))
    )
    async with a_case(story, postgres, story_database, goods("coat", 3000), payments=paid) as case:
        asked = await case.cancel()
        await case.desk.follow("agent", await case.again(asked), "confirm", {})
        payments = await story.payments(case.order)
        assert {each.currency: each.reserved for each in payments.values()} == {
            "USD": 0, "EUR": 3000,
        }  # fmt: skip


async def test_a_parcel_that_arrives_after_all_is_not_paid_by_silence(case: Case) -> None:
    """Asked before its scan, told lost after it, and paid before it: told to the shop."""
    await case.story.send(case.order.name, {"coat": 2}, parcel="f1")
    await case.story.send(case.order.name, {"coat": 1}, parcel="f2")
    await case.story.send(case.order.name, {"hat": 1}, parcel="f3")
    waits = await case.cancel("agent", cause="lost", parcel="f1")
    paid = await case.cancel("agent", cause="lost", parcel="f3")
    await case.desk.follow("agent", paid, "confirm", {})
    now = case.story.clock()
    for parcel in ("f1", "f2", "f3"):
        await case.story.see(ParcelDelivered(case.order.name, parcel, now))
    over, told = await case.again(waits), await case.again(paid)
    assert (over["state"], over["reason"]) == ("declined", "delivered")
    assert (told["state"], told["overrun"]) == ("confirmed", 1)
    late = ParcelSeen(case.order.name, "f2", (ParcelLine("coat", 1),), now, now, missed="lost")
    await case.story.see(late)
    await case.story.drain(days=15)
    assert await case.refunds() == [("cancellation", 1000, "succeeded")]
    assert await case.told() == ["requested", "requested", "confirmed", "declined", "overrun"]
