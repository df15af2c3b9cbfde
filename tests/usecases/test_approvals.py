"""Goodwill within an agent's limit, and four eyes above one (L9, M9, T37)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import (
    ActionNotAllowed,
    ApprovalChanged,
    NothingLeftToRefund,
    OwnApproval,
)
from returns_api.ports.errors import ProviderRejected
from returns_api.usecases._refund_views import RefundView
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order


async def an_order(story: Story, *paid: int, **more: Any) -> Order:
    return await story.order(goods("thing", sum(paid) or 1000_00), paid=paid or None, **more)


async def goodwill(story: Story, order: Order, amount: int) -> RefundView:
    return await story.refund(order, amount, by=story.agent, kind="goodwill")


def waits(view: RefundView) -> str | None:
    """The limit that a refund waits for, None when it was sent on its way."""
    assert (view.refund["state"] == "requested") == (view.binding is not None)
    return None if view.binding is None else str(view.refund["hold_reason"])


async def test_20_passes_and_20_01_needs_approval(story: Story) -> None:
    await story.limit(agent_per_order=20_00, agent_per_day=50_00)
    assert waits(await goodwill(story, await an_order(story), 20_00)) is None
    assert waits(await goodwill(story, await an_order(story), 20_01)) == "agent_per_order"


async def test_splitting_below_the_limit_does_not_help(story: Story) -> None:
    """T37: twice half the limit and a cent; over one order, and over the day."""
    await story.limit(agent_per_order=20_00, agent_per_day=50_00)
    order = await an_order(story)
    assert waits(await goodwill(story, order, 10_00)) is None
    assert waits(await goodwill(story, order, 10_01)) == "agent_per_order"
    assert waits(await goodwill(story, order, 10_00)) is None
    for _ in range(3):
        assert waits(await goodwill(story, await an_order(story), 10_00)) is None
    assert waits(await goodwill(story, await an_order(story), 1)) == "agent_per_day"
    story.clock.forward(days=1)
    assert waits(await goodwill(story, await an_order(story), 20_00)) is None
    assert waits(await goodwill(story, order, 1)) == "agent_per_order", "an order has no new day"


async def test_asking_and_canceling_gives_no_allowance_back(story: Story) -> None:
    await story.limit(agent_per_order=20_00, agent_per_day=20_00)
    view = await goodwill(story, await an_order(story), 20_00)
    await story.cancel(view.refund["id"])
    assert waits(await goodwill(story, await an_order(story), 1)) == "agent_per_day"


@pytest.mark.parametrize("limit", ["agent_per_order", "agent_per_day", "shop_per_day"])
async def test_many_at_once_never_pass_a_limit(story: Story, limit: str) -> None:
    await story.limit(**{"agent_per_order": None, "agent_per_day": None, limit: 20_00})
    order = await an_order(story)
    made = await asyncio.gather(*(goodwill(story, order, 3_00) for _ in range(20)))
    assert sum(waits(view) is None for view in made) == 6
    (counter,) = await story.rows("SELECT spent_minor, limit_minor FROM refund_allowances")
    assert (counter["spent_minor"], counter["limit_minor"]) == (18_00, 20_00)


async def test_goodwill_uses_up_no_unit(story: Story) -> None:
    await story.limit(agent_per_order=20_00, agent_per_day=None)
    order = await story.order(goods("shirt", 50_00, 2))
    await goodwill(story, order, 20_00)
    ret = await story.open(order, {"shirt": 2}, method="in_store")
    await story.bring_back(ret)
    await story.drain()
    line = (await story.load(order.id)).lines[0]
    assert (line.claimed, (await story.payments(order))["p0"].refunded) == (2, 100_00)
    view = await story.refund_of(ret)
    assert view.refund["state"] == "partially_succeeded", "20 of the 100 were a present before"


async def test_a_second_person_sets_it_free_and_it_is_paid_once(story: Story) -> None:
    order = await an_order(story)
    view = await goodwill(story, order, 30_00)
    assert (await story.payments(order))["p0"].reserved == 30_00, "it is reserved all the same"
    assert await story.drain() == 0
    view = await story.approve(view)
    assert (view.refund["state"], view.refund["approved_by"]) == (
        "queued",
        story.who(Role.ADMIN).credential_id,
    )
    await story.drain()
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"
    assert (await story.payments(order))["p0"].refunded == 30_00
    assert await story.happened(view.refund["id"]) == [
        "refund.requested",
        "refund.queued",
        "refund.succeeded",
    ]


async def test_fifty_approvals_at_once_are_one(story: Story) -> None:
    order = await an_order(story)
    view = await goodwill(story, order, 30_00)
    people = [story.finance, story.who(Role.ADMIN)]
    done = await asyncio.gather(
        *(story.approve(view, people[n % 2]) for n in range(50)), return_exceptions=True
    )
    assert sum(isinstance(each, RefundView) for each in done) == 1
    assert {type(e) for e in done if not isinstance(e, RefundView)} == {ActionNotAllowed}
    await story.drain()
    assert len(await story.rows("SELECT 1 FROM refund_approvals")) == 1
    ledger = await story.bank.ledger(order.intents[0])
    assert ledger["payments"][order.intents[0]]["refunded_minor"] == 30_00


async def test_nobody_approves_what_they_asked_for(story: Story) -> None:
    await story.limit(finance_per_order=50_00)
    view = await story.refund(await an_order(story), 50_01)
    assert waits(view) == "finance_per_order"
    with pytest.raises(OwnApproval):
        await story.approve(view, story.finance)
    with pytest.raises(ActionNotAllowed):
        await story.approve(view, story.agent)
    assert (await story.approve(view)).refund["state"] == "queued"


async def test_an_approval_is_of_what_was_seen(story: Story) -> None:
    """T37: an approval of one refund, or of one before it changed, is none of another."""
    order = await an_order(story, 60_00, 60_00)
    small, large = await goodwill(story, order, 1_00), await goodwill(story, order, 100_00)
    with pytest.raises(ApprovalChanged) as refused:
        await story.approve(large, binding=small.binding)
    assert refused.value.context == {"binding": large.binding}
    assert (await story.refund_now(large.refund["id"])).refund["state"] == "requested"
    view = await story.approve(large)
    with pytest.raises(ActionNotAllowed):
        await story.approve(view, story.finance, binding=large.binding)


async def test_another_currency_than_the_shops_always_waits(story: Story) -> None:
    """T37: a limit in euros lets no yen pass by their number."""
    await story.limit(agent_per_order=20_00, agent_per_day=None)
    async with story.ctx.database.transaction(story.shop) as tx:
        await tx.connection.execute("UPDATE shops SET currency = 'JPY'")
    assert waits(await goodwill(story, await an_order(story), 1)) == "other_currency"


async def test_what_is_sent_anew_needs_a_new_approval(story: Story) -> None:
    """Another payment is another destination: the old approval does not reach it."""
    order = await an_order(story, 60_00, 60_00)
    view = await story.approve(await goodwill(story, order, 50_00))
    gate = Gate(story.ctx.payments["stripe"])
    gate.refusals["refund"] = [ProviderRejected("card_gone", "the card is gone")]
    await sweep.drain(replace(story.ctx, payments={"stripe": gate}))
    view = await story.refund_now(view.refund["id"])
    assert view.refund["state"] == "failed"
    view = await story.retry(view.refund["id"])
    assert waits(view) == "agent_per_order"
    await story.approve(view)
    await story.drain()
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"


async def test_turning_it_down_frees_the_money(story: Story) -> None:
    order = await an_order(story)
    view = await story.cancel((await goodwill(story, order, 30_00)).refund["id"])
    assert view.refund["state"] == "canceled"
    assert (await story.payments(order))["p0"].refundable == 1000_00
    with pytest.raises(ActionNotAllowed):
        await story.approve(view, binding="0" * 64)


async def test_a_limit_changes_nothing_that_is_left(story: Story) -> None:
    await story.limit(agent_per_order=None, agent_per_day=None)
    with pytest.raises(NothingLeftToRefund):
        await goodwill(story, await an_order(story), 1000_01)


async def test_a_costly_return_waits_for_a_second_person(story: Story) -> None:
    await story.limit(return_above=99_99)
    order = await story.order(goods("lamp", 100_00), goods("shirt", 20_00))
    for line, state in (("lamp", "requested"), ("shirt", "queued")):
        ret = await story.open(order, {line: 1}, method="in_store")
        await story.bring_back(ret)
        view = await story.refund_of(ret)
        assert view.refund["state"] == state
    (lamp,) = await story.rows("SELECT id FROM refunds WHERE hold_reason = 'return_above'")
    await story.drain()
    await story.approve(await story.refund_now(lamp["id"]))
    await story.drain()
    assert (await story.payments(order))["p0"].refunded == 120_00


async def test_without_a_provider_an_approved_refund_waits_for_a_hand(story: Story) -> None:
    order = await an_order(story, gateways=["cash"])
    payment = "UPDATE payments SET provider_payment_id = NULL"
    async with story.ctx.database.transaction(story.shop) as tx:
        await tx.connection.execute(payment)
    view = await story.approve(await goodwill(story, order, 30_00))
    assert view.refund["state"] == "needs_review"
    assert view.transfers[0]["failure_code"] == "no_provider_connection"
