"""Units that end without a return: stopped, turned back, refused, lost, never received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from returns_api.domain import ids
from returns_api.domain.orders import LineFacts, LineKind, OrderSeen, ParcelLine, ParcelSeen
from tests.support.desk import Desk, a_desk, names
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import freight, goods
from tests.support.story_scene import Order


@dataclass
class Case:
    """An order of three coats and a hat with freight, paid 105.00; and the people over HTTP."""

    story: Story
    order: Order
    desk: Desk

    @property
    def path(self) -> str:
        return f"/v1/orders/{ids.encode('ord', self.order.id)}/cancellations"

    def lines(self, **counts: int) -> list[dict[str, Any]]:
        return [
            {"line": ids.encode("li", self.order.lines[name]), "quantity": count}
            for name, count in counts.items()
        ]

    async def cancel(self, who: str = "buyer", **more: Any) -> dict[str, Any]:
        return await self.desk.do(who, self.path, more)

    async def send(self, **counts: int) -> None:
        await self.story.send(self.order.name, counts, parcel=f"f{self.story.clock().timestamp()}")
        self.story.clock.forward(seconds=1)

    async def counts(self) -> dict[str, tuple[int, int, int]]:
        """Shipped, cancelled and claimed units by line."""
        record = await self.story.load(self.order.id)
        return {
            line.external_id: (line.shipped, line.cancelled, line.claimed) for line in record.lines
        }

    async def refunds(self) -> list[tuple[str, int, str]]:
        rows = await self.story.rows("SELECT kind, amount_minor, state FROM refunds ORDER BY id")
        return [tuple(row) for row in rows]

    async def told(self) -> list[str]:
        rows = await self.story.rows(
            "SELECT type FROM events WHERE resource_type = 'cancellation' ORDER BY id"
        )
        return [row["type"].removeprefix("cancellation.") for row in rows]

    async def again(self, shown: Mapping[str, Any], who: str = "agent") -> dict[str, Any]:
        return await self.desk.get(who, f"/v1/cancellations/{shown['cancellation']}")


LINES = (goods("coat", 3000, 3), goods("hat", 1000), freight(500))


@asynccontextmanager
async def a_case(
    story: Story, postgres: PostgresForTests, database: str, *lines: LineFacts, **more: Any
) -> AsyncIterator[Case]:
    order = await story.order(*(lines or LINES), **{"delivered": None, **more})
    async with a_desk(story, postgres.url(database, user=APP_ROLE), order) as desk:
        yield Case(story, order, desk)


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    async with a_case(story, postgres, story_database) as made:
        yield made


async def test_an_order_that_was_stopped_is_refunded_whole_and_once(case: Case) -> None:
    asked = await case.cancel()
    assert (asked["state"], asked["cause"], names(asked)) == (
        "requested", "before_dispatch", ["withdraw"],
    )  # fmt: skip
    assert asked["waiting_for"] == {"who": "agent", "to": "confirm"}
    assert await case.refunds() == []
    nothing_left = await case.desk.send("buyer", case.path, {})
    assert nothing_left.status_code == 409
    assert nothing_left.json()["code"] == "nothing_left_to_return"
    done = await case.desk.follow("agent", await case.again(asked), "confirm", {})
    assert (done["state"], done["actions"], done["waiting_for"]) == ("confirmed", [], None)
    await case.story.drain()
    assert await case.refunds() == [("cancellation", 10500, "succeeded")]
    refund = await case.desk.get("finance", f"/v1/refunds/{done['refund']}")
    assert [part["amount"] for part in refund["parts"]] == [3000, 3000, 3000, 1000, 500]
    again = await case.desk.send("agent", f"/v1/cancellations/{done['cancellation']}/confirm", {})
    assert again.status_code == 409
    assert await case.told() == ["requested", "confirmed"]


async def test_a_part_costs_its_exact_share_and_the_last_part_brings_the_charges(
    story: Story, postgres: PostgresForTests, story_database: str
) -> None:
    """Three coats for 100.00 with a discount of 0.01 and a tip: no part is worth a cent more."""
    lines = (
        goods("coat", 3333, 3, order_discount_minor=1),
        freight(500),
        LineFacts("tip", LineKind.TIP, "Tip", 1, 200, shippable=False),
    )
    async with a_case(story, postgres, story_database, *lines) as case:
        amounts = []
        for _ in range(3):
            asked = await case.cancel(lines=case.lines(coat=1))
            await case.desk.do("agent", f"/v1/cancellations/{asked['cancellation']}/confirm", {})
            amounts.append((await case.refunds())[-1][1])
        assert sorted(amounts[:2]) == [3333, 3333]
        assert amounts[2] == 3332 + 500 + 200
        assert sum(amounts) == sum(p.captured for p in (await story.payments(case.order)).values())
        await story.drain()
        assert {state for _, _, state in await case.refunds()} == {"succeeded"}


async def test_what_left_the_warehouse_meanwhile_is_not_cancelled(case: Case) -> None:
    asked = await case.cancel()
    await case.send(coat=2)
    reduced = await case.again(asked)
    assert [(line["quantity"], line["held"]) for line in reduced["lines"]] == [(3, 1), (1, 1)]
    assert (await case.counts())["coat"] == (2, 1, 0)
    done = await case.desk.follow("agent", reduced, "confirm", {})
    assert (await case.refunds())[0][:2] == ("cancellation", 4000), "nothing for the freight"
    await case.send(coat=1, hat=1)
    over = await case.again(done)
    assert (over["state"], over["overrun"]) == ("confirmed", 2), "sent although it was stopped"
    assert {line.external_id: line.left for line in (await case.story.load(case.order.id)).lines} \
        == {"coat": 2, "hat": 0, "ship": 0}  # fmt: skip
    assert await case.told() == ["requested", "reduced", "confirmed", "overrun"]


async def test_a_request_whose_units_were_all_sent_is_declined(case: Case) -> None:
    asked = await case.cancel(lines=case.lines(hat=1))
    await case.send(coat=3, hat=1)
    over = await case.again(asked)
    assert (over["state"], over["reason"]) == ("declined", "dispatched")
    assert (await case.counts())["hat"] == (1, 0, 0)
    assert (await case.desk.send("buyer", case.path, {})).status_code == 409


async def test_the_shop_says_what_it_could_stop_and_the_buyer_may_think_again(case: Case) -> None:
    asked = await case.cancel()
    path = f"/v1/cancellations/{asked['cancellation']}"
    too_many = await case.desk.send("agent", f"{path}/confirm", {"lines": case.lines(hat=2)})
    assert too_many.status_code == 409
    assert (await case.desk.send("buyer", f"{path}/confirm", {})).status_code == 403
    some = {"lines": case.lines(coat=1)}
    done = await case.desk.do("agent", f"{path}/confirm", some)
    assert [line["held"] for line in done["lines"]] == [1, 0]
    assert (await case.refunds())[0][1] == 3000
    second = await case.cancel()
    assert [line["quantity"] for line in second["lines"]] == [2, 1]
    gone = await case.desk.follow("buyer", second, "withdraw")
    assert (gone["state"], (await case.counts())["coat"]) == ("withdrawn", (0, 1, 0))
    third = await case.cancel(lines=case.lines(hat=1))
    refused = await case.desk.follow(
        "agent", await case.again(third), "decline", {"reason": "too_late"}
    )
    assert (refused["state"], refused["reason"]) == ("declined", "too_late")


async def test_silence_confirms_what_nobody_sent_once(case: Case) -> None:
    await case.cancel()
    await case.story.drain(days=2)
    await case.story.drain(days=2)
    assert await case.told() == ["requested", "confirmed"]
    assert await case.refunds() == [("cancellation", 10500, "succeeded")]


async def test_units_that_the_platform_takes_out_are_those_that_were_cancelled(case: Case) -> None:
    """The order edit that follows a cancellation does not count a second time."""
    asked = await case.cancel(lines=case.lines(coat=2))
    await case.desk.do("agent", f"/v1/cancellations/{asked['cancellation']}/confirm", {})
    facts = case.story.facts(case.order)
    coat, *others = facts.lines
    edited = replace(
        facts, updated_at=case.story.clock(), lines=(replace(coat, removed=2), *others)
    )
    await case.story.see(OrderSeen(edited))
    assert (await case.counts())["coat"] == (0, 0, 0)
    await case.send(coat=1, hat=1)
    record = await case.story.load(case.order.id)
    assert {line.external_id: line.left for line in record.lines}["coat"] == 1
    assert await case.told() == ["requested", "confirmed"]


async def test_nobody_gets_a_unit_twice_however_many_ask_at_once(case: Case) -> None:
    """Twelve requests for single coats and the parcel of one, all at once: two are stopped."""

    async def one() -> httpx.Response:
        return await case.desk.send("buyer", case.path, {"lines": case.lines(coat=1)})

    answers, _ = await asyncio.gather(
        asyncio.gather(*(one() for _ in range(12))), case.send(coat=1)
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    held = [
        (await case.again(answer.json()))["lines"][0]["held"]
        for answer in answers
        if answer.status_code == 201
    ]
    assert (await case.counts())["coat"] == (1, sum(held), 0)
    assert sum(held) == 2


async def test_a_recalled_parcel_pays_when_it_is_back(case: Case) -> None:
    await case.send(coat=3, hat=1)
    (parcel,) = (await case.story.load(case.order.id)).parcels
    wish = {"cause": "recalled", "parcel": parcel.external_id}
    assert (
        await case.desk.send("buyer", case.path, {"cause": "recalled"})
    ).status_code == 409 or 422
    asked = await case.cancel(**wish)
    assert asked["waiting_for"] == {"who": "agent", "to": "turn_back"}
    assert (await case.counts())["coat"] == (3, 0, 3), "nobody can return them meanwhile"
    path = f"/v1/cancellations/{asked['cancellation']}"
    assert (await case.desk.send("agent", f"{path}/confirm", {})).status_code == 409
    coming = await case.desk.follow("agent", await case.again(asked), "turn_back")
    assert (coming["state"], await case.refunds()) == ("coming_back", [])
    await case.story.drain(days=31)
    back = await case.desk.follow("warehouse", await case.again(asked, "warehouse"), "receive")
    assert back["state"] == "confirmed"
    assert (await case.refunds())[0][1] == 10500
    assert await case.told() == ["requested", "coming_back", "overdue", "confirmed"]


async def test_a_recall_that_nobody_answers_leaves_the_goods_to_be_returned(case: Case) -> None:
    await case.send(coat=3, hat=1)
    (parcel,) = (await case.story.load(case.order.id)).parcels
    asked = await case.cancel(cause="recalled", parcel=parcel.external_id)
    await case.story.drain(days=4)
    over = await case.again(asked)
    assert (over["state"], over["reason"]) == ("declined", "no_answer")
    assert (await case.counts())["coat"] == (3, 0, 0)
    assert await case.refunds() == []


async def test_a_parcel_that_never_came_is_paid_back_unless_the_shop_shows_otherwise(
    case: Case,
) -> None:
    await case.send(coat=3, hat=1)
    (parcel,) = (await case.story.load(case.order.id)).parcels
    missing: dict[str, Any] = {"parcel": parcel.external_id, "lines": case.lines(hat=1)}
    wish = {"cause": "not_received", **missing}
    lost = {"cause": "lost", **missing}
    assert (await case.desk.send("buyer", case.path, lost)).status_code == 409
    case.story.clock.forward(days=8)
    asked = await case.cancel(**wish)
    shown = await case.desk.follow(
        "agent", await case.again(asked), "decline", {"reason": "delivered"}
    )
    assert (shown["state"], await case.refunds()) == ("declined", [])
    await case.cancel(**wish)
    await case.story.drain(days=15)
    assert await case.refunds() == [("cancellation", 1000, "succeeded")]
    refused = await case.cancel("agent", cause="refused", parcel=parcel.external_id)
    assert refused["state"] == "coming_back"
    assert [line["held"] for line in refused["lines"]] == [3]


async def test_a_parcel_that_its_carrier_gives_up_is_followed_once(case: Case) -> None:
    """Told again and again: refused goods are awaited, lost ones are the shop's to answer for."""
    await case.send(coat=3)
    (parcel,) = (await case.story.load(case.order.id)).parcels
    sent = parcel.shipped_at
    assert sent is not None
    lines = (ParcelLine("coat", 3),)
    seen = ParcelSeen(case.order.name, parcel.external_id, lines, sent, sent, missed="refused")
    for hours in (1, 1, 2):
        later = replace(seen, updated_at=sent + timedelta(hours=hours))
        await case.story.see(later)
    path = f"/v1/cancellations?order={ids.encode('ord', case.order.id)}"
    (found,) = (await case.desk.get("buyer", path))["items"]
    assert (found["cause"], found["state"], found["asked_by"]) == (
        "refused", "coming_back", "system",
    )  # fmt: skip
    await case.desk.follow("warehouse", await case.again(found, "warehouse"), "receive")
    gone = ParcelSeen(case.order.name, "f2", (ParcelLine("hat", 1),), sent, sent, missed="lost")
    await case.story.see(gone)
    lost = (await case.desk.get("agent", path))["items"][0]
    assert (lost["cause"], lost["state"]) == ("lost", "requested")
    await case.desk.follow("agent", lost, "confirm", {})
    await case.story.drain()
    assert [amount for _, amount, _ in await case.refunds()] == [9000, 1000 + 500]
