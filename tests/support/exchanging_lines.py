"""A shop, its people over HTTP, and one return whose lines are exchanged each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from returns_api.domain import ids
from tests.support.desk import Desk
from tests.support.story import Story
from tests.support.story_scene import Order

FREIGHT, SHIPPING = 4_90, 3_90


LATE = "  - id: late\n    when: {goods: late}\n    resolutions: {exchange: 1 year}\n  - id: house\n"


@dataclass
class Case:
    """A shop, its people over HTTP, and one order of a shirt and a coat."""

    story: Story
    order: Order
    desk: Desk
    ret: dict[str, Any] = field(default_factory=dict)

    async def open(
        self, wanted: Mapping[str, Any], *, method: str = "post", **more: Any
    ) -> dict[str, dict[str, Any]]:
        """Open one return of both lines; what the buyer sees of their exchanges, by line."""
        answer = await self.try_to_open(wanted, method=method, **more)
        assert answer.status_code == 201, answer.text
        self.ret = answer.json()
        return await self.seen()

    async def try_to_open(
        self, wanted: Mapping[str, Any], *, method: str = "post", **more: Any
    ) -> Any:
        proofs = more.pop("proofs", {})
        asked = dict.fromkeys(wanted, 1)
        quote = await self.story.quote(
            self.order, asked, method=method, **{"resolution": "exchange", **more}
        )
        lines = [
            {
                "line": ids.encode("li", self.order.lines[name]),
                "evidence": proofs.get(name, []),
                **({} if goods_ is None else {"wanted": goods_}),
            }
            for name, goods_ in wanted.items()
        ]
        body = {"quote": ids.encode("qt", quote.id), "lines": lines}
        return await self.desk.send("buyer", "/v1/returns", body)

    async def seen(self, who: str = "buyer") -> dict[str, dict[str, Any]]:
        """The exchanges as one list, by the names of their lines."""
        lines = {each["return_line"]: each["title"] for each in self.ret["lines"]}
        found = (await self.desk.get(who, self.ret["exchange"]))["items"]
        return {lines[each["return_line"]]: each for each in found}

    async def follow(self, who: str, line: str, action: str, body: Any = None) -> dict[str, Any]:
        return await self.desk.follow(who, (await self.seen(who))[line], action, body)

    async def bring_back(self, **grades: str) -> None:
        lines = {each["title"]: each["return_line"] for each in self.ret["lines"]}
        path = f"/v1/returns/{self.ret['return']}"
        counted = [{"return_line": lines[name], "quantity": 1} for name in grades]
        await self.desk.do("warehouse", f"{path}/receipts", {"reference": "r", "lines": counted})
        units = [{"return_line": lines[name], "grade": grade} for name, grade in grades.items()]
        await self.desk.do("warehouse", f"{path}/inspections", {"units": units})

    async def state(self) -> str:
        shown = await self.desk.get("buyer", f"/v1/returns/{self.ret['return']}")
        return str(shown["state"])

    async def refunds(self) -> list[tuple[str, int, str]]:
        rows = await self.story.rows("SELECT kind, amount_minor, state FROM refunds ORDER BY id")
        return [(row["kind"], row["amount_minor"], row["state"]) for row in rows]
