"""A shop, its people over HTTP, and an order whose goods are exchanged; what the shop answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from returns_api.domain import ids
from tests.support.desk import Desk
from tests.support.story import Story
from tests.support.story_scene import Order

SHIRT, COAT = 20_00, 90_00


LARGER: Final = {"sku": "SKU-larger"}


THERE: Final = {"in_stock": True}


ALTERNATIVES: Final = [
    {"kind": "variant", "sku": "SKU-navy", "title": "In navy", "unit_price": 20_00},
    {"kind": "upgrade", "variant": "v-9", "title": "Of silk", "unit_price": 35_00},
    {"kind": "store_credit"},
]


@dataclass
class Case:
    """A shop, its people over HTTP, and one order of two shirts and a coat, paid in two parts."""

    story: Story
    order: Order
    desk: Desk
    ret: dict[str, Any] = field(default_factory=dict)

    async def open(
        self,
        line: str = "shirt",
        count: int = 1,
        *,
        resolution: str = "exchange",
        wanted: Mapping[str, str] | None = LARGER,
        **more: Any,
    ) -> dict[str, Any]:
        """Open a return for other goods; what the buyer then sees of its exchange."""
        answer = await self.try_to_open(line, count, resolution=resolution, wanted=wanted, **more)
        assert answer.status_code == 201, answer.text
        self.ret = answer.json()
        shown = await self.desk.get("buyer", self.ret["exchange"])
        (exchange,) = shown["items"]
        return dict(exchange)

    async def try_to_open(
        self,
        line: str,
        count: int,
        *,
        resolution: str,
        wanted: Mapping[str, str] | None,
        method: str = "in_store",
        **more: Any,
    ) -> httpx.Response:
        proofs = more.pop("proofs", [])
        quote = await self.story.quote(
            self.order, {line: count}, resolution=resolution, method=method, **more
        )
        extras = {"line": ids.encode("li", self.order.lines[line]), "evidence": proofs}
        if wanted is not None:
            extras["wanted"] = dict(wanted)
        body = {"quote": ids.encode("qt", quote.id), "lines": [extras]}
        return await self.desk.send("buyer", "/v1/returns", body)

    async def seen(self, who: str, exchange: Mapping[str, Any]) -> dict[str, Any]:
        return await self.desk.get(who, f"/v1/exchanges/{exchange['exchange']}")

    async def follow(
        self, who: str, exchange: Mapping[str, Any], action: str, body: Any = None
    ) -> dict[str, Any]:
        return await self.desk.follow(who, await self.seen(who, exchange), action, body)

    async def answer(self, exchange: Mapping[str, Any], body: Any) -> dict[str, Any]:
        return await self.follow("agent", exchange, "answer", body)

    async def bring_back(self, *grades: str) -> None:
        """Everything comes back, each unit graded."""
        line = self.ret["lines"][0]["return_line"]
        path, count = f"/v1/returns/{self.ret['return']}", len(grades)
        counted = {"reference": "r1", "lines": [{"return_line": line, "quantity": count}]}
        await self.desk.do("warehouse", f"{path}/receipts", counted)
        units = [{"return_line": line, "grade": grade} for grade in grades]
        await self.desk.do("warehouse", f"{path}/inspections", {"units": units})

    async def return_now(self) -> dict[str, Any]:
        return await self.desk.get("buyer", f"/v1/returns/{self.ret['return']}")

    async def refunds(self) -> list[tuple[str, int, str]]:
        rows = await self.story.rows("SELECT kind, amount_minor, state FROM refunds ORDER BY id")
        return [(row["kind"], row["amount_minor"], row["state"]) for row in rows]

    async def exchanged(self) -> list[int]:
        """What goods drew on each payment."""
        return [each.exchanged for each in (await self.story.load(self.order.id)).payments]

    async def books(self) -> dict[str, int]:
        """Amounts of the order's postings by rule."""
        rows = await self.story.rows(
            "SELECT p.rule, sum(p.amount_minor)::int AS amount FROM ledger_postings p"
            " JOIN ledger_entries e ON e.id = p.entry_id WHERE e.order_id = $1 GROUP BY 1",
            self.order.id,
        )
        return {row["rule"]: row["amount"] for row in rows}

    async def told(self, exchange: Mapping[str, Any]) -> list[str]:
        found = ids.decode("exc", exchange["exchange"])
        assert found is not None
        return [name.removeprefix("exchange.") for name in await self.story.happened(found)]
