"""One return, all the way: order in, quote, label, parcel, inspection, money, webhook out.

Every step is one or a few HTTP calls to the running service, the bank or the carrier, timed from
its first byte to the moment its effect can be seen over HTTP. The journey holds the keys that a
storefront, a warehouse and a finance person would hold, and no other way in; where an answer offers
``actions``, it follows their links.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import httpx

from returns_api.demo import calls, platform
from returns_api.demo.calls import CALL_SECONDS, STEP_SECONDS, Json, StepFailed, read, until
from returns_api.demo.receiver import Receiver, receiving
from returns_api.demo.target import Step, Target

REASON: Final = "size_too_small"
TOLD: Final = {"refund.succeeded", "return.completed"}


@dataclass(slots=True)
class Journey:
    """What the walk has learnt so far; ``seen`` grows by one entry per finished step."""

    target: Target
    http: httpx.AsyncClient
    receiver: Receiver
    seen: list[Step] = field(default_factory=list)
    order_id: int = 0
    payment: str = ""
    order: Json = field(default_factory=dict)
    buyer: str = ""
    quote: Json = field(default_factory=dict)
    ret: Json = field(default_factory=dict)
    refund: Json = field(default_factory=dict)
    endpoint: str = ""
    bank: Json = field(default_factory=dict)

    async def walk(self) -> Json:
        """All steps in order; returns the figures. Raises ``StepFailed``, httpx's errors."""
        for name, step in self._steps():
            begun = time.perf_counter()
            try:
                note = await step()
            except StepFailed as failed:
                raise StepFailed(f"{name}: {failed}") from None
            self.seen.append(Step(name, round((time.perf_counter() - begun) * 1000), note))
        return self._figures()

    async def clean_up(self) -> None:
        """Take the receiver's endpoint away again: nobody listens there any more."""
        if self.endpoint:
            await self._call("DELETE", f"/v1/admin/webhook-endpoints/{self.endpoint}", "admin")

    def _steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        return [
            ("merchant's endpoint for webhooks", self._register),
            ("payment captured at the bank", self._pay),
            ("order webhook from the shop platform", self._order_in),
            ("fulfilment and delivery webhooks", self._ship_out),
            ("buyer session", self._session),
            ("what can go back", self._returnable),
            ("binding quote", self._quote),
            ("return opened", self._open),
            ("label bought at the carrier", self._label),
            ("parcel scanned until delivered", self._parcel),
            ("units counted in", self._receive),
            ("units inspected, refund due", self._inspect),
            ("money sent by the worker", self._sent),
            ("settled by the bank's webhook", self._settled),
            ("webhooks at the merchant, verified", self._told),
            ("bank's ledger counted", self._count),
        ]

    async def _register(self) -> str:
        body = {"url": self.receiver.url, "topics": ["refund.*", "return.*"]}
        made = await self._call("POST", "/v1/admin/webhook-endpoints", "admin", body)
        self.endpoint = made["id"]
        self.receiver.trust(made["secret"])
        return self.endpoint

    async def _pay(self) -> str:
        body = {
            "amount": platform.TOTAL_MINOR,
            "currency": "eur",
            "account": self.target.bank_account,
        }
        made = await calls.control(self.http, self.target.bank_url, "payments", body)
        self.payment = made["ids"][0]
        return self.payment

    async def _order_in(self) -> str:
        now = datetime.now(UTC)
        self.order_id = platform.new_order_id(now)
        await self._hook("orders/create", platform.order(self.order_id, self.payment, now))
        number = platform.number(self.order_id)

        async def known() -> bool:
            found = await self._call("GET", "/v1/orders", "agent", params={"number": number})
            self.order = next(iter(found["items"]), {})
            return bool(self.order)

        await until(known, lambda: "the order did not appear")
        return f"{number} {self.order['order']}"

    async def _ship_out(self) -> str:
        now = datetime.now(UTC)
        await self._hook("fulfillments/create", platform.fulfillment(self.order_id, now))
        await self._hook("fulfillment_events/create", platform.delivery(self.order_id, now))

        async def delivered() -> bool:
            path = f"/v1/orders/{self.order['order']}"
            self.order = await self._call("GET", path, "agent")
            goods = [line for line in self.order["lines"] if line["kind"] == "goods"]
            return all(line["delivered"] == line["ordered"] for line in goods)

        await until(delivered, lambda: "the goods were not seen as delivered")
        return f"{len(self.order['parcels'])} parcel"

    async def _session(self) -> str:
        body = {"number": platform.number(self.order_id), "email": platform.EMAIL}
        made = await self._call("POST", "/v1/buyer-sessions", "publishable", body)
        self.buyer = made["token"]
        return f"until {made['expires_at']}"

    async def _returnable(self) -> str:
        path = f"/v1/orders/{self.order['order']}/returnable"
        found = await self._call("GET", path, "buyer")
        line = self._jacket(found["lines"])
        offer = next((each for each in line["reasons"] if each["reason"] == REASON), None)
        if line["left"] != 1 or offer is None or not offer["eligible"]:
            raise StepFailed(f"the jacket cannot go back: {offer}")
        return f"{line['title']}, until {offer['until_local']}"

    async def _quote(self) -> str:
        line = self._jacket(self.order["lines"])
        body = {
            "order": self.order["order"],
            "lines": [{"line": line["line"], "quantity": 1, "reason": REASON}],
            "method": "post",
        }
        self.quote = await self._call("POST", "/v1/quotes", "buyer", body)
        return _money(self.quote["refund"]["total"], self.quote["currency"])

    async def _open(self) -> str:
        body = {"quote": self.quote["quote"], "lines": []}
        self.ret = await self._call("POST", "/v1/returns", "buyer", body)
        if self.ret["state"] != "approved":
            raise StepFailed(f"the policy did not approve it: {self.ret['state']}")
        return f"{self.ret['number']} {self.ret['return']}"

    async def _label(self) -> str:
        await self._until_return(lambda ret: ret["label"]["state"] == "label_ready", "no label")
        label = self.ret["label"]
        return f"{label['carrier']} {label['tracking']}"

    async def _parcel(self) -> str:
        body = {"shipment": self.ret["label"]["tracking"], "to": "delivered"}
        await calls.control(self.http, self.target.carrier_url, "walk", body)
        await self._until_return(
            lambda ret: ret["state"] == "in_transit" and ret["label"]["state"] == "delivered",
            "the scans did not move the return",
        )
        return "in_transit"

    async def _receive(self) -> str:
        line = self.ret["lines"][0]["return_line"]
        body = {"reference": "dock-1/1", "lines": [{"return_line": line, "quantity": 1}]}
        made = await self._follow("receive", body)
        return str(made["receipt"])

    async def _inspect(self) -> str:
        unit = {
            "return_line": self.ret["lines"][0]["return_line"],
            "grade": "opened_unused",
            "disposition": "restock",
            "sku_seen": platform.SKU,
        }
        # The bank says "pending" first, so that its own webhook is what settles the money.
        await calls.control(
            self.http, self.target.bank_url, "script", {"script": [{"fault": "pending"}]}
        )
        made = await self._follow("inspect", {"units": [unit]})
        return str(made["state"])

    async def _sent(self) -> str:
        async def moved() -> bool:
            self.bank = await self._ledger()
            return bool(self.bank["references"])

        await until(moved, lambda: "the bank was not asked for the refund")
        return ", ".join(self.bank["references"])

    async def _settled(self) -> str:
        await self._until_return(
            lambda ret: ret["state"] == "completed", "the money did not settle"
        )
        path = f"/v1/refunds/{self.ret['money']['refunds'][0]}"
        self.refund = await self._call("GET", path, "finance")
        if self.refund["state"] != "succeeded":
            raise StepFailed(f"the refund is {self.refund['state']}")
        return _money(self.refund["amount"], self.refund["currency"])

    async def _told(self) -> str:
        told = await self.receiver.wait_for(TOLD, self.ret["return"], STEP_SECONDS)
        if set(told) != TOLD or self.receiver.refused:
            raise StepFailed(f"told {told}, {self.receiver.refused} with a wrong signature")
        return f"{len(self.receiver.events)} messages"

    async def _count(self) -> str:
        """Exactly one movement, of exactly what was quoted, under our own reference."""
        self.bank = await self._ledger()
        paid = self.bank["payments"][self.payment]
        expected = self.quote["refund"]["total"]
        references = {
            name: (each["made"], each["net_minor"])
            for name, each in self.bank["references"].items()
        }
        ours = {transfer["transfer"]: (1, expected) for transfer in self.refund["transfers"]}
        if paid["refunds"] != 1 or paid["refunded_minor"] != expected or references != ours:
            raise StepFailed(f"expected {ours}, the bank has {references} and {paid}")
        return f"1 movement of {_money(expected, self.quote['currency'])}"

    def _figures(self) -> Json:
        return {
            "return": self.ret["return"],
            "refund": self.refund["refund"],
            "expected_minor": self.quote["refund"]["total"],
            "bank_movements": self.bank["payments"][self.payment]["refunds"],
            "bank_refunded_minor": self.bank["payments"][self.payment]["refunded_minor"],
            "webhooks_verified": len(self.receiver.events),
        }

    def _jacket(self, lines: list[Json]) -> Json:
        for line in lines:
            if line["title"].startswith("Field jacket"):
                return line
        raise StepFailed("the order has no jacket")

    async def _until_return(self, done: Callable[[Json], bool], otherwise: str) -> None:
        async def seen() -> bool:
            self.ret = await self._call("GET", f"/v1/returns/{self.ret['return']}", "buyer")
            return done(self.ret)

        await until(seen, lambda: otherwise)

    async def _follow(self, action: str, body: Json) -> Json:
        """Do what the return's own links offer to the warehouse."""
        ret = await self._call("GET", f"/v1/returns/{self.ret['return']}", "warehouse")
        for offered in ret["actions"]:
            if offered["action"] == action:
                return await self._call(offered["method"], offered["href"], "warehouse", body)
        raise StepFailed(f"'{action}' is not among {[each['action'] for each in ret['actions']]}")

    async def _call(
        self,
        method: str,
        path: str,
        role: str,
        body: Json | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Json:
        """One call as ``role``."""
        key = self.buyer if role == "buyer" else self.target.keys[role]
        return await calls.call(self.http, method, self.target.url + path, key, body, params)

    async def _hook(self, topic: str, body: Json) -> None:
        raw, headers = platform.signed(topic, body, self.target.shopify_secret, datetime.now(UTC))
        read(await self.http.post(self.target.hooks["shopify"], content=raw, headers=headers))

    async def _ledger(self) -> Json:
        url = f"{self.target.bank_url}/_control/ledger"
        return read(await self.http.get(url, params={"payment": self.payment}))


@asynccontextmanager
async def journey(target: Target) -> AsyncIterator[Journey]:
    """A journey that is ready to be walked, with its own receiver; cleaned up afterwards."""
    async with (
        receiving() as receiver,
        httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False) as http,
    ):
        made = Journey(target, http, receiver)
        try:
            yield made
        finally:
            await made.clean_up()


def _money(minor: int, currency: str) -> str:
    return f"{minor / 100:.2f} {currency}"
