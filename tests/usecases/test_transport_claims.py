"""Parcels that stall or get lost, and insured freight: named once, claimed once, in the books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from returns_api.domain.orders import PersonErased
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shipments import STALLED_AFTER
from tests.support.desk import Desk, a_desk, names, ret_path
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

LONG = STALLED_AFTER + timedelta(hours=1)


@pytest.fixture
def story_policy() -> str:
    """Orders with the tag ``insured`` have a cover of 4.00 for return freight, 0.50 excess."""
    insured = "  - id: covered\n    when: {tags: insured}\n    freight_insurance: "
    return POLICY.replace(
        "  - id: light\n", insured + "{cover: 4.00, excess: 0.50}\n  - id: light\n", 1
    )


@dataclass
class Case:
    """A return with a label, and the people over HTTP."""

    story: Story
    order: Order
    ret: ReturnRecord
    desk: Desk

    async def claim(self, who: str = "agent") -> dict[str, Any]:
        path = f"/v1/transport-claims?return={ret_path(self.ret.id).rsplit('/', 1)[1]}"
        (found,) = (await self.desk.get(who, path))["items"]
        return dict(found)

    async def balances(self) -> dict[str, int]:
        """What carriers and insurers owe, and what they paid (minor units)."""
        shown = await self.desk.get("finance", "/v1/ledger-balances")
        kept = {"carrier", "insurer", "cash"}
        return {
            each["account"]: each["balance"]
            for each in shown["items"]
            if each["account"] in kept and each["balance"]
        }

    async def told(self, type_: str) -> list[Any]:
        rows = await self.story.rows("SELECT data FROM events WHERE type = $1", type_)
        return [row["data"] for row in rows]


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    order = await story.order(goods("coat", 9900), tags=("insured",))
    ret = await story.open(order, {"coat": 1})
    await story.drain()
    url = postgres.url(story_database, user=APP_ROLE)
    async with a_desk(story, url, order) as desk:
        yield Case(story, order, ret, desk)


async def desk_sees(case: Case, who: str) -> list[str]:
    """What somebody may do with the return."""
    return names(await case.desk.get(who, ret_path(case.ret.id)))


async def test_a_stalled_parcel_is_named_once_with_a_cause(case: Case) -> None:
    """Every scan moves the moment, also one that moves no state."""
    story, start = case.story, case.story.clock()
    await story.scan(case.ret, "in_transit", start)
    await story.scan(case.ret, "out_for_delivery", start + timedelta(days=3))
    await story.drain(seconds=LONG.total_seconds())
    assert await case.told("shipment.stalled") == []
    staff, buyer = await desk_sees(case, "agent"), await desk_sees(case, "buyer")
    assert ("claim_parcel" in staff, "claim_parcel" in buyer) == (True, False)
    for _ in range(3):
        await story.drain(days=3)
    (told,) = await case.told("shipment.stalled")
    assert told["cause"] == "delivery_attempt_without_result"
    await story.scan(case.ret, "in_transit", story.clock())
    await story.scan(case.ret, "delivered", story.clock())
    await story.drain(seconds=LONG.total_seconds())
    assert len(await case.told("shipment.stalled")) == 1


async def test_a_lost_parcel_is_claimed_and_its_payment_stands_in_the_books(case: Case) -> None:
    story, desk = case.story, case.desk
    await story.scan(case.ret, "in_transit", story.clock())
    await story.scan(case.ret, "failure", story.clock() + timedelta(hours=1))
    claim = await case.claim()
    assert (claim["against"], claim["cause"], claim["state"]) == ("carrier", "lost", "opened")
    assert claim["claimed"] == case.ret.expected_minor
    assert names(claim) == ["submit", "withdraw"]
    sent = await desk.follow("agent", claim, "submit", {"reference": "NF-1"})
    assert (sent["state"], sent["reference"]) == ("submitted", "NF-1")
    for_finance = await case.claim("finance")
    too_much = {"amount": claim["claimed"] + 1}
    path = f"/v1/transport-claims/{claim['claim']}"
    assert (await desk.send("finance", f"{path}/accept", too_much)).status_code == 409
    assert (await desk.send("agent", f"{path}/accept", {})).status_code == 403
    owed = await desk.follow("finance", for_finance, "accept", {"amount": 5000})
    assert await case.balances() == {"carrier": 5000}
    paid = await desk.follow("finance", owed, "pay", {"reference": "wire 17"})
    assert (paid["state"], paid["accepted"]) == ("paid", 5000)
    assert await case.balances() == {"cash": 5000}
    shown = await desk.get("finance", ret_path(case.ret.id))
    links = {each["action"]: each["href"] for each in shown["actions"]}
    assert links["refund"] == "/v1/refunds", "the buyer did nothing wrong"
    buyer = await desk.people["buyer"].get(path)
    assert buyer.status_code == 403
    seen = await desk.get("buyer", ret_path(case.ret.id))
    assert not any(each["of"] == "transport claim" for each in seen["deadlines"])


async def test_a_carrier_that_takes_its_word_back(case: Case) -> None:
    path = f"{ret_path(case.ret.id)}/transport-claims"
    body = {"cause": "damaged", "amount": 700}
    claim = await case.desk.do("agent", path, body)
    assert (await case.desk.send("agent", path, body)).status_code == 409
    await case.desk.follow("agent", claim, "submit", {"reference": "NF-2"})
    owed = await case.desk.follow("finance", await case.claim("finance"), "accept", {})
    assert await case.balances() == {"carrier": 700}
    over = await case.desk.follow("finance", owed, "reject", {"note": "They will not."})
    assert (over["state"], over["accepted"], over["actions"]) == ("rejected", None, [])
    assert await case.balances() == {}
    assert (await case.claim())["note"] == "They will not."
    await case.story.see(PersonErased(None, None, (case.order.name,)))
    assert (await case.claim())["note"] is None


async def test_a_parcel_that_shows_up_is_not_claimed_until_it_is_lost_again(case: Case) -> None:
    story, start = case.story, case.story.clock()
    for hours, (status, state) in enumerate(
        (("in_transit", None), ("failure", "opened"), ("in_transit", "withdrawn"),
         ("failure", "opened"), ("delivered", "withdrawn"))
    ):  # fmt: skip
        await story.scan(case.ret, status, start + timedelta(hours=hours))
        if state is not None:
            assert (await case.claim())["state"] == state
    assert await case.balances() == {}


async def test_insured_freight_is_claimed_once_up_to_the_cover_less_the_excess(case: Case) -> None:
    """Of 4.90 paid, 4.00 are covered and 0.50 stay: the buyer gets 3.50."""
    story = case.story
    await story.bring_back(case.ret)
    await story.drain()
    claim = await case.claim()
    assert (claim["against"], claim["claimed"]) == ("insurer", 350)
    await case.desk.follow("agent", claim, "submit", {"reference": "INS-1"})
    owed = await case.desk.follow("finance", await case.claim("finance"), "accept", {})
    assert await case.balances() == {"insurer": 350}
    await story.drain()
    amounts = await story.rows("SELECT amount_minor, state FROM refunds ORDER BY id")
    assert [(row["amount_minor"], row["state"]) for row in amounts] == [
        (9900 - 490, "succeeded"),
        (350, "succeeded"),
    ]
    again = await case.desk.send("finance", f"/v1/transport-claims/{claim['claim']}/accept", {})
    assert again.status_code == 409
    await case.desk.follow("finance", owed, "pay", {"reference": "wire 18"})
    assert await case.balances() == {"cash": 350}
    await story.drain(days=3)
    assert len(await story.rows("SELECT id FROM transport_claims")) == 1
