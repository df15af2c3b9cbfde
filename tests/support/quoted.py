"""What of a line went back elsewhere, and what of it can still come back."""

from __future__ import annotations

from returns_api.domain.access import Role
from returns_api.domain.orders import OutsideRefundLine, OutsideRefundMoney, OutsideRefundSeen
from returns_api.usecases import quotes
from tests.support.story import Story
from tests.support.story_scene import Order


async def outside(story: Story, order: Order, line: str, count: int) -> None:
    """The shop gave units back in its own dashboard."""
    lines = (OutsideRefundLine(line, count),)
    await story.see(OutsideRefundSeen(order.name, "r-outside", story.clock(), lines, ()))


async def paid_back(story: Story, order: Order, line: str, count: int, amount: int) -> None:
    """Somebody refunds units in the platform's dashboard; provider and platform tell of it."""
    await story.bank.dashboard_refund(order.intents[0], amount)
    await story.provider_tells(order)
    money = (OutsideRefundMoney("t1", "p0", amount, "EUR", True),)
    lines = (OutsideRefundLine(line, count),)
    await story.see(OutsideRefundSeen(order.name, "r-dashboard", story.clock(), lines, money))


async def stopped(story: Story, order: Order, line: str, count: int, amount: int) -> None:
    """The same of units that are not to be sent any more."""
    await story.bank.dashboard_refund(order.intents[0], amount)
    await story.provider_tells(order)
    money = (OutsideRefundMoney("t2", "p0", amount, "EUR", True),)
    lines = (OutsideRefundLine(line, count, unsent=True),)
    await story.see(OutsideRefundSeen(order.name, "r-stopped", story.clock(), lines, money))


async def left(story: Story, order: Order, line: str) -> int:
    buyer = story.who(Role.BUYER, order)
    found = await quotes.list_returnable(story.ctx, buyer, order.id, ["changed_mind"])
    return next(each.left for each in found.lines if each.line.external_id == line)
