"""Stories of what the buyer gets in money: back where it came from, as credit, early and back."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Goods
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import BONUS, JUDGED, OPENED, PAID, Story, expect

COAT: Final = Goods("coat", 100_00)
LAMP: Final = Goods("lamp", 100_00, tags=("fast",))
FREIGHT: Final = 4_90


async def refund(scene: Scene) -> None:
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def worn(scene: Scene) -> None:
    """The warehouse finds signs of wear; the quote said what that costs."""
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1})
    await scene.bring_back(href, "used_worn")
    await buyer.reach(href, "completed")


async def store_credit(scene: Scene) -> None:
    order, buyer = await scene.bought(COAT)
    href = await scene.open(buyer, order, {"coat": 1}, resolution="store_credit")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")
    credit = await buyer.only("/v1/store-credits")
    expect("the credit", credit["balance"], (100_00 - FREIGHT) * 110 // 100)


async def fast_refund(scene: Scene) -> None:
    """Money at the first scan; the goods then are what was promised."""
    order, buyer = await scene.bought(LAMP)
    href = await scene.open(buyer, order, {"lamp": 1})
    await scene.scan(href, "in_transit")
    await buyer.until(href, lambda ret: ret["money"]["refunded"] == 95_10, "paid early")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def fast_refund_recovered(scene: Scene) -> None:
    """Money at the first scan; an empty box arrives, and the buyer pays it back."""
    order, buyer = await scene.bought(LAMP)
    href = await scene.open(buyer, order, {"lamp": 1})
    await scene.scan(href, "in_transit")
    await buyer.until(href, lambda ret: ret["money"]["refunded"] == 95_10, "paid early")
    await scene.bring_back(href, "empty_box")
    await buyer.reach(href, "completed")
    owed = await scene.finance.only("/v1/recoveries")
    expect("what is owed", owed["open"], 95_10)
    recovery = f"/v1/recoveries/{owed['recovery']}"
    await scene.finance.take("request", recovery, {"pay_within_days": 14})
    await scene.finance.take("pay", recovery, {"reference": "wire 2026/1"})
    await scene.finance.reach(recovery, "paid")


async def fast_refund_never_came(scene: Scene) -> None:
    """Money at the first scan; the goods never come, and finance lets it go."""
    order, buyer = await scene.bought(LAMP)
    href = await scene.open(buyer, order, {"lamp": 1})
    await scene.scan(href, "in_transit")
    await buyer.until(href, lambda ret: ret["money"]["refunded"] == 95_10, "paid early")
    await scene.later(days=15)
    await scene.finance.until("/v1/recoveries", lambda found: bool(found["items"]), "there")
    owed = await scene.finance.only("/v1/recoveries")
    recovery = f"/v1/recoveries/{owed['recovery']}"
    waived = await scene.finance.take("waive", recovery, {"note": "A good customer for years."})
    if waived["state"] == "to_approve":
        binding = {"binding": waived["approval"]["binding"]}
        waived = await scene.admin.take("approve", recovery, binding)
    expect("the recovery", waived["state"], "waived")


STORIES: Final = (
    Story("refund", refund, 95_10, (*OPENED, *JUDGED, *PAID)),
    Story("worn goods", worn, 65_10, (*OPENED, *JUDGED, *PAID)),
    Story("store credit with bonus", store_credit, 0, (*OPENED, *JUDGED, *BONUS)),
    Story("fast refund", fast_refund, 95_10, (*OPENED, *PAID, *JUDGED)),
    Story("fast refund, recovered", fast_refund_recovered, 95_10, (*OPENED, *PAID, *JUDGED)),
    Story("fast refund, goods never came", fast_refund_never_came, 95_10, (*OPENED, *PAID)),
)
