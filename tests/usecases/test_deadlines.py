"""Deadlines: shown with who must act, swept in order, each default once however the sweep fares."""

from __future__ import annotations

from datetime import timedelta

import pytest

from returns_api.api.return_views import return_out
from returns_api.db import deadlines as rows
from returns_api.domain.access import Role
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import deadlines, returns
from returns_api.usecases.context import Context
from returns_api.worker import sweep
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

COSTLY = 60000


async def waiting(story: Story) -> tuple[Order, ReturnRecord]:
    order = await story.order(goods("coat", COSTLY))
    return order, await story.open(order, {"coat": 1})


async def states(story: Story, ret: ReturnRecord) -> dict[str, str]:
    return {each.kind: each.state for each in (await story.again(ret)).deadlines}


async def test_a_return_shows_who_must_act_by_when_and_what_silence_does(story: Story) -> None:
    order, ret = await waiting(story)
    shown = return_out(await story.view(ret), story.who(Role.BUYER, order))
    (due,) = shown.deadlines
    assert (due.kind, due.who, due.state, due.on_silence) == (
        "respond",
        "agent",
        "open",
        "approved",
    )
    assert due.due_at == story.clock() + timedelta(hours=48)
    await story.act(ret, returns.asking("Which scratch?"))
    seen = return_out(await story.view(ret), story.agent)
    assert [(d.kind, d.who, d.state, d.on_silence) for d in seen.deadlines] == [
        ("respond", "agent", "paused", "approved"),
        ("answer", "buyer", "open", "rejected"),
    ]
    assert seen.waiting_for is not None
    assert (seen.waiting_for.who, seen.waiting_for.to) == ("buyer", "provide_info")


async def test_what_was_done_in_time_is_kept_and_what_was_not_is_passed(story: Story) -> None:
    _, ret = await waiting(story)
    await story.act(ret, returns.approving(None))
    assert await states(story, ret) == {"respond": "kept", "ship": "open"}
    await story.drain(days=15)
    assert await states(story, ret) == {"respond": "kept", "ship": "passed"}


async def test_after_a_long_downtime_each_default_comes_once_and_from_now(story: Story) -> None:
    """Whoever is owed time gets it whole: the time to send begins with the late approval."""
    _, ret = await waiting(story)
    await story.drain(days=60)
    assert await states(story, ret) == {"respond": "passed", "ship": "open"}
    await story.drain(days=60)
    assert await states(story, ret) == {"respond": "passed", "ship": "passed"}
    assert await story.happened(ret.id) == ["return.opened", "return.approved", "return.expired"]


async def test_the_earliest_is_swept_first(story: Story) -> None:
    _, first = await waiting(story)
    story.clock.forward(hours=1)
    _, second = await waiting(story)
    story.clock.forward(days=3)
    due = await deadlines.due_deadlines(story.ctx, 10)
    assert due == [(story.shop, first.id), (story.shop, second.id)]


async def test_a_sweep_that_dies_half_way_leaves_nothing_half_done(
    story: Story, story_ctx: Context
) -> None:
    _, ret = await waiting(story)
    story.clock.forward(days=3)

    class Killed(Exception):
        pass

    async def dying() -> None:
        async with story_ctx.database.transaction(story.shop) as tx:
            late = await rows.next_of(tx, ret.id, story.clock())
            assert late is not None
            await deadlines.silence(tx, story_ctx, ret.id, late)
            raise Killed

    with pytest.raises(Killed):
        await dying()
    assert await states(story, ret) == {"respond": "open"}
    await sweep.drain(story.ctx)
    await sweep.drain(story.ctx)
    assert await story.happened(ret.id) == ["return.opened", "return.approved"]
