"""Ways to have each deadline of a return stand, from the request to the money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proofs.deadlines.cases import CHEAP, COSTLY, NOTHING, STRICT, Case, Make, opened
from tests.support.story import Story

from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import returns


def _of(ret: ReturnRecord, kind: str, event: str) -> Case:
    return Case("return", kind, event, ret.id, ret.id)


async def respond_approve(story: Story) -> Case:
    return _of((await opened(story, COSTLY))[1], "respond", "return.approved")


async def respond_reject(story: Story) -> Case:
    return _of((await opened(story, STRICT))[1], "respond", "return.rejected")


async def answer(story: Story) -> Case:
    _, ret = await opened(story, COSTLY)
    await story.act(ret, returns.asking("Why?"))
    return _of(ret, "answer", "return.rejected")


async def ship(story: Story) -> Case:
    return _of((await opened(story, CHEAP))[1], "ship", "return.expired")


async def arrive(story: Story) -> Case:
    _, ret = await opened(story, CHEAP)
    await story.act(ret, returns.shipping)
    return _of(ret, "arrive", "return.overdue")


async def inspect(story: Story) -> Case:
    _, ret = await opened(story, CHEAP)
    await story.receive(ret, {"coat": 1})
    return _of(ret, "inspect", "return.overdue")


async def refund(story: Story) -> Case:
    """Nobody sends the money: the proof runs no job but silence."""
    _, ret = await opened(story, CHEAP)
    await story.bring_back(ret)
    return _of(ret, "refund", "return.overdue")


async def dispute_window(story: Story) -> Case:
    """Nobody contests the rejection: it stands, and nobody is told."""
    _, ret = await opened(story, COSTLY)
    await story.act(ret, returns.rejecting("worn", None, None))
    return _of(ret, "dispute_window", NOTHING)


MAKERS: Final[Mapping[str, Make]] = {
    "return.respond, approved": respond_approve,
    "return.respond, rejected": respond_reject,
    "return.answer": answer,
    "return.ship": ship,
    "return.arrive": arrive,
    "return.inspect": inspect,
    "return.refund": refund,
    "return.dispute_window": dispute_window,
}
