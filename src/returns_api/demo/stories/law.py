"""Stories of what the law gives, and of people without an account."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Customer, Goods
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import BONUS, JUDGED, OPENED, PAID, Story, expect

COAT: Final = Goods("coat", 100_00)
GUEST: Final = Customer("guest@example.com", "Ada Gast", "DE", None)


async def withdrawal(scene: Scene) -> None:
    """A guest in the EU withdraws in two steps; the return follows by itself, for the whole price
    less the freight that the law lets the buyer pay."""
    order, buyer = await scene.bought(COAT, buyer=GUEST)
    statement = {"name": GUEST.name, "contact": GUEST.email}
    made = await buyer.take("withdraw", order.href, statement)
    address = f"/v1/withdrawals/{made['withdrawal']}"
    await buyer.take("confirm", address)
    opened = await buyer.reach(address, "opened")
    expect("the seal", bool(opened["acknowledgement"]["seal"]), True)
    href = f"/v1/returns/{opened['return']}"
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def gift(scene: Scene) -> None:
    """Whoever got it as a gift knows the order's number and address, and takes store credit."""
    order, buyer = await scene.bought(COAT, buyer=GUEST, days_here=40)
    asked = {"reason": "gift_not_wanted", "resolution": "store_credit"}
    href = await scene.open(buyer, order, {"coat": 1}, **asked)
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


STORIES: Final = (
    Story(
        "EU withdrawal by a guest",
        withdrawal,
        95_10,
        ("withdrawal.confirmed", *OPENED, *JUDGED, *PAID),
    ),
    Story("gift return", gift, 0, (*OPENED, *JUDGED, *BONUS)),
)
