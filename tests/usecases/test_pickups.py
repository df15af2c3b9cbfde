"""A courier comes for the parcel: times from the carrier, booked once, missed and booked anew; what
the buyer pays stays what the quote said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import returns
from tests.support.desk import Desk, a_desk, names, ret_path
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

FEE = 790


@pytest.fixture
def story_policy() -> str:
    fees = "return_shipping: {post: 4.90, pickup: 7.90}"
    return POLICY.replace("return_shipping: 4.90", fees).replace(
        "[post, dropoff, in_store]", "[post, pickup]"
    )


@dataclass
class Case:
    """A return for which a courier may come, and the people over HTTP."""

    story: Story
    order: Order
    ret: ReturnRecord
    desk: Desk

    @property
    def path(self) -> str:
        return ret_path(self.ret.id)

    async def slots(self) -> list[dict[str, Any]]:
        return list((await self.desk.get("buyer", f"{self.path}/pickup-slots"))["items"])

    async def booked(self) -> dict[str, Any]:
        """The first time that is offered, booked at the carrier."""
        slot = (await self.slots())[0]
        shown = await self.desk.get("buyer", self.path)
        made = await self.desk.follow("buyer", shown, "book_pickup", {"slot": slot["slot"]})
        await self.story.drain()
        return await self.seen(made)

    async def seen(self, pickup: dict[str, Any]) -> dict[str, Any]:
        return await self.desk.get("buyer", f"/v1/pickups/{pickup['pickup']}")

    async def couriers(self) -> list[tuple[str, int]]:
        """State and number of bookings of the pickups that were booked at the carrier."""
        found = (await self.story.carrier.pickups()).values()
        return sorted((each["status"], each["booked"]) for each in found if each["booked"])


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    order = await story.order(goods("coat", 9900))
    quote = await story.quote(order, {"coat": 1}, method="pickup")
    assert quote.body["methods"] == [
        {"method": "post", "fee": 490},
        {"method": "pickup", "fee": FEE},
    ]
    ret = (await story.accept(order, quote)).ret
    url = postgres.url(story_database, user=APP_ROLE)
    async with a_desk(story, url, order) as desk:
        yield Case(story, order, ret, desk)


async def test_from_the_times_to_the_scan(case: Case) -> None:
    story = case.story
    refused = await case.desk.people["buyer"].get(f"{case.path}/pickup-slots")
    assert refused.status_code == 409, "there is no label yet"
    await story.drain()
    slots = await case.slots()
    assert len(slots) == 4
    pickup = await case.booked()
    assert (pickup["state"], pickup["from"]) == ("booked", slots[0]["from"])
    assert pickup["confirmation"].startswith("PU")
    assert names(pickup) == ["cancel", "miss"]
    assert await case.couriers() == [("scheduled", 1)]
    assert "book_pickup" not in names(await case.desk.get("buyer", case.path))
    await story.scan(case.ret, "in_transit")
    assert (await case.seen(pickup))["state"] == "collected"
    await story.receive(case.ret, {"coat": 1})
    await story.inspect(case.ret, ("coat", "sealed"))
    (row,) = await story.rows("SELECT amount_minor FROM refunds")
    assert row["amount_minor"] == 9900 - FEE, "as quoted, whatever the courier took"


@pytest.mark.parametrize("fault", ["reset_after", "error_after", "garbage", "reset_before"])
async def test_a_courier_is_booked_once_whatever_the_answer(case: Case, fault: str) -> None:
    await case.story.drain()
    await case.story.carrier.script({"fault": fault, "on": "pickup"})
    pickup = await case.booked()
    assert pickup["state"] == "booking"
    await case.story.drain(seconds=5)
    assert (await case.seen(pickup))["state"] == "booked"
    assert await case.couriers() == [("scheduled", 1)]


async def test_a_missed_courier_is_booked_anew(case: Case) -> None:
    """Silence for a day after the time says that nobody came; so does the buyer."""
    story = case.story
    await story.drain()
    first = await case.booked()
    early = await case.desk.send("buyer", f"/v1/pickups/{first['pickup']}/miss")
    assert early.status_code == 409
    after = datetime.fromisoformat(first["until"]) - story.clock() + timedelta(hours=24, seconds=1)
    await story.drain(seconds=after.total_seconds())
    missed = await case.seen(first)
    assert (missed["state"], names(missed)) == ("missed", ["rebook"])
    slot = (await case.slots())[1]
    second = await case.desk.follow("buyer", missed, "rebook", {"slot": slot["slot"]})
    await story.drain()
    assert (await case.seen(first))["state"] == "rebooked"
    assert (await case.seen(second))["state"] == "booked"
    listed = await case.desk.get("buyer", f"{case.path}/pickups")
    assert [each["state"] for each in listed["items"]] == ["booked", "rebooked"]
    over = datetime.fromisoformat(second["until"]) - story.clock() + timedelta(seconds=1)
    story.clock.forward(seconds=over.total_seconds())
    shown = await case.seen(second)
    assert (await case.desk.follow("buyer", shown, "miss"))["state"] == "missed"
    await story.drain(days=7)
    assert (await case.seen(second))["state"] == "lapsed"


async def test_calling_off_and_the_end_of_the_return(case: Case) -> None:
    story = case.story
    await story.drain()
    first = await case.booked()
    assert (await case.desk.follow("buyer", first, "cancel"))["state"] == "canceling"
    await story.drain()
    assert (await case.seen(first))["state"] == "canceled"
    second = await case.booked()
    assert (await case.seen(second))["state"] == "booked"
    await story.act(case.ret, returns.canceling)
    await story.drain()
    assert (await case.seen(second))["state"] == "canceled"
    assert await case.couriers() == [("canceled", 1), ("canceled", 1)]


async def test_only_an_offered_time_can_be_chosen_once_and_in_time(case: Case) -> None:
    await case.story.drain()
    slot, other = (each["slot"] for each in (await case.slots())[:2])
    path = f"{case.path}/pickups"
    for forged in ("gAAAAAB", slot[:-4] + "AAAA", case.story.ctx.sealer.seal("{}").decode()):
        answer = await case.desk.send("buyer", path, {"slot": forged})
        assert answer.status_code == 409, forged
    assert (await case.desk.send("buyer", path, {"slot": slot})).status_code == 201
    assert (await case.desk.send("buyer", path, {"slot": other})).status_code == 409
    shown = (await case.desk.get("buyer", path))["items"][0]
    await case.story.drain()
    await case.desk.follow("buyer", await case.seen(shown), "cancel")
    await case.story.drain()
    assert (await case.desk.send("buyer", path, {"slot": slot})).status_code == 409, "used"
    case.story.clock.forward(hours=2)
    assert (await case.desk.send("buyer", path, {"slot": other})).status_code == 409, "too late"


async def test_a_carrier_that_is_away_offers_nothing_now(case: Case) -> None:
    await case.story.drain()
    await case.story.carrier.script({"fault": "error_before", "on": "prepare_pickup"})
    answer = await case.desk.people["buyer"].get(f"{case.path}/pickup-slots")
    assert answer.status_code == 503
    assert len(await case.slots()) == 4
