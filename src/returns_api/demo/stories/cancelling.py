"""Stories of orders that end without a return: stopped before they are sent, turned back after."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import PARCEL, Goods, Order
from returns_api.demo.stories.people import Person
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import PAID, Story

COAT: Final = Goods("coat", 100_00)
SHIRTS: Final = Goods("shirt", 20_00, 3)


async def before_dispatch(scene: Scene) -> None:
    order, buyer = await scene.bought(COAT, sent=False)
    cancellation = await _asked(buyer, order, cause="before_dispatch")
    await scene.agent.take("confirm", cancellation, {})
    await buyer.reach(cancellation, "confirmed")


async def part_before_dispatch(scene: Scene) -> None:
    """One of three shirts; nobody answers for a day, and nobody said that it was sent."""
    order, buyer = await scene.bought(SHIRTS, sent=False)
    lines = [{"line": order.lines["shirt"], "quantity": 1}]
    cancellation = await _asked(buyer, order, cause="before_dispatch", lines=lines)
    await scene.later(days=1, hours=1)
    await buyer.reach(cancellation, "confirmed")


async def turned_back(scene: Scene) -> None:
    """The parcel is on its way; the carrier turns it back, and the money goes once it is here."""
    order, buyer = await scene.bought(COAT, days_here=None)
    cancellation = await _asked(buyer, order, cause="recalled", parcel=PARCEL)
    await scene.agent.take("turn_back", cancellation, {})
    await scene.warehouse.take("receive", cancellation, {})
    await buyer.reach(cancellation, "confirmed")


async def refused_at_the_door(scene: Scene) -> None:
    order, buyer = await scene.bought(COAT, days_here=None)
    cancellation = await _asked(scene.agent, order, cause="refused", parcel=PARCEL)
    await scene.warehouse.take("receive", cancellation, {})
    await buyer.reach(cancellation, "confirmed")


async def never_arrived(scene: Scene) -> None:
    """Delivered, says its tracking; the buyer says no, and nobody shows otherwise in time."""
    order, buyer = await scene.bought(COAT)
    cancellation = await _asked(buyer, order, cause="not_received", parcel=PARCEL)
    await scene.later(days=14, hours=1)
    await buyer.reach(cancellation, "confirmed")


async def _asked(person: Person, order: Order, **more: object) -> str:
    made = await person.take("cancel", order.href, more)
    return f"/v1/cancellations/{made['cancellation']}"


_ENDED: Final = ("cancellation.confirmed", *PAID)
_BACK: Final = ("cancellation.coming_back", *_ENDED)
STORIES: Final = (
    Story("cancelled before dispatch", before_dispatch, 100_00, _ENDED),
    Story("cancelled in part, silence", part_before_dispatch, 20_00, _ENDED),
    Story("turned back after dispatch", turned_back, 100_00, _BACK),
    Story("refused at the door", refused_at_the_door, 100_00, _BACK),
    Story("delivered, not received", never_arrived, 100_00, _ENDED),
)
