"""Ways to have each deadline of an exchange stand, from the question for goods to their arrival."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proofs.deadlines.cases import CHEAP, Case, Make
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

from returns_api.domain.access import Role
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.usecases import exchanges, returns


async def _exchange(story: Story, price: int | None) -> tuple[Order, ExchangeRecord]:
    """A coat to be exchanged for a larger one; with a price, the shop has it."""
    order = await story.order(goods("coat", CHEAP))
    made = await story.exchange(order, "coat")
    if price is not None:
        await story.take(made, exchanges.in_stock(price, None, None), story.agent)
    return order, made


async def _back(story: Story, made: ExchangeRecord) -> None:
    """The goods come and are judged."""
    ret = (await returns.get_return(story.ctx, story.agent, made.return_id)).ret
    await story.bring_back(ret)


def _exchanged(made: ExchangeRecord, kind: str, event: str) -> Case:
    return Case("exchange", kind, f"exchange.{event}", made.return_id, made.id)


async def stock_answer(story: Story) -> Case:
    return _exchanged((await _exchange(story, None))[1], "stock_answer", "out_of_stock")


async def alternative(story: Story) -> Case:
    _, made = await _exchange(story, None)
    await story.take(made, exchanges.out_of_stock([]), story.agent)
    return _exchanged(made, "alternative", "converted")


async def price_answer(story: Story) -> Case:
    return _exchanged((await _exchange(story, CHEAP + 1))[1], "price_answer", "converted")


async def difference(story: Story) -> Case:
    order, made = await _exchange(story, CHEAP + 1)
    await story.take(made, exchanges.accepting, story.who(Role.BUYER, order))
    await _back(story, made)
    return _exchanged(made, "difference", "converted")


async def dispatch(story: Story) -> Case:
    _, made = await _exchange(story, CHEAP)
    await _back(story, made)
    return _exchanged(made, "dispatch", "overdue")


async def arrival(story: Story) -> Case:
    _, made = await _exchange(story, CHEAP)
    await _back(story, made)
    await story.take(made, exchanges.shipping(None, None), story.agent)
    return _exchanged(made, "arrival", "completed")


MAKERS: Final[Mapping[str, Make]] = {
    "exchange.stock_answer": stock_answer,
    "exchange.alternative": alternative,
    "exchange.price_answer": price_answer,
    "exchange.difference": difference,
    "exchange.dispatch": dispatch,
    "exchange.arrival": arrival,
}
