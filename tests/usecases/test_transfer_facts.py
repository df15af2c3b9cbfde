"""What others tell of a transfer or of its payment: echoes, late failures, money made elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from returns_api.domain.orders import OrderSeen, PaymentSeen
from returns_api.ports.payments import ProviderRefund, RefundStatus
from returns_api.usecases._refund_views import RefundView
from returns_api.worker import sweep
from tests.support.moved import gated, moved, one_transfer
from tests.support.paid import PAID, an_order
from tests.support.story import Story
from tests.support.story_orders import goods


async def test_an_echo_before_the_answer_is_counted_once(story: Story) -> None:
    """The webhook of our own refund overtakes the answer to our own call."""
    gate, ctx = gated(story)
    inner = gate.inner
    order = await an_order(story)
    view = await story.refund(order, 6000)

    async def slow(*args: Any) -> ProviderRefund:
        made: ProviderRefund = await inner.refund(*args)
        for fact in await story.provider_tells(order):
            assert fact.provider_refund_id == made.provider_refund_id
        return made

    gate.instead["refund"] = slow
    await sweep.drain(ctx)
    payment = (await story.payments(order))["p0"]
    assert (payment.reserved, payment.refunded, payment.external) == (0, 6000, 0)
    assert await story.happened(view.refund["id"]) == ["refund.requested", "refund.succeeded"]
    for _ in range(3):
        await story.provider_tells(order)
    assert (await story.payments(order))["p0"].external == 0


async def test_an_echo_of_a_lost_answer_settles_it(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script("reset_after")
    await story.drain()
    await story.provider_tells(order)
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["due_at"]) == ("succeeded", None)
    assert move["provider_refund_id"] is not None
    assert (await story.payments(order))["p0"].external == 0


async def test_a_late_failure_opens_the_return_again(story: Story) -> None:
    order = await story.order(goods("thing", PAID))
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    await story.drain()
    assert (await story.again(ret)).state == "completed"
    move = (await story.refund_of(ret)).transfers[0]
    await story.bank.settle(move["provider_refund_id"], "failed")
    await story.provider_tells(order)
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor, ret.closed_at) == ("refunding", 0, None)
    payment = (await story.payments(order))["p0"]
    assert (payment.refunded, payment.refundable) == (0, PAID)
    assert (await story.happened(ret.id))[-1] == "return.reopened"
    for _ in range(2):
        await story.provider_tells(order)
    view = await story.retry((await story.refund_of(ret)).refund["id"])
    assert [m["state"] for m in view.transfers] == ["failed", "queued"]
    await story.drain()
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor) == ("completed", PAID)
    assert (await story.happened(ret.id))[-2:] == ["return.reopened", "return.completed"]


async def test_one_of_two_tenders_fails_late(story: Story) -> None:
    order = await story.order(goods("thing", 8000), paid=[5000, 3000])
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    await story.drain()
    moves = {m["amount_minor"]: m for m in (await story.refund_of(ret)).transfers}
    await story.bank.settle(moves[3000]["provider_refund_id"], "failed")
    await story.provider_tells(order)
    view = await story.refund_of(ret)
    assert view.refund["state"] == "partially_succeeded"
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor) == ("refunding", 5000)
    await story.retry(view.refund["id"])
    await story.drain()
    assert (await story.again(ret)).refunded_minor == 8000


async def test_what_arrived_shows_while_the_rest_is_under_way(story: Story) -> None:
    order = await story.order(goods("thing", 8000), paid=[5000, 3000])
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    await story.bank.control("PUT", "faults", {"life_seconds": 9999})
    await story.bank.script("none", "pending")
    await story.drain()
    ret = await story.again(ret)
    assert ret.state == "refunding"
    assert ret.refunded_minor in {5000, 3000}


async def test_an_old_message_does_not_undo_a_success(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.drain()
    (fact,) = await story.provider_tells(order)
    for status in (RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION):
        await story.tell(replace(fact, status=status))
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"
    await story.tell(replace(fact, status=RefundStatus.FAILED, failure_code="closed"))
    await story.tell(replace(fact, status=RefundStatus.SUCCEEDED))
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("failed", "closed"), "what ended stays ended"
    await story.bank.settle(fact.provider_refund_id, "failed")


async def test_another_amount_at_the_provider_is_no_success(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script("reset_after")
    await story.drain()
    (fact,) = await story.provider_list(order)
    await story.tell(replace(fact, amount_minor=fact.amount_minor - 1))
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("unknown", "amount_differs")
    await story.drain(minutes=2)
    assert (await one_transfer(story, view.refund["id"]))["state"] == "succeeded"


async def test_a_reference_of_another_payment_proves_nothing(story: Story) -> None:
    """Somebody copied our reference onto a refund of another payment: that one is an outside
    refund, ours stays as it is."""
    order, other = await an_order(story), await an_order(story)
    view = await story.refund(order, 6000)
    await story.drain()
    (fact,) = await story.provider_list(order)
    forged = replace(
        fact, provider_payment_id=other.intents[0], provider_refund_id="re_forged",
        status=RefundStatus.FAILED,
    )  # fmt: skip
    await story.tell(forged)
    await story.tell(replace(forged, provider_refund_id="re_2", status=RefundStatus.SUCCEEDED))
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"
    assert (await story.payments(other))["p0"].external == 6000


async def test_outside_refunds_are_recorded_even_above_captured(story: Story) -> None:
    order = await an_order(story)
    for amount in (4000, 9000):
        await story.bank.dashboard_refund(order.intents[0], amount)
    for _ in range(2):
        await story.provider_tells(order)
    payment = (await story.payments(order))["p0"]
    assert (payment.external, payment.refundable) == (13000, 0)
    told = [e for e in await story.events(order.id) if e["type"] == "order.refunded_elsewhere"]
    assert [event["data"]["exceeds_captured"] for event in told] == [False, True]


async def test_a_chargeback_blocks_and_a_won_one_frees(story: Story) -> None:
    order = await an_order(story)
    await story.tell(story.dispute_of(order.intents[0], PAID))
    assert (await story.payments(order))["p0"].refundable == 0
    for _ in range(2):
        await story.tell(story.dispute_of(order.intents[0], PAID, won=True))
    assert (await story.payments(order))["p0"].refundable == PAID
    types = [e["type"] for e in await story.events(order.id) if "disputed" in e["type"]]
    assert len(types) == 2


async def test_a_refund_that_an_outside_one_overtook_is_not_sent(story: Story) -> None:
    """Reserved, not yet sent; meanwhile somebody refunds all of it in a dashboard (S9)."""
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.dashboard_refund(order.intents[0], PAID)
    await story.provider_tells(order)
    await story.drain()
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("needs_review", "payment_overdrawn")
    assert await moved(story, move["id"]) == (0, 0)
    await story.retry(view.refund["id"])
    await story.drain()
    assert (await one_transfer(story, view.refund["id"]))["state"] == "needs_review"
    await story.cancel(view.refund["id"])
    ledger = await story.bank.ledger(order.intents[0])
    assert ledger["payments"][order.intents[0]]["refunded_minor"] == PAID


async def test_an_outside_refund_that_still_fits_stops_nothing(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.dashboard_refund(order.intents[0], 4000)
    await story.provider_tells(order)
    await story.drain()
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"


async def test_a_refund_told_before_its_payment_waits_for_it(story: Story) -> None:
    order = await story.order(goods("thing", PAID), payments=())
    facts = story.facts(order)
    intent = order.intents[0]
    await story.bank.dashboard_refund(intent, 4000)
    (fact,) = await story.ctx.payments["stripe"].list_refunds(story.bank.account, intent)
    assert not await story.tell(fact), "nothing of ours is behind it yet"
    assert not await story.tell(story.dispute_of(intent, 100))
    payment = story.payment_of(intent, PAID)
    await story.see(
        OrderSeen(replace(facts, updated_at=facts.updated_at + timedelta(hours=1))),
        PaymentSeen(order.name, payment),
    )
    assert await story.tell(fact)
    assert (await story.payments(order))["p0"].external == 4000


async def test_refunds_of_all_channels_at_once_add_up(story: Story) -> None:
    order = await an_order(story)
    await story.bank.dashboard_refund(order.intents[0], 2500)

    async def outside() -> None:
        await story.provider_tells(order)

    done = await asyncio.gather(
        *(story.refund(order, 1000) for _ in range(12)), outside(), return_exceptions=True
    )
    await story.drain()
    await story.provider_tells(order)
    made = sum(isinstance(each, RefundView) for each in done)
    payment = (await story.payments(order))["p0"]
    assert payment.external == 2500
    assert payment.refunded + payment.reserved == made * 1000
    sent = payment.refunded
    ledger = await story.bank.ledger(order.intents[0])
    assert ledger["payments"][order.intents[0]]["refunded_minor"] == sent + 2500
