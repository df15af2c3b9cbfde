"""A gift counts for its goods and no more, and comes back by a receipt that still opens returns."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk
from tests.support.gifts import (
    GIFT_POLICY,
    accounts,
    desk,
    given,
    hold,
    record,
    terms,
    wanted,
)
from tests.support.quoted import outside
from tests.support.story import Story
from tests.support.story_orders import freight, goods
from tests.support.story_scene import Order

__all__ = ["desk"]

PAID = (40_00, 172_45)


@pytest.fixture
def story_policy() -> str:
    return GIFT_POLICY.replace(
        "resolutions: {refund: 2 years}", "resolutions: {refund: 2 years, store_credit: 2 years}"
    ).replace("    evidence: {photo: 1}\n", "")


@pytest.fixture
async def coats(story: Story) -> Order:
    """Two for 200.01 less 10.01, sent for 22.45; paid by a gift card of another system first."""
    await story.credit_terms(gateways=["gift_card"])
    lines = (goods("coat", 100_01, 2, order_discount_minor=10_02), freight(22_45))
    return await story.order(*lines, paid=PAID, gateways=["gift_card", "card"])


async def test_a_gift_counts_for_its_goods_alone(story: Story, coats: Order, desk: Desk) -> None:
    """Faulty ones too: the buyer's own quote has what the way there cost besides; and it is
    credited to the cent, less what the grade takes off, whichever payment it came from."""
    await hold(desk, (await given(desk, coats))["code"])
    asked = wanted(coats)
    asked["lines"][0]["reason"] = "defective"
    faulty = await desk.do("holder", "/v1/gift/quotes", asked)
    own = await story.quote(
        coats, {"coat": 1}, resolution="store_credit", reason="defective", method=faulty["method"]
    )
    assert own.body["total"] - faulty["credit"]["total"] == 22_45
    assert faulty["credit"]["total"] == 95_00
    opened = await desk.follow("holder", faulty, "open", terms(faulty))
    await story.bring_back(await record(story, opened), "damaged_buyer")
    shown = await desk.get("holder", f"/v1/gift/returns/{opened['return']}")
    assert shown["credit"] == {"expected": 95_00, "credited": 47_50}
    assert [balance for _, _, balance in await accounts(story)] == [47_50]
    payments = await story.payments(coats)
    assert [payments[name].refunded for name in ("p0", "p1")] == [40_00, 7_50]


async def test_a_quote_that_outlives_its_receipt_opens_nothing(
    story: Story, coats: Order, desk: Desk
) -> None:
    """Revoked in between, or over; and no unit is brought back that went back elsewhere since."""
    receipts = [await given(desk, coats, **more) for more in ({}, {"lasts_days": 1}, {})]
    quotes = {}
    for name, receipt in zip(("gone", "over", "good"), receipts, strict=True):
        await hold(desk, receipt["code"], name)
        quotes[name] = await desk.do(name, "/v1/gift/quotes", wanted(coats))
    path = f"/v1/gift-receipts/{receipts[0]['gift_receipt']}"
    assert (await desk.people["buyer"].delete(path)).status_code == 204
    refused = await desk.send("gone", "/v1/gift/returns", terms(quotes["gone"]))
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    story.clock.forward(hours=23, minutes=30)
    for name, receipt in (("over", receipts[1]), ("good", receipts[2])):
        await hold(desk, receipt["code"], name)
    story.clock.forward(minutes=31)
    refused = await desk.send("over", "/v1/gift/returns", terms(quotes["over"]))
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    await outside(story, coats, "coat", 2)
    refused = await desk.send("good", "/v1/gift/returns", terms(quotes["good"]))
    assert refused.json()["code"] == "nothing_left_to_return"
    assert (await story.load(coats.id)).lines[0].claimed == 0
