"""Stories of goods that are mended: covered, paid for, or given back as they are."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Goods
from returns_api.demo.stories.people import Person
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import JUDGED, OPENED, Story, expect

RADIO: Final = Goods("radio", 90_00)
PRICES: Final = {
    "look": {"kind": "inspection", "title": "Inspection", "price": 15_00},
    "battery": {"kind": "part", "title": "Battery", "price": 39_00},
    "back": {"kind": "freight", "title": "Way back", "price": 6_90},
}
FOUND: Final = {"positions": [{"code": "look"}, {"code": "battery"}], "note": "Flat battery."}
FREIGHT: Final = 4_90


async def in_warranty(scene: Scene) -> None:
    """The law covers it: nothing is charged, and nobody has to agree to a price."""
    buyer, href, repair = await _here(scene, "defective")
    await scene.agent.take("quote", repair, FOUND)
    await _done(scene, buyer, repair)
    await buyer.reach(href, "completed")


async def out_of_warranty(scene: Scene) -> None:
    """Quoted by the price list, agreed to, mended, paid, sent back."""
    buyer, href, repair = await _here(scene, "other")
    quoted = await scene.agent.take("quote", repair, FOUND)
    expect("the price", quoted["money"]["total"], 15_00 + 39_00 + FREIGHT)
    await buyer.take("accept", repair)
    await _done(scene, buyer, repair)
    await buyer.reach(href, "completed")


async def declined(scene: Scene) -> None:
    """Too dear: the goods come back as they are, for what the quote says that costs."""
    buyer, href, repair = await _here(scene, "other")
    await scene.agent.take("quote", repair, FOUND)
    await buyer.take("decline", repair, {})
    await _paid(scene, repair)
    await _sent(scene, buyer, repair)
    await buyer.reach(href, "completed")


async def _here(scene: Scene, reason: str) -> tuple[Person, str, str]:
    """A radio that is to be repaired was looked at by the warehouse."""
    await scene.admin.change("/v1/admin/shop", {"repairs": {"address": None, "prices": PRICES}})
    order, buyer = await scene.bought(RADIO)
    href = await scene.open(buyer, order, {"radio": 1}, reason=reason, resolution="repair")
    found = await buyer.only((await buyer.see(href))["repair"])
    await scene.bring_back(href, "defective")
    return buyer, href, f"/v1/repairs/{found['repair']}"


async def _done(scene: Scene, buyer: Person, repair: str) -> None:
    """Mended, paid where something is due, and back with the buyer."""
    done = await scene.agent.take("finish", repair)
    if done["state"] == "awaiting_payment":
        await _paid(scene, repair)
    await _sent(scene, buyer, repair)


async def _paid(scene: Scene, repair: str) -> None:
    waits = await scene.finance.reach(repair, "awaiting_payment")
    paid = {"amount": waits["money"]["due"], "reference": "pi_repair"}
    await scene.finance.take("pay", repair, paid)


async def _sent(scene: Scene, buyer: Person, repair: str) -> None:
    await scene.agent.take("ship", repair, {"carrier": "DHL", "tracking": "JD02"})
    await buyer.take("complete", repair)


_MENDED: Final = (*OPENED, *JUDGED, "repair.shipped")
_CHARGED: Final = (*_MENDED, "repair.quoted", "repair.payment_due")
STORIES: Final = (
    Story("repair in warranty", in_warranty, 0, _MENDED),
    Story("repair out of warranty", out_of_warranty, 0, _CHARGED),
    Story("repair declined", declined, 0, _CHARGED),
)
