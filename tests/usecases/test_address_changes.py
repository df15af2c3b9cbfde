"""Another address for what was not sent yet: told without it, answered, and forgotten."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from returns_api.domain import ids
from returns_api.domain.orders import PersonErased
from tests.support.desk import Desk, a_desk, names
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

ADDRESS = {
    "name": "Anna Weber", "street1": "Neue Gasse 2", "street2": None, "city": "Bern",
    "region": None, "postcode": "3000", "country": "CH", "phone": None,
}  # fmt: skip


@dataclass
class Case:
    """An order of two coats that was not sent, and the people over HTTP."""

    story: Story
    order: Order
    desk: Desk

    @property
    def path(self) -> str:
        return f"/v1/orders/{ids.encode('ord', self.order.id)}/address-changes"

    async def ask(self, **other: Any) -> dict[str, Any]:
        return await self.desk.do("buyer", self.path, {"address": {**ADDRESS, **other}})

    async def read(self, shown: dict[str, Any], who: str = "agent") -> dict[str, Any]:
        return await self.desk.get(who, f"/v1/address-changes/{shown['address_change']}")

    async def told(self) -> list[tuple[str, str]]:
        rows = await self.story.rows(
            "SELECT type, data::text AS data FROM events"
            " WHERE resource_type = 'address_change' ORDER BY id"
        )
        return [(row["type"].removeprefix("address_change."), row["data"]) for row in rows]


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    order = await story.order(goods("coat", 3000, 2), delivered=None)
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        yield Case(story, order, desk)


async def test_the_shop_hears_of_it_without_the_address_and_applies_it(case: Case) -> None:
    asked = await case.ask()
    assert (asked["state"], asked["address"], names(asked)) == ("requested", None, ["withdraw"])
    second = await case.desk.send("buyer", case.path, {"address": ADDRESS})
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    seen = await case.read(asked)
    assert (seen["address"], names(seen)) == (ADDRESS, ["apply", "decline", "withdraw"])
    done = await case.desk.follow("agent", seen, "apply")
    assert (done["state"], done["actions"]) == ("applied", [])
    told = await case.told()
    assert [kind for kind, _ in told] == ["requested", "applied"]
    for _, data in told:
        assert not {"Gasse", "Anna", "3000"} & set(json.dumps(data).replace('"', " ").split())
    erased = PersonErased(None, None, (case.order.name,))
    await case.story.see(erased)
    assert (await case.read(asked))["address"] is None
    since = await case.ask()
    assert (await case.read(since))["address"] == ADDRESS, "the buyer's session outlives that"
    await case.story.see(erased)
    assert (await case.read(since))["address"] is None, "who asks again is heard again"


async def test_it_has_to_be_in_time_and_in_the_country(case: Case) -> None:
    abroad = await case.desk.send("buyer", case.path, {"address": {**ADDRESS, "country": "DE"}})
    assert (abroad.status_code, abroad.json()["code"]) == (409, "does_not_fit")
    gone = await case.desk.follow("buyer", await case.ask(), "withdraw")
    assert gone["state"] == "withdrawn"
    late = await case.ask()
    await case.story.drain(days=2)
    assert ((await case.read(late))["state"], (await case.read(late))["reason"]) == (
        "declined", "no_answer",
    )  # fmt: skip
    refused = await case.desk.follow(
        "agent", await case.read(await case.ask()), "decline", {"reason": "not_possible"}
    )
    assert (refused["state"], refused["reason"]) == ("declined", "not_possible")
    await case.story.send(case.order.name, {"coat": 2})
    sent = await case.desk.send("buyer", case.path, {"address": ADDRESS})
    assert (sent.status_code, sent.json()["code"]) == (409, "conflict")
