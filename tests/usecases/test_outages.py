"""An account that does not answer: paused for all processes, probed by one, fails no refund."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

from returns_api.domain.health import FAILURES_TO_PAUSE, PAUSES
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from returns_api.usecases import transfers
from returns_api.usecases._calls import SLOW_MAX, CallsUnderWay
from returns_api.usecases.context import Context
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import CARD

MANY = 12


def away(story: Story, times: int) -> tuple[Gate, Context]:
    gate = Gate(story.ctx.payments["stripe"])
    gate.refusals["refund"] = [ProviderUnavailable("not reached") for _ in range(times)]
    return gate, replace(story.ctx, payments={"stripe": gate}, calls=CallsUnderWay())


async def refunds(story: Story, count: int) -> list[Any]:
    return [
        await story.refund(await story.order(goods("thing", 10000)), 6000) for _ in range(count)
    ]


async def states(story: Story) -> dict[str, int]:
    rows = await story.rows("SELECT state, count(*) FROM transfers GROUP BY state")
    return {row["state"]: row["count"] for row in rows}


async def account(story: Story) -> Any:
    (row,) = await story.rows("SELECT * FROM connections WHERE source = $1", CARD)
    return row


async def test_after_five_failures_only_one_probe_is_made_in_each_pause(story: Story) -> None:
    gate, ctx = away(story, 1000)
    await refunds(story, MANY)
    await sweep.drain(ctx)
    made = gate.calls.count("refund")
    assert FAILURES_TO_PAUSE <= made < FAILURES_TO_PAUSE + sweep.AT_ONCE, "some were under way"
    tried = await story.rows("SELECT sum(attempt) AS tries FROM transfers")
    assert tried[0]["tries"] == made, "waiting costs no try"
    story.clock.forward(seconds=600)
    for _ in range(3):
        await sweep.drain(ctx)
        story.clock.forward(seconds=45)
    assert gate.calls.count("refund") == made + 3
    assert await states(story) == {"queued": MANY}
    gate.refusals.clear()
    for _ in range(10):
        await sweep.drain(ctx)
        story.clock.forward(seconds=30)
    assert await states(story) == {"succeeded": MANY}
    assert (await account(story))["failures"] == 0
    assert (await account(story))["paused_until"] is None


async def test_two_processes_see_one_pause(story: Story) -> None:
    gate, ctx = away(story, 1000)
    await refunds(story, MANY)
    await sweep.drain(ctx)
    made = gate.calls.count("refund")
    other_gate, other = away(story, 1000)
    await sweep.drain(other)
    assert other_gate.calls == []
    story.clock.forward(minutes=10)
    await asyncio.gather(sweep.drain(ctx), sweep.drain(other))
    calls = [*gate.calls, *other_gate.calls]
    assert calls.count("refund") == made + 1, "one probe for both"


async def test_a_probe_that_dies_with_its_worker_does_not_close_the_account(story: Story) -> None:
    gate, ctx = away(story, 1000)
    await refunds(story, MANY)
    await sweep.drain(ctx)
    gate.refusals.clear()
    story.clock.forward(seconds=PAUSES[0].total_seconds() + 100)
    gate.closed.add("refund")
    (due, *_rest) = await transfers.due_transfers(ctx, 10)
    dying = asyncio.create_task(transfers.send_transfer(ctx, *due))
    await gate.arrived.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await sweep.drain(ctx)
    assert "succeeded" not in await states(story)
    for _ in range(10):
        story.clock.forward(seconds=30)
        await sweep.drain(ctx)
    assert await states(story) == {"succeeded": MANY}


async def test_an_unknown_outcome_is_not_asked_about_while_the_account_is_paused(
    story: Story,
) -> None:
    gate, ctx = away(story, 0)
    gate.refusals["refund"] = [OutcomeUnknown("no answer") for _ in range(FAILURES_TO_PAUSE)]
    gate.refusals["look_up"] = [OutcomeUnknown("no answer")] * 3
    await refunds(story, FAILURES_TO_PAUSE)
    await sweep.drain(ctx)
    assert await states(story) == {"unknown": FAILURES_TO_PAUSE}
    story.clock.forward(seconds=61)
    await sweep.drain(ctx)
    assert gate.calls.count("look_up") == 1, "the probe"
    rows = await story.rows("SELECT sum(lookups) AS lookups FROM transfers")
    assert rows[0]["lookups"] == FAILURES_TO_PAUSE + 1, "waiting costs no look-up"


async def test_another_account_goes_on(story: Story) -> None:
    gate, ctx = away(story, 1000)
    await refunds(story, MANY)
    await sweep.drain(ctx)
    await story.connect("other", "payments", "stripe", story.bank.base_url, "sk_other")
    ids = [
        (await story.refund(await story.order(goods("thing", 900), gateways=["other"]), 900))
        for _ in range(3)
    ]
    gate.refusals.clear()
    await sweep.drain(ctx)
    assert await states(story) == {"queued": MANY, "succeeded": len(ids)}


async def test_a_refusal_is_an_answer(story: Story) -> None:
    gate, ctx = away(story, FAILURES_TO_PAUSE - 1)
    await refunds(story, FAILURES_TO_PAUSE - 1)
    await sweep.drain(ctx)
    assert (await account(story))["failures"] == FAILURES_TO_PAUSE - 1
    await refunds(story, 1)
    await sweep.drain(ctx)
    assert (await account(story))["failures"] == 0
    assert gate.calls.count("refund") == FAILURES_TO_PAUSE


async def test_calls_that_hang_do_not_take_all_hands(story: Story) -> None:
    """Before the first of them has timed out, and so before anything failed."""
    gate, ctx = away(story, 0)
    await refunds(story, MANY)
    with ExitStack() as held:
        for _ in range(SLOW_MAX):
            held.enter_context(ctx.calls.under_way((story.shop, CARD), story.clock()))
        story.clock.forward(seconds=2)
        await sweep.drain(ctx)
        assert gate.calls == []
        assert await states(story) == {"queued": MANY}
    await sweep.drain(ctx)
    assert gate.calls == [], "it comes back a little later"
    story.clock.forward(seconds=7)
    await sweep.drain(ctx)
    assert await states(story) == {"succeeded": MANY}


async def test_the_budget_of_repeats_delays_and_never_stops_first_tries(story: Story) -> None:
    gate, ctx = away(story, 2)
    await refunds(story, 4)
    async with ctx.database.transaction(story.shop) as tx:
        await tx.connection.execute(
            "UPDATE connections SET retries_until = $1", story.clock() + timedelta(minutes=1)
        )
    await sweep.drain(ctx)
    story.clock.forward(seconds=3)
    await sweep.drain(ctx)
    assert gate.calls.count("refund") == 4
    assert await states(story) == {"queued": 2, "succeeded": 2}
    story.clock.forward(minutes=1)
    await sweep.drain(ctx)
    assert await states(story) == {"succeeded": 4}
