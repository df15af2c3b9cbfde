"""Stories in which both sides want something else: offers, and what the platform rules."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Goods
from returns_api.demo.stories.people import Person
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import OPENED, PAID, Story

COAT: Final = Goods("coat", 100_00)
SOFA: Final = Goods("sofa", 600_00, tags=("reviewed",))


async def keep_it(scene: Scene) -> None:
    """An amount for keeping the goods, within what an agent may promise alone."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await _labelled(buyer, href)
    await scene.agent.take("offer", href, {"amount": 15_00, "note": "Keep it, for 15 euros?"})
    await buyer.take("accept", await scene.hanging(buyer, href, "offer"))
    await buyer.reach(href, "completed")


async def counter_offer(scene: Scene) -> None:
    """Offered, countered beyond the agent's limit, countered again and approved by finance."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await _labelled(buyer, href)
    await scene.agent.take("offer", href, {"amount": 10_00})
    theirs = await scene.hanging(buyer, href, "offer")
    await buyer.take("counter", theirs, {"amount": 30_00, "note": "It has two stains."})
    mine = await scene.hanging(scene.agent, href, "offer")
    await scene.agent.take("counter", mine, {"amount": 25_00})
    last = await scene.hanging(scene.finance, href, "offer")
    await scene.finance.take("approve", last)
    await buyer.take("accept", last)
    await buyer.reach(href, "completed")


async def offer_runs_out(scene: Scene) -> None:
    """Nobody answers the offer: the return goes on, and the goods are sent back."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await _labelled(buyer, href)
    await scene.agent.take("offer", href, {"amount": 10_00})
    offer = await scene.hanging(buyer, href, "offer")
    await scene.later(days=7, hours=1)
    await buyer.reach(offer, "expired")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def dispute(scene: Scene) -> None:
    """Refused, contested, heard on both sides, ruled, appealed, ruled by somebody else."""
    order, buyer = await scene.bought(SOFA)
    href = await scene.open(buyer, order, {"sofa": 1})
    await scene.agent.take("reject", href, {"code": "worn", "note": "Worn outside."})
    claim = {"claim": 300_00, "statement": "It came with the stain on it."}
    await buyer.take("dispute", href, claim)
    contested = await scene.hanging(buyer, href, "dispute")
    said = {"statement": "Our photo at packing shows no stain."}
    await scene.agent.take("add_evidence", contested, said)
    first, second = scene.people["platform"], scene.people["second platform"]
    await first.take("begin_review", contested)
    await first.take("rule", contested, {"award": 0, "reason": "The photo shows it clean."})
    await buyer.take("appeal", contested, {"statement": "Look at the date of the photo."})
    await second.take("rule", contested, {"award": 150_00, "reason": "The date is in doubt."})
    await buyer.reach(contested, "final")
    await buyer.until(href, lambda ret: ret["money"]["refunded"] == 150_00, "paid its award")


async def _labelled(person: Person, href: str) -> None:
    await person.until(href, lambda ret: ret["label"]["state"] == "label_ready", "labelled")


STORIES: Final = (
    Story("partial refund, goods kept", keep_it, 15_00, (*OPENED, "offer.made", *PAID)),
    Story(
        "offer, counter-offer, approval",
        counter_offer,
        25_00,
        (*OPENED, "offer.made", "offer.made", *PAID),
    ),
    Story(
        "offer without an answer",
        offer_runs_out,
        95_10,
        (*OPENED, "offer.made", "return.received", "return.inspected", *PAID),
    ),
    Story("dispute, ruling, appeal", dispute, 150_00, ("return.opened", "return.rejected", *PAID)),
)
