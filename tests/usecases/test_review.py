"""Review by people and by silence: per line, with a clock that pauses, once however often run."""

from __future__ import annotations

import asyncio

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import ActionNotAllowed, Conflict, NotFound, PreconditionFailed
from returns_api.domain.events import By
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import deadlines, returns, shipments
from returns_api.usecases._returns import save
from returns_api.worker import sweep
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

COSTLY = 60000


async def waiting(story: Story, *quantities: int) -> tuple[Order, ReturnRecord]:
    """A return that waits for an agent, a line for each quantity."""
    lines = [goods(f"coat{n}", COSTLY, count) for n, count in enumerate(quantities or (1,))]
    order = await story.order(*lines)
    ret = await story.open(order, {line.external_id: line.quantity for line in lines})
    assert (ret.state, kind_of(ret)) == ("requested", "respond")
    return order, ret


def kind_of(ret: ReturnRecord) -> str | None:
    """Kind of the deadline that runs."""
    return None if ret.next_deadline is None else ret.next_deadline.kind


async def claimed(story: Story, order: Order) -> list[int]:
    return [line.claimed for line in (await story.load(order.id)).lines]


async def test_an_agent_approves_and_the_label_follows(story: Story) -> None:
    _, ret = await waiting(story)
    await story.drain()
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    assert (shipment.state, shipment.attempt) == ("label_due", 0), "not bought before the approval"
    ret = await story.act(ret, returns.approving(None))
    assert (ret.state, ret.decided_by, kind_of(ret)) == ("approved", "agent", "ship")
    await story.drain()
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    assert shipment.state == "label_ready"


async def test_lines_are_decided_apart_and_the_rest_lives_on(story: Story) -> None:
    order, ret = await waiting(story, 1, 2, 1)
    first, second, third = (line.id for line in ret.lines)
    ret = await story.act(ret, returns.approving([second]))
    assert ret.state == "requested"
    ret = await story.act(ret, returns.rejecting("worn", "a stain", [first]))
    assert await claimed(story, order) == [0, 2, 1]
    ret = await story.act(ret, returns.rejecting("worn", None, [third]))
    assert (ret.state, kind_of(ret)) == ("approved", "ship")
    assert [(line.state, line.decision_code) for line in ret.lines] == [
        ("rejected", "worn"),
        ("approved", None),
        ("rejected", "worn"),
    ]
    assert await claimed(story, order) == [0, 2, 0]
    await story.bring_back(ret)
    assert (await story.refund_of(ret)).refund["amount_minor"] == 2 * COSTLY - 490
    assert await story.happened(ret.id) == [
        "return.opened",
        "return.line_approved",
        "return.line_rejected",
        "return.approved",
        "return.received",
        "return.inspected",
        "return.settled",
    ]


async def test_a_rejection_frees_everything_and_ends_the_label(story: Story) -> None:
    order, ret = await waiting(story, 2)
    ret = await story.act(ret, returns.rejecting("worn", None, None))
    assert (ret.state, await claimed(story, order)) == ("rejected", [0])
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    assert shipment.state == "voided"
    story.clock.forward(days=9)
    assert await deadlines.due_deadlines(story.ctx, 10) == []
    assert await shipments.due_labels(story.ctx, 10) == []
    again = await story.open(order, {"coat0": 2})
    assert again.number.endswith("-R2")


async def test_silence_approves_by_the_policy_once(story: Story) -> None:
    _, ret = await waiting(story)
    await story.drain(hours=47)
    assert (await story.again(ret)).state == "requested"
    await story.drain(hours=2)
    ret = await story.again(ret)
    assert (ret.state, ret.decided_by) == ("approved", "system")
    before = await story.events(ret.id)
    for _ in range(3):
        await deadlines.keep_deadlines(story.ctx, story.shop, ret.id)
        await sweep.drain(story.ctx)
    assert await story.events(ret.id) == before
    assert before[-1]["actor"] == "system"


async def test_silence_run_late_and_by_several_gives_one_result(story: Story) -> None:
    _, ret = await waiting(story)
    story.clock.forward(days=5)
    await asyncio.gather(
        *(deadlines.keep_deadlines(story.ctx, story.shop, ret.id) for _ in range(5))
    )
    assert await story.happened(ret.id) == ["return.opened", "return.approved"]
    late = await story.again(ret)
    ship_by = late.due_by("ship")
    assert ship_by is not None
    assert (ship_by - story.clock()).days == 14, "the buyer knows of it only now"


async def test_a_question_stops_the_clock(story: Story) -> None:
    order, ret = await waiting(story)
    story.clock.forward(hours=40)
    ret = await story.act(ret, returns.asking("Which scratch?"))
    assert (ret.state, ret.info_request) == ("info_needed", "Which scratch?")
    await story.drain(days=10)
    assert (await story.again(ret)).state == "info_needed"
    ret = await story.act(ret, returns.answering("At the seam."), story.who(Role.BUYER, order))
    assert ret.state == "requested"
    await story.drain(hours=7)
    assert (await story.again(ret)).state == "requested"
    await story.drain(hours=2)
    assert (await story.again(ret)).state == "approved"


async def test_a_question_without_an_answer_ends(story: Story) -> None:
    order, ret = await waiting(story)
    await story.act(ret, returns.asking("Which scratch?"))
    await story.drain(days=31)
    ret = await story.again(ret)
    assert (ret.state, ret.decided_by) == ("rejected", "system")
    assert ret.lines[0].decision_code == "no_information_in_time"
    assert await claimed(story, order) == [0]


async def test_the_buyer_can_give_up_until_it_is_sent(story: Story) -> None:
    order, ret = await waiting(story, 2)
    buyer = story.who(Role.BUYER, order)
    ret = await story.act(ret, returns.canceling, buyer)
    assert (ret.state, await claimed(story, order)) == ("canceled", [0])
    other = await story.open(order, {"coat0": 2})
    await story.act(other, returns.approving(None))
    await story.act(other, returns.shipping, buyer)
    with pytest.raises(ActionNotAllowed) as refused:
        await story.act(other, returns.canceling, buyer)
    assert refused.value.context["allowed"] == []


async def test_what_is_never_sent_expires(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 3))
    ret = await story.open(order, {"shirt": 3})
    await story.drain(days=13)
    assert (await story.again(ret)).state == "approved"
    await story.drain(days=2)
    ret = await story.again(ret)
    assert (ret.state, await claimed(story, order)) == ("expired", [0])
    assert (await story.events(ret.id))[-1]["actor"] == "system"


async def test_a_parcel_that_does_not_come_is_named_once_with_a_cause(story: Story) -> None:
    order = await story.order(goods("shirt", 2000))
    ret = await story.open(order, {"shirt": 1})
    await story.drain()
    await story.scan(ret, "in_transit")
    for _ in range(3):
        await story.drain(days=15)
    overdue = [e for e in await story.events(ret.id) if e["type"] == "return.overdue"]
    assert [event["data"]["cause"] for event in overdue] == ["stalled"]
    assert (await story.again(ret)).state == "in_transit"
    ret = await story.act(ret, returns.canceling)
    assert (ret.state, await claimed(story, order)) == ("canceled", [0])


async def test_an_inspection_that_is_late_is_named_once(story: Story) -> None:
    order = await story.order(goods("shirt", 2000))
    ret = await story.open(order, {"shirt": 1})
    await story.receive(ret, {"shirt": 1})
    for _ in range(2):
        await story.drain(days=3)
    assert (await story.happened(ret.id)).count("return.overdue") == 1
    await story.inspect(ret, ("shirt", "sealed"))
    assert (await story.again(ret)).state == "refunding"


async def test_two_agents_decide_once(story: Story) -> None:
    _, ret = await waiting(story)
    plans = [returns.approving(None), returns.rejecting("worn", None, None)] * 3
    done = await asyncio.gather(*(story.act(ret, plan) for plan in plans), return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in done) == 1
    assert {type(each) for each in done if isinstance(each, BaseException)} == {ActionNotAllowed}


async def test_an_action_is_refused_on_another_version(story: Story) -> None:
    _, ret = await waiting(story)
    by = By("agent", story.agent.credential_id)

    async def approve(sequence: int) -> None:
        plan = returns.approving(None)
        await returns.act(story.ctx, story.agent, by, ret.id, plan, expected_sequence=sequence)

    with pytest.raises(PreconditionFailed):
        await approve(7)
    await approve(1)
    with pytest.raises(PreconditionFailed):
        await approve(1)


async def test_a_foreign_return_does_not_exist(story: Story) -> None:
    _, ret = await waiting(story)
    stranger = story.who(Role.BUYER, await story.order(goods("x", 100)))
    with pytest.raises(NotFound):
        await story.act(ret, returns.canceling, stranger)
    with pytest.raises(NotFound):
        await returns.get_return(story.ctx, stranger, ret.id)
    with pytest.raises(NotFound):
        await returns.timeline(story.ctx, stranger, ret.id, None, 10)
    found = await returns.list_returns(story.ctx, stranger, before=story.ctx.new_id(), limit=10)
    assert found == []


async def test_a_stale_plan_writes_nothing(story: Story) -> None:
    """The guard behind the lock: a change planned from an old record is refused whole."""
    _, ret = await waiting(story)
    stale = returns.canceling(ret, Actor.BUYER, story.clock())
    await story.act(ret, returns.approving(None))
    with pytest.raises(Conflict):
        async with story.ctx.database.transaction(story.shop) as tx:
            await save(tx, story.ctx, stale, By("buyer"))
    assert (await story.again(ret)).state == "approved"
