"""Stories of what is in the parcel: less, more, something else, nothing; and of a yes in part."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Goods
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import JUDGED, OPENED, PAID, Story

SHIRTS: Final = Goods("shirt", 20_00, 3)
COAT: Final = Goods("coat", 100_00)


async def partial_approval(scene: Scene) -> None:
    """Two things are asked for; the agent lets one come back and refuses the other."""
    order, buyer = await scene.bought(
        Goods("sofa", 600_00, tags=("reviewed",)), Goods("chair", 80_00, tags=("reviewed",))
    )
    href = await scene.open(buyer, order, {"sofa": 1, "chair": 1})
    lines = {each["title"]: each for each in (await scene.agent.see(href))["lines"]}
    refused = {"lines": [lines["sofa"]["return_line"]], "code": "worn", "note": "See your photo."}
    await scene.agent.take("reject", href, refused)
    await scene.agent.take("approve", href, {"lines": [lines["chair"]["return_line"]]})
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def in_parts(scene: Scene) -> None:
    """Two of three today, the third tomorrow."""
    order, buyer = await scene.bought(SHIRTS)
    href = await scene.open(buyer, order, {"shirt": 3})
    await scene.scan(href)
    await scene.receive(href, {"shirt": 2})
    await scene.inspect(href, {"shirt": ["sealed", "sealed"]})
    await scene.later(days=1)
    await scene.receive(href, {"shirt": 1})
    await scene.inspect(href, {"shirt": ["sealed"]})
    await buyer.reach(href, "completed")


async def short(scene: Scene) -> None:
    """Two of three came, and no more will."""
    order, buyer = await scene.bought(SHIRTS)
    href = await scene.open(buyer, order, {"shirt": 3})
    await scene.scan(href)
    await scene.receive(href, {"shirt": 2})
    await scene.inspect(href, {"shirt": ["sealed", "sealed"]}, close=True)
    await buyer.reach(href, "completed")


async def extra(scene: Scene) -> None:
    """A scarf lies beside the coat: it is written down, and moves no money."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await scene.scan(href)
    scarf = {"sku": "SKU-scarf", "quantity": 1, "note": "Not announced."}
    await scene.receive(href, {"coat": 1}, unexpected=[scarf])
    await scene.inspect(href, {"coat": ["sealed"]})
    await buyer.reach(href, "completed")


async def wrong(scene: Scene) -> None:
    """Somebody else's coat came; it goes back to the buyer, and nothing is owed."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await scene.scan(href)
    await scene.receive(href, {"coat": 1})
    await scene.inspect(href, {"coat": ["wrong_item"]}, disposition="send_back")
    await buyer.reach(href, "completed")


async def empty(scene: Scene) -> None:
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await scene.bring_back(href, "empty_box")
    await buyer.reach(href, "completed")


_DECIDED: Final = ("return.opened", "return.approved", "shipment.label_ready")
STORIES: Final = (
    Story("partial approval", partial_approval, 75_10, (*_DECIDED, *JUDGED, *PAID)),
    Story("received in parts", in_parts, 55_10, (*OPENED, "return.received", *JUDGED, *PAID)),
    Story("short receipt", short, 35_10, (*OPENED, *JUDGED, *PAID)),
    Story("extra goods in the parcel", extra, 95_10, (*OPENED, *JUDGED, *PAID)),
    Story("wrong goods in the parcel", wrong, 0, (*OPENED, *JUDGED)),
    Story("empty box", empty, 0, (*OPENED, *JUDGED)),
)
