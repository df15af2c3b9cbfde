"""Stories of buyers whom a person looks at first, and who get what they are owed all the same."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Goods
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import JUDGED, OPENED, PAID, Story, expect

LAMP: Final = Goods("lamp", 100_00, tags=("fast",))
LIMIT: Final = 3
"""Returns in a day that the policy lets pass; a person looks at the next one."""


async def blocked(scene: Scene) -> None:
    """Somebody put the buyer on the block list: a person looks, says yes, and all goes on; no money
    before the goods. The buyer never learns of it."""
    order, buyer = await scene.bought(LAMP)
    listed = {"list": "block", "email": order.email, "reason": "payment_disputes"}
    await scene.agent.enter("/v1/listings", listed)
    href = await scene.open(buyer, order, {"lamp": 1})
    waits = await buyer.reach(href, "requested")
    expect("what the buyer sees", waits["signals"], None)
    flagged = await scene.agent.only("/v1/returns", flagged="true")
    expect("why", [each["signal"] for each in flagged["signals"]], ["block_list"])
    await scene.agent.take("approve", href, {})
    await scene.bring_back(href)
    done = await buyer.reach(href, "completed")
    expect("the fast refund", done["money"]["advance"], None)


async def rush(scene: Scene) -> None:
    """One return more in a day than the policy lets pass: it waits, and silence is a yes."""
    for _ in range(LIMIT):
        order, buyer = await scene.bought(LAMP)
        await buyer.reach(await scene.open(buyer, order, {"lamp": 1}), "approved")
    order, buyer = await scene.bought(LAMP)
    href = await scene.open(buyer, order, {"lamp": 1})
    await buyer.reach(href, "requested")
    (signal,) = (await scene.agent.see(href))["signals"]
    expect("the signal", signal, {"signal": "rush", "because": {"returns_1_day": LIMIT}})
    await scene.later(hours=49)
    await buyer.reach(href, "approved")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


_APPROVED: Final = ("return.approved",)
STORIES: Final = (
    Story("blocked buyer", blocked, 95_10, (*OPENED, *_APPROVED, *JUDGED, *PAID)),
    Story("velocity limit", rush, 95_10, (*OPENED * (LIMIT + 1), *_APPROVED, *JUDGED, *PAID)),
)
