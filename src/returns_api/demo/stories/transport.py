"""Stories of the way back: a courier who does not come, a parcel that is lost, insured freight."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Goods
from returns_api.demo.stories.people import Person
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import JUDGED, OPENED, PAID, Story

COAT: Final = Goods("coat", 100_00)
INSURED: Final = Goods("coat", 100_00, tags=("freight-insured",))


async def missed_pickup(scene: Scene) -> None:
    """Nobody came on the day; the buyer chooses another one, and then somebody does."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1}, method="pickup")
    await buyer.until(href, lambda ret: ret["label"]["state"] == "label_ready", "labelled")
    await buyer.take("book_pickup", href, {"slot": await _slot(buyer, href)})
    pickup = await scene.hanging(buyer, href, "pickup")
    await buyer.reach(pickup, "booked")
    await scene.later(days=6)
    await buyer.reach(pickup, "missed")
    await buyer.take("rebook", pickup, {"slot": await _slot(buyer, href)})
    pickup = await scene.hanging(buyer, href, "pickup")
    await buyer.reach(pickup, "booked")
    await scene.scan(href)
    await buyer.reach(pickup, "collected")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def lost_parcel(scene: Scene) -> None:
    """The carrier loses the parcel and pays for it; the buyer did nothing wrong and is paid too."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await scene.scan(href, "in_transit")
    await scene.scan(href, "failure")
    await scene.agent.until(href, lambda ret: ret["label"]["state"] == "lost", "lost")
    claim = await scene.hanging(scene.agent, href, "transport claim")
    await scene.agent.take("submit", claim, {"reference": "NF-2026-1"})
    await scene.finance.take("accept", claim, {})
    await scene.finance.take("pay", claim, {"reference": "wire of the carrier"})
    promised = (await buyer.see(href))["money"]["expected"]
    owed = {"order": order.href.rpartition("/")[2], "amount": promised, "reason": "Parcel lost"}
    await scene.finance.take("refund", href, owed)
    await scene.agent.take("cancel", href)
    await buyer.reach(href, "canceled")


async def insured_freight(scene: Scene) -> None:
    """Return freight was insured with the order: what the buyer paid for it, the insurer pays."""
    order, buyer = await scene.bought(INSURED)
    href = await scene.open(buyer, order, {"coat": 1})
    await scene.bring_back(href)
    await buyer.reach(href, "completed")
    claim = await scene.hanging(scene.agent, href, "transport claim")
    await scene.agent.take("submit", claim, {"reference": "INS-2026-1"})
    await scene.finance.take("accept", claim, {})
    await scene.finance.take("pay", claim, {"reference": "wire of the insurer"})
    await scene.finance.reach(claim, "paid")


async def _slot(person: Person, href: str) -> str:
    """The earliest time that the carrier offers."""
    offered = (await person.see(f"{href}/pickup-slots"))["items"]
    return str(offered[0]["slot"])


STORIES: Final = (
    Story("missed pickup", missed_pickup, 95_10, (*OPENED, *JUDGED, *PAID)),
    Story("lost parcel", lost_parcel, 95_10, (*OPENED, *PAID)),
    Story("insured freight", insured_freight, 98_00, (*OPENED, *JUDGED, *PAID, *PAID)),
)
