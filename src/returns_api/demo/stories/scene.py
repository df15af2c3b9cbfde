"""The scene of one story: a shop of its own with its people, and what the world does to it.

A story tells in one line each what a person does (by what they are offered), what the bank or the
carrier does, and that time passes. No rule of the service is here; whatever a story knows, it read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Final

from returns_api.demo import calls
from returns_api.demo.calls import Json, StepFailed
from returns_api.demo.receiver import Receiver, receiving
from returns_api.demo.stories import orders
from returns_api.demo.stories.messages import all_told
from returns_api.demo.stories.orders import Customer, Goods, Order
from returns_api.demo.stories.people import Person
from returns_api.demo.stories.shop import a_shop
from returns_api.demo.stories.world import World

ANNA: Final = Customer()
GRADE: Final = "sealed"
_numbers = count(1001)


@dataclass(slots=True)
class Scene:
    """``people`` by role; ``taken`` counts every action that somebody was offered and took."""

    world: World
    domain: str
    people: Mapping[str, Person]
    receiver: Receiver
    account: str
    taken: Counter[str]
    orders: list[Order] = field(default_factory=list)
    buyers: list[tuple[Person, Order]] = field(default_factory=list)

    @property
    def agent(self) -> Person:
        return self.people["agent"]

    @property
    def warehouse(self) -> Person:
        return self.people["warehouse"]

    @property
    def finance(self) -> Person:
        return self.people["finance"]

    @property
    def admin(self) -> Person:
        return self.people["admin"]

    # What was before: an order, and who comes with it

    async def order(
        self,
        *goods: Goods,
        buyer: Customer = ANNA,
        days_here: int | None = 3,
        sent: bool = True,
    ) -> Order:
        """An order, paid at the bank; where it was ``sent``, delivered ``days_here`` days ago, or
        on its way where that is None."""
        body = {"amount": orders.total_of(goods), "currency": "eur", "account": self.account}
        (payment,) = (await self.world.bank("payments", body))["ids"]
        name = f"{next(_numbers)}"
        told = orders.document(
            name, goods, buyer, payment, self.world.now, days_here=days_here, sent=sent
        )
        known = await self.admin.put(f"/v1/orders/{name}", told)
        lines = {line["title"]: line["line"] for line in known["lines"]}
        made = Order(f"/v1/orders/{known['order']}", f"#{name}", buyer.email, payment, lines)
        self.orders.append(made)
        return made

    async def buyer(self, order: Order) -> Person:
        """Whoever knows the order's number and e-mail address."""
        person = Person("buyer", self.world.url, self.world.http, "", self.taken)
        await self._log_in(person, order)
        self.buyers.append((person, order))
        return person

    async def bought(self, *goods: Goods, **more: Any) -> tuple[Order, Person]:
        """An order and its buyer."""
        order = await self.order(*goods, **more)
        return order, await self.buyer(order)

    async def recipient(self, code: str) -> Person:
        """Whoever got something as a gift, and has the code of its receipt."""
        person = Person("recipient", self.world.url, self.world.http, "", self.taken)
        entered = await self.people["publishable"].enter("/v1/gift-sessions", {"code": code})
        person.key = entered["token"]
        return person

    # What a buyer asks for

    async def open(
        self,
        buyer: Person,
        order: Order,
        asked: Mapping[str, int],
        *,
        reason: str = "changed_mind",
        resolution: str = "refund",
        method: str = "post",
        wanted: Mapping[str, str] | None = None,
    ) -> str:
        """Ask what can go back, have it quoted, accept the quote; returns the return's address.
        ``wanted`` are other goods, by the title of the line that comes back for them."""
        offers = await buyer.see(f"{order.href}/returnable", reason=reason)
        for line in offers["lines"]:
            (judged,) = line["reasons"]
            if line["title"] in asked and resolution not in judged["resolutions"]:
                raise StepFailed(f"{line['title']} cannot come back for a {resolution}: {judged}")
        lines = [
            {"line": order.lines[name], "quantity": quantity, "reason": reason}
            for name, quantity in asked.items()
        ]
        about = {"order": offers["order"], "resolution": resolution, "method": method}
        quote = await buyer.take("quote", order.href, {**about, "lines": lines})
        extras = [
            await self._extra(buyer, order, line, (wanted or {}).get(line["title"]))
            for line in quote["lines"]
        ]
        terms = {"quote": quote["quote"], "lines": extras}
        made = await buyer.take("open", f"/v1/quotes/{quote['quote']}", terms)
        return f"/v1/returns/{made['return']}"

    # What the carrier and the warehouse do

    async def scan(self, href: str, to: str = "delivered", person: Person | None = None) -> None:
        """The label is there, and the carrier scans the parcel until ``to``."""
        ret = await (person or self.agent).until(
            href, lambda ret: bool(ret["label"] and ret["label"]["tracking"]), "with a label"
        )
        tracking = ret["label"]["tracking"]
        if to in {"failure", "return_to_sender"}:
            await self.world.carrier("scans", {"shipment": tracking, "status": to})
        else:
            await self.world.carrier("walk", {"shipment": tracking, "to": to})
            await self.agent.reach(href, "in_transit")

    async def receive(self, href: str, counts: Mapping[str, int], **more: Any) -> Json:
        """The warehouse counts units in, by the titles of their lines."""
        lines = await self._lines(href)
        counted = [
            {"return_line": lines[name]["return_line"], "quantity": number}
            for name, number in counts.items()
        ]
        body = {"reference": f"dock-{next(_numbers)}", "lines": counted, **more}
        return await self.warehouse.take("receive", href, body)

    async def inspect(
        self, href: str, grades: Mapping[str, Sequence[str]], *, close: bool = False, **unit: Any
    ) -> Json:
        """The warehouse grades units by the titles of their lines; ``close``: no more will come."""
        lines = await self._lines(href)
        units = [
            {
                "return_line": lines[name]["return_line"],
                "grade": grade,
                "sku_seen": orders.sku(name),
                **unit,
            }
            for name, found in grades.items()
            for grade in found
        ]
        return await self.warehouse.take("inspect", href, {"units": units, "close": close})

    async def bring_back(self, href: str, grade: str = GRADE) -> None:
        """The parcel arrives; everything is in it, and is graded alike."""
        await self.scan(href)
        lines = [each for each in (await self._lines(href)).values() if each["state"] == "approved"]
        counts = {line["title"]: line["quantity"] for line in lines}
        await self.receive(href, counts)
        await self.inspect(href, {name: [grade] * number for name, number in counts.items()})

    async def hanging(self, person: Person, href: str, of: str) -> str:
        """Where something that hangs on a return is read: an offer, an exchange, a pickup …"""
        found: set[str] = set()

        def seen(ret: Json) -> bool:
            found.update(d["href"] for d in ret["deadlines"] if d["of"] == of and _stands(d))
            return bool(found)

        await person.until(href, seen, f"with a standing {of}")
        (only,) = found
        return only

    # Time

    async def later(self, **units: float) -> None:
        """Everything that happened is told, and then so much time passes; whoever was logged in
        logs in again."""
        await self.quiet()
        await self.world.forward(timedelta(**units))
        for person, order in self.buyers:
            await self._log_in(person, order)

    async def quiet(self) -> None:
        """Wait until everything that happened is told: by bank and carrier to the service, and by
        the service to the merchant and the buyer. Raises: StepFailed."""
        await calls.until(self._heard, lambda: "bank and carrier were not heard")
        await all_told(self.admin, self.receiver)

    async def _heard(self) -> bool:
        return await self.world.unheard() == 0

    async def _log_in(self, person: Person, order: Order) -> None:
        body = {"number": order.number, "email": order.email}
        person.key = (await self.people["publishable"].enter("/v1/buyer-sessions", body))["token"]

    async def _lines(self, href: str) -> dict[str, Json]:
        found = (await self.warehouse.see(href))["lines"]
        return {line["title"]: line for line in found}

    async def _extra(
        self, buyer: Person, order: Order, line: Mapping[str, Any], wanted: str | None
    ) -> Json:
        """What the buyer adds to a quoted line: the photos that it asks for, the goods wanted."""
        photos = sum(each["minimum"] for each in line["evidence"] if each["kind"] == "photo")
        sent = [await buyer.send_photo(order.href, number) for number in range(photos)]
        extra: Json = {"line": line["line"]}
        extra["evidence"] = [{"kind": "photo", "photo": each["photo"]} for each in sent]
        return extra if wanted is None else {**extra, "wanted": {"sku": orders.sku(wanted)}}


def _stands(deadline: Mapping[str, Any]) -> bool:
    return deadline["state"] in {"open", "paused"}


async def a_scene(stack: AsyncExitStack, world: World) -> Scene:
    """A shop for one story; its server listens until ``stack`` ends."""
    receiver = await stack.enter_async_context(receiving(world.clock))
    taken: Counter[str] = Counter()
    made = await a_shop(world, receiver, taken)
    return Scene(world, made.domain, made.people, receiver, made.account, taken)
