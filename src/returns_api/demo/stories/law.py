"""Stories of what the law gives, and of people without an account."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories.orders import Customer, Goods
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import BONUS, JUDGED, OPENED, PAID, Story, expect

COAT: Final = Goods("coat", 100_00)
HOME: Final = {
    "name": "Bea Beispiel",
    "street1": "Geschenkweg 2",
    "city": "Hamburg",
    "postcode": "20095",
    "country": "DE",
}
"""Where the recipient of a gift lives."""
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
    """Whoever got it as a gift has the code of its gift receipt, and takes store credit of their
    own; the buyer hears and sees nothing of it."""
    order, buyer = await scene.bought(COAT, buyer=GUEST, days_here=40)
    receipt = await buyer.take("give", order.href, {})
    recipient = await scene.recipient(receipt["code"])
    asked = {"line": order.lines["coat"], "quantity": 1, "reason": "gift_not_wanted"}
    quote = await recipient.take("quote", "/v1/gift", {"lines": [asked], "method": "post"})
    terms = {"quote": quote["quote"], "email": "bea@example.com", "address": HOME}
    made = await recipient.take("open", f"/v1/gift/quotes/{quote['quote']}", terms)
    await scene.bring_back(f"/v1/returns/{made['return']}")
    shown = await recipient.reach(f"/v1/gift/returns/{made['return']}", "completed")
    expect("the credit", shown["credit"]["credited"], quote["credit"]["total"])
    account = await scene.finance.only("/v1/store-credits")
    expect("its holder", account["holder"], "email")
    for list_ in ("returns", "refunds", "store-credits"):
        expect(f"the buyer's {list_}", (await buyer.see(f"/v1/{list_}"))["items"], [])


STORIES: Final = (
    Story(
        "EU withdrawal by a guest",
        withdrawal,
        95_10,
        ("withdrawal.confirmed", *OPENED, *JUDGED, *PAID),
    ),
    Story("gift return by its recipient", gift, 0, (*OPENED, *JUDGED, *BONUS)),
)
