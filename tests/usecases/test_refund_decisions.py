"""Refunds that stand: canceled, taken up again, given up, and by whom."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from returns_api.domain.errors import (
    ActionNotAllowed,
    NotFound,
)
from returns_api.domain.events import SYSTEM, By
from returns_api.ports.errors import ProviderRejected
from returns_api.usecases import refund_decisions
from returns_api.usecases.connections import deactivate_connection
from returns_api.worker import sweep
from tests.support.bank import SECRET_KEY
from tests.support.gates import Gate
from tests.support.paid import PAID, an_order
from tests.support.story import Story
from tests.support.story_scene import CARD


async def test_finance_gives_up_what_is_still_due(story: Story) -> None:
    order = await an_order(story, 6000, 4000)
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.tell(story.dispute_of(order.intents[1], 4000))
    await story.bring_back(ret)
    await story.drain()
    refund_id = (await story.refund_of(ret)).refund["id"]
    view = await story.cancel(refund_id)
    assert view.refund["state"] == "partially_succeeded"
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor) == ("completed", 6000)


async def test_cancel_gives_the_money_free_and_stops_the_sending(story: Story) -> None:
    order = await an_order(story, 5000, 3000)
    view = await story.refund(order, 6000)
    view = await story.cancel(view.refund["id"])
    assert view.refund["state"] == "canceled"
    assert {move["state"] for move in view.transfers} == {"canceled"}
    assert {p.refundable for p in (await story.payments(order)).values()} == {5000, 3000}
    assert await story.drain() == 0
    assert (await story.bank.ledger())["references"] == {}
    for again in (story.cancel, story.retry):
        with pytest.raises(ActionNotAllowed) as refused:
            await again(view.refund["id"])
        assert refused.value.context["allowed"] == []


async def test_a_sent_refund_cannot_be_canceled(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 100)
    await story.bank.script("reset_after")
    await story.drain()
    with pytest.raises(ActionNotAllowed) as refused:
        await story.cancel(view.refund["id"])
    assert refused.value.context["state"] == "unknown"
    await story.drain(minutes=2)
    with pytest.raises(ActionNotAllowed):
        await story.cancel(view.refund["id"])


async def test_only_finance_takes_up_or_gives_up(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 100)
    for call in (refund_decisions.retry_refund, refund_decisions.cancel_refund):
        with pytest.raises(ActionNotAllowed):
            await call(story.ctx, story.agent, By("agent"), view.refund["id"])
        with pytest.raises(NotFound):
            await call(story.ctx, story.finance, By("finance"), story.ctx.new_id())


async def test_cancel_and_send_at_once_do_one_of_both(story: Story) -> None:
    order = await an_order(story)
    for number in range(6):
        view = await story.refund(order, 100)
        done = await asyncio.gather(
            story.drain(), story.cancel(view.refund["id"]), return_exceptions=True
        )
        after = (await story.refund_now(view.refund["id"])).refund["state"]
        canceled = not isinstance(done[1], BaseException)
        assert after == ("canceled" if canceled else "succeeded"), number


async def test_without_a_connection_a_person_must_look(story: Story) -> None:
    order = await an_order(story, gateways=["cash"])
    view = await story.refund(order, 100)
    await story.drain()
    view = await story.refund_now(view.refund["id"])
    assert view.refund["state"] == "needs_review"
    assert view.transfers[0]["failure_code"] == "no_provider_connection"
    assert (await story.payments(order))["p0"].reserved == 100
    view = await story.cancel(view.refund["id"])
    assert (await story.payments(order))["p0"].reserved == 0


async def test_a_connection_that_went_away_blocks_until_it_is_back(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 100)
    await deactivate_connection(story.ctx, story.shop, SYSTEM, CARD)
    await story.drain()
    view = await story.refund_now(view.refund["id"])
    assert (view.refund["state"], view.transfers[0]["due_at"]) == ("needs_review", None)
    url, secret = story.bank.base_url, SECRET_KEY
    await story.connect(CARD, "payments", "stripe", url, secret, version=2)
    await story.retry(view.refund["id"])
    await story.drain()
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"


@pytest.mark.parametrize("late", [False, True])
async def test_what_failed_can_be_given_up(story: Story, late: bool) -> None:
    """And no audit takes the person's decision for a step that nobody may make."""
    order = await an_order(story)
    view = await story.refund(order, PAID)
    if not late:
        await story.bank.script("pending")
    await story.drain()
    (made,) = await story.provider_list(order)
    await story.bank.settle(made.provider_refund_id, "failed")
    await story.provider_tells(order)
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "failed"
    given_up = await story.cancel(view.refund["id"])
    assert (given_up.refund["state"], given_up.refund["given_up"]) == ("canceled", True)


async def test_a_refused_refund_of_a_return_is_sent_anew_and_completes_it(story: Story) -> None:
    gate = Gate(story.ctx.payments["stripe"])
    gate.refusals["refund"] = [ProviderRejected("card_gone", "the card is gone")]
    ctx = replace(story.ctx, payments={"stripe": gate})
    order = await an_order(story)
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    await sweep.drain(ctx)
    view = await story.refund_of(ret)
    assert (view.refund["state"], view.transfers[0]["failure_code"]) == ("failed", "card_gone")
    assert (await story.again(ret)).state == "refunding"
    assert (await story.payments(order))["p0"].refundable == PAID, "it frees the money"
    view = await story.retry(view.refund["id"])
    assert [move["state"] for move in view.transfers] == ["failed", "queued"]
    assert view.refund["state"] == "queued"
    await story.drain()
    assert (await story.again(ret)).state == "completed"
    assert len({move["provider_key"] for move in view.transfers}) == 2
    assert await story.happened(view.refund["id"]) == [
        "refund.requested",
        "refund.failed",
        "refund.queued",
        "refund.succeeded",
    ]
