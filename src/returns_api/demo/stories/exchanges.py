"""Stories of goods for goods: even, uneven, sent first, out of stock, replaced, given up."""

from __future__ import annotations

from typing import Final

from returns_api.demo.calls import Json
from returns_api.demo.stories.orders import Goods
from returns_api.demo.stories.people import Person
from returns_api.demo.stories.scene import Scene
from returns_api.demo.stories.telling import CREDITED, JUDGED, OPENED, PAID, Story, expect

SHIRT: Final = Goods("shirt", 50_00)
COAT: Final = Goods("coat", 80_00)
LARGER: Final = {"shirt": "shirt-L", "coat": "coat-L"}
AHEAD: Final = Goods("shirt", 50_00, tags=("sent-first",))
CREDIT: Final = 45_10
"""What the shirt counts for: its price less the freight that the buyer pays."""
OF_BOTH: Final = {"shirt": 48_12, "coat": 76_98}
"""The same where both come back with one label: the freight is shared by what each counts for."""
GIFT: Final = 5_00
INSTEAD: Final = [
    {"kind": "variant", "sku": "SKU-navy", "title": "Shirt, navy", "unit_price": CREDIT},
    {"kind": "store_credit"},
]


async def even(scene: Scene) -> None:
    buyer, href, exchange = await _asked(scene)
    await _in_stock(scene, exchange, CREDIT)
    await scene.bring_back(href)
    await _sent(scene, buyer, exchange)
    await buyer.reach(href, "completed")


async def dearer(scene: Scene) -> None:
    """The buyer agrees to the price and pays the difference by the shop's link."""
    buyer, href, exchange = await _asked(scene)
    offered = await _in_stock(scene, exchange, 60_00)
    expect("the difference", offered["money"]["difference"], 60_00 - CREDIT)
    await buyer.take("accept", exchange)
    await scene.bring_back(href)
    waits = await buyer.reach(exchange, "awaiting_payment")
    await scene.agent.take("link", exchange, {"payment_url": "https://shop.example/pay/1"})
    paid = {"amount": waits["money"]["due"], "reference": "pi_difference"}
    await scene.finance.take("pay", exchange, paid)
    await _sent(scene, buyer, exchange)
    await buyer.reach(href, "completed")


async def cheaper(scene: Scene) -> None:
    buyer, href, exchange = await _asked(scene)
    await _in_stock(scene, exchange, 30_00)
    await scene.bring_back(href)
    await _sent(scene, buyer, exchange)
    await buyer.reach(href, "completed")


async def out_of_stock(scene: Scene) -> None:
    """What was wanted ran out; the buyer takes another colour."""
    buyer, href, exchange = await _asked(scene)
    await scene.agent.take("answer", exchange, {"in_stock": False, "alternatives": INSTEAD})
    await _choose(buyer, exchange, "variant")
    await scene.bring_back(href)
    await _sent(scene, buyer, exchange)
    await buyer.reach(href, "completed")


async def one_of_two(scene: Scene) -> None:
    """Shirt and coat come back in one parcel. The larger shirt goes out as soon as they are graded;
    the coat ran out, and the buyer takes the money for it."""
    order, buyer = await scene.bought(SHIRT, COAT)
    both = dict.fromkeys(LARGER, 1)
    href = await scene.open(buyer, order, both, resolution="exchange", wanted=LARGER)
    shown = await buyer.see(href)
    lines = {line["return_line"]: line["title"] for line in shown["lines"]}
    found = (await buyer.see(shown["exchange"]))["items"]
    counted = {lines[each["return_line"]]: each["money"]["expected"] for each in found}
    expect("what each line counts for", counted, OF_BOTH)
    where = {lines[each["return_line"]]: f"/v1/exchanges/{each['exchange']}" for each in found}
    await _in_stock(scene, where["shirt"], OF_BOTH["shirt"])
    await scene.agent.take("answer", where["coat"], {"in_stock": False})
    await scene.bring_back(href)
    await _sent(scene, buyer, where["shirt"])
    await _choose(buyer, where["coat"], "refund")
    await buyer.reach(href, "completed")


async def out_of_stock_credit(scene: Scene) -> None:
    buyer, href, exchange = await _asked(scene)
    await scene.agent.take("answer", exchange, {"in_stock": False, "alternatives": INSTEAD})
    await _choose(buyer, exchange, "store_credit")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")
    credit = await buyer.only("/v1/store-credits")
    expect("the credit", credit["balance"], CREDIT)


async def out_of_stock_gift(scene: Scene) -> None:
    """The shop has nothing else: the buyer takes the money, and a gift for the disappointment."""
    buyer, href, exchange = await _asked(scene)
    gift = [{"kind": "refund_and_gift", "gift": GIFT}]
    await scene.agent.take("answer", exchange, {"in_stock": False, "alternatives": gift})
    await _choose(buyer, exchange, "refund_and_gift")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")
    credit = await buyer.only("/v1/store-credits")
    expect("the gift", credit["balance"], GIFT)


async def out_of_stock_silence(scene: Scene) -> None:
    """The shop never answers and the buyer never chooses: that ends as money."""
    buyer, href, exchange = await _asked(scene)
    await scene.later(days=3, hours=1)
    await buyer.reach(exchange, "out_of_stock")
    await scene.later(days=7, hours=1)
    await buyer.reach(exchange, "converted")
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def given_up(scene: Scene) -> None:
    """The buyer would rather have the money."""
    buyer, href, exchange = await _asked(scene)
    await buyer.take("cancel", exchange)
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def replacement(scene: Scene) -> None:
    """Faulty goods: the same again, without a price; nobody says that they arrived."""
    order, buyer = await scene.bought(SHIRT)
    asked: Json = {"reason": "defective", "resolution": "replacement"}
    href = await scene.open(buyer, order, {"shirt": 1}, **asked)
    exchange = await _exchange(buyer, href)
    await scene.bring_back(href, "defective")
    await scene.agent.reach(exchange, "released")
    await scene.agent.take("ship", exchange, {"carrier": "DHL", "tracking": "JD01"})
    await scene.later(days=14, hours=1)
    await buyer.reach(exchange, "completed")
    await buyer.reach(href, "completed")


async def sent_first(scene: Scene) -> None:
    """The new shirt goes out before the old one is back; what is left over is refunded."""
    buyer, href, exchange = await _asked(scene, AHEAD)
    there = await _in_stock(scene, exchange, 30_00)
    expect("what went first", there["in_advance"], True)
    await _sent(scene, buyer, exchange)
    await scene.bring_back(href)
    await buyer.reach(href, "completed")


async def sent_first_never_came(scene: Scene) -> None:
    """The old shirt never comes, and the buyer pays the new one."""
    buyer, href, exchange = await _asked(scene, AHEAD)
    await _in_stock(scene, exchange, CREDIT)
    await _sent(scene, buyer, exchange)
    await scene.scan(href, "in_transit")
    await scene.later(days=15)
    await scene.finance.until("/v1/recoveries", lambda found: bool(found["items"]), "there")
    owed = await scene.finance.only("/v1/recoveries")
    expect("what is owed", owed["open"], CREDIT)
    recovery = f"/v1/recoveries/{owed['recovery']}"
    await scene.finance.take("request", recovery, {"pay_within_days": 14})
    await scene.finance.take("pay", recovery, {"reference": "pi_new_shirt"})
    await scene.finance.reach(recovery, "paid")


async def _asked(scene: Scene, goods: Goods = SHIRT) -> tuple[Person, str, str]:
    """A shirt is to be exchanged for a larger one; the shop has not answered yet."""
    order, buyer = await scene.bought(goods)
    href = await scene.open(buyer, order, {"shirt": 1}, resolution="exchange", wanted=LARGER)
    return buyer, href, await _exchange(buyer, href)


async def _exchange(person: Person, href: str) -> str:
    """Where the exchange of a return is read, by the return's own link."""
    found = await person.only((await person.see(href))["exchange"])
    return f"/v1/exchanges/{found['exchange']}"


async def _in_stock(scene: Scene, exchange: str, price: int) -> Json:
    answer = {"in_stock": True, "unit_price": price, "title": "Shirt, L"}
    return await scene.agent.take("answer", exchange, answer)


async def _choose(buyer: Person, exchange: str, kind: str) -> None:
    offered = (await buyer.see(exchange))["alternatives"]
    (number,) = [each["number"] for each in offered if each["kind"] == kind]
    await buyer.take("choose", exchange, {"alternative": number})


async def _sent(scene: Scene, buyer: Person, exchange: str) -> None:
    """The new goods go out, and the buyer says that they came."""
    await scene.agent.reach(exchange, "released")
    await scene.agent.take("ship", exchange, {"carrier": "DHL", "tracking": "JD01"})
    await buyer.take("complete", exchange)


_GIVEN: Final = (*OPENED, *JUDGED, "exchange.shipped")
_OUT: Final = (*OPENED, "exchange.out_of_stock", *JUDGED)
STORIES: Final = (
    Story("even exchange", even, 0, _GIVEN),
    Story(
        "exchange, the buyer pays more",
        dearer,
        0,
        (*_GIVEN, "exchange.offered", "exchange.payment_due"),
    ),
    Story("exchange, the buyer gets some back", cheaper, 15_10, (*_GIVEN, *PAID)),
    Story("out of stock, another colour", out_of_stock, 0, (*_OUT, "exchange.shipped")),
    Story(
        "two lines, one of them out of stock",
        one_of_two,
        OF_BOTH["coat"],
        (*_OUT, "exchange.shipped", *PAID),
    ),
    Story("out of stock, store credit", out_of_stock_credit, 0, (*_OUT, *CREDITED)),
    Story(
        "out of stock, refund and a gift",
        out_of_stock_gift,
        CREDIT,
        (*_OUT, *CREDITED, *PAID),
    ),
    Story("out of stock, silence", out_of_stock_silence, CREDIT, (*_OUT, *PAID)),
    Story("exchange sent first", sent_first, 15_10, (*_GIVEN, *PAID)),
    Story(
        "exchange sent first, goods never came",
        sent_first_never_came,
        0,
        (*OPENED, "exchange.shipped"),
    ),
    Story("exchange given up", given_up, CREDIT, (*OPENED, *JUDGED, *PAID)),
    Story("replacement", replacement, 0, _GIVEN),
)
