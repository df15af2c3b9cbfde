"""A payment that a buyer made beside the order's counts once in the shop, whatever it paid for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from returns_api.domain import ids
from tests.support.desk import Desk, a_desk
from tests.support.early_money import FAST, never_came, with_policy
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import Story, with_repairs
from tests.support.story_orders import goods
from tests.support.story_scene import Order

PRICES: Final = {"look": {"kind": "inspection", "title": "Inspection", "price": 15_00}}
POINT: Final = {
    "name": "Repairs", "street1": "Werkstr. 2", "city": "Leipzig", "postcode": "04109",
    "country": "DE",
}  # fmt: skip


@dataclass(frozen=True)
class Owed:
    """What a buyer owes the shop, and where it is told that they paid it."""

    desk: Desk
    kind: str
    name: str
    path: str
    amount: int

    async def pay(self, reference: str) -> httpx.Response:
        body = {"amount": self.amount, "reference": reference}
        return await self.desk.send("finance", f"{self.path}/payments", body)


@dataclass(frozen=True)
class Shop:
    story: Story
    desk: Desk
    order: Order

    async def exchange(self) -> Owed:
        """Goods that cost more than what came back."""
        exchange = await self._opened("exchange", {"wanted": {"sku": "SKU-larger"}})
        there = {"in_stock": True, "unit_price": 120_00}
        path = f"/v1/exchanges/{exchange['exchange']}"
        await self.desk.do("agent", f"{path}/answer", there)
        await self.desk.do("buyer", f"{path}/accept")
        await self._back(exchange["return"])
        due = (await self.desk.get("finance", path))["money"]["due"]
        return Owed(self.desk, "exchange", exchange["exchange"], path, due)

    async def repair(self) -> Owed:
        """Goods that nobody covers, mended."""
        repair = await self._opened("repair", {}, why="other")
        await self._back(repair["return"])
        path = f"/v1/repairs/{repair['repair']}"
        await self.desk.do("agent", f"{path}/quote", {"positions": [{"code": "look"}]})
        await self.desk.do("buyer", f"{path}/accept")
        due = (await self.desk.do("agent", f"{path}/finish"))["money"]["due"]
        return Owed(self.desk, "repair", repair["repair"], path, due)

    async def recovery(self) -> Owed:
        """A refund that went out before the goods, which never came."""
        _, _, view = await never_came(self.story)
        name = ids.encode("rcv", view.recovery.id)
        open_minor = view.recovery.open_minor
        return Owed(self.desk, "recovery", name, f"/v1/recoveries/{name}", open_minor)

    async def _opened(
        self, resolution: str, extras: dict[str, Any], why: str = "size_too_small"
    ) -> dict[str, Any]:
        li = ids.encode("li", self.order.lines["lamp"])
        asked = {
            "order": ids.encode("ord", self.order.id),
            "lines": [{"line": li, "quantity": 1, "reason": why}],
            "resolution": resolution,
            "method": "in_store",
        }
        quote = await self.desk.do("buyer", "/v1/quotes", asked)
        body = {"quote": quote["quote"], "lines": [{"line": li, **extras}]}
        opened = await self.desk.do("buyer", "/v1/returns", body)
        (made,) = (await self.desk.get("buyer", opened[resolution]))["items"]
        return dict(made)

    async def _back(self, ret: str) -> None:
        path = f"/v1/returns/{ret}"
        here = (await self.desk.get("agent", path))["lines"][0]["return_line"]
        counted = {"reference": "dock", "lines": [{"return_line": here, "quantity": 1}]}
        await self.desk.do("warehouse", f"{path}/receipts", counted)
        units = [{"return_line": here, "grade": "sealed"}]
        await self.desk.do("warehouse", f"{path}/inspections", {"units": units})


@pytest.fixture
def story_policy() -> str:
    return with_repairs(with_policy(FAST))


@pytest.fixture
async def shop(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Shop]:
    order = await story.order(goods("lamp", 100_00, 2))
    await story.repairs(address=POINT, prices=PRICES)
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        yield Shop(story, desk, order)


Owing = Callable[[Shop], Awaitable[Owed]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Shop.exchange, Shop.repair),
        (Shop.repair, Shop.recovery),
        (Shop.recovery, Shop.exchange),
    ],
)
async def test_what_paid_for_one_thing_pays_for_no_other(
    shop: Shop, first: Owing, second: Owing
) -> None:
    one, other = await first(shop), await second(shop)
    assert (await one.pay("pi_1")).status_code == 200
    refused = await other.pay("pi_1")
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate_reference")
    assert refused.json()[one.kind] == one.name, "it says what was paid by it"
    assert (await other.pay("pi_2")).status_code == 200


async def test_of_two_that_tell_one_payment_at_once_one_is_refused(shop: Shop) -> None:
    owed = [await shop.exchange(), await shop.repair(), await shop.recovery()]
    answers = await asyncio.gather(*(each.pay("pi_1") for each in owed))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    rows = await shop.story.rows(
        "SELECT payment_reference FROM exchanges WHERE payment_reference IS NOT NULL UNION ALL"
        " SELECT payment_reference FROM repairs WHERE payment_reference IS NOT NULL UNION ALL"
        " SELECT reference FROM recovery_steps WHERE reference IS NOT NULL"
    )
    assert [row["payment_reference"] for row in rows] == ["pi_1"]
