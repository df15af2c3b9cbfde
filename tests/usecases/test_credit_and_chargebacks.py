"""Store credit for money that left meanwhile: what a chargeback took becomes no credit, too."""

from __future__ import annotations

from dataclasses import replace

from returns_api.domain.refunds import OVERDRAWN
from tests.support.credit import account_of, left
from tests.support.paid import PAID, an_order
from tests.support.story import Story
from tests.usecases.test_store_credit_returns import CREDIT_POLICY, publish


async def test_what_a_chargeback_took_before_the_approval_becomes_no_credit(story: Story) -> None:
    """Both were given: the chargeback and, approved after it, the credit."""
    order = await an_order(story)
    asked = await story.refund(order, PAID, by=story.agent, to="store_credit", buyer_agreed=True)
    await story.tell(story.dispute_of(order.intents[0], PAID))
    waits = await story.approve(asked)
    (move,) = waits.transfers
    assert (move["state"], move["failure_code"]) == ("needs_review", OVERDRAWN)
    assert await left(story, account_of(waits)) == 0
    assert (await story.retry(asked.refund["id"])).refund["state"] == "needs_review"
    await story.drain()
    assert await left(story, account_of(waits)) == 0


async def test_it_becomes_credit_once_the_chargeback_is_won(story: Story) -> None:
    order = await an_order(story)
    asked = await story.refund(order, PAID, by=story.agent, to="store_credit", buyer_agreed=True)
    await story.tell(story.dispute_of(order.intents[0], PAID))
    await story.approve(asked)
    await story.tell(story.dispute_of(order.intents[0], PAID, won=True))
    done = await story.retry(asked.refund["id"])
    assert [(m["state"], m["provider"]) for m in done.transfers] == [("succeeded", "store_credit")]
    assert await left(story, account_of(done)) == PAID


async def test_it_can_be_given_up_instead(story: Story) -> None:
    order = await an_order(story)
    asked = await story.refund(order, PAID, by=story.agent, to="store_credit", buyer_agreed=True)
    await story.tell(story.dispute_of(order.intents[0], PAID))
    await story.approve(asked)
    assert (await story.cancel(asked.refund["id"])).refund["state"] == "canceled"
    await story.tell(story.dispute_of(order.intents[0], PAID, won=True))
    assert (await story.payments(order))["p0"].refundable == PAID


async def test_the_rest_of_a_return_for_credit_becomes_credit_too(story: Story) -> None:
    """A chargeback held some of it back; taken up again, that went to the card, without a bonus."""
    await publish(story, CREDIT_POLICY.replace("return_shipping: 4.90", "return_shipping: free"))
    order = await an_order(story)
    ret = await story.accept(
        order, await story.quote(order, {"thing": 1}, resolution="store_credit")
    )
    held = story.dispute_of(order.intents[0], 4000)
    await story.tell(held)
    await story.bring_back(ret.ret)
    refund = await story.refund_of(ret.ret)
    assert refund.refund["state"] == "partially_succeeded"
    assert await left(story, account_of(refund)) == 6000 + 600
    await story.tell(replace(held, open=False))
    done = await story.retry(refund.refund["id"])
    assert (done.refund["state"], {m["provider"] for m in done.transfers}) == (
        "succeeded",
        {"store_credit"},
    )
    assert await left(story, account_of(done)) == PAID + 1000
    assert (await story.view(ret.ret)).ret.state == "completed"
