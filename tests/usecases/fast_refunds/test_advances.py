"""F2: money before the goods are seen, never above a cap.

The books say where the money is: what is advanced stands in ``advance`` until goods cover it or a
recovery ends, and every audit of the shop finds nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from returns_api.domain.access import Role
from returns_api.ports.errors import ProviderRejected
from returns_api.usecases import recoveries, returns
from returns_api.usecases.audits import audit_shop
from returns_api.worker import sweep
from tests.support.early_money import AT_ONCE, advance, books, credit_of, do, recovery, sent, used
from tests.support.gates import Gate
from tests.support.postgres import PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import BUYER, goods


async def test_the_first_scan_pays_and_the_inspection_settles(story: Story) -> None:
    order, ret = await sent(story)
    given = await advance(story, ret)
    assert (given.state, given.amount_minor) == ("outstanding", 100_00 - 4_90)
    assert await used(story) == {"buyer": 95_10, "shop_day": 95_10}
    await story.drain()
    assert (await story.again(ret)).refunded_minor == 95_10
    assert (await books(story, order))["advance"] == 95_10
    await story.bring_back(ret)
    ret = await story.again(ret)
    assert (ret.state, (await advance(story, ret)).state) == ("completed", "settled")
    assert await used(story) == {"buyer": 0, "shop_day": 95_10}
    after = await books(story, order)
    assert (after.get("advance"), after["merchant"]) == (None, -4_90)
    assert await story.rows("SELECT id FROM recoveries") == []
    assert await story.happened(given.id) == ["advance.granted", "advance.settled"]


async def test_a_second_scan_pays_nothing_more(story: Story) -> None:
    order, ret = await sent(story)
    await story.scan(ret, "in_transit", story.clock.forward(hours=1))
    await story.scan(ret, "delivered", story.clock.forward(hours=1))
    await story.drain()
    assert (await books(story, order))["advance"] == 95_10


async def test_a_buyer_s_own_word_is_no_scan(story: Story) -> None:
    order = await story.order(goods("lamp", 100_00))
    ret = await story.open(order, {"lamp": 1}, method="post")
    await story.act(ret, returns.shipping, story.who(Role.BUYER, order))
    assert (await story.view(ret)).early is None
    await story.drain()
    await story.scan(ret, "in_transit")
    assert (await advance(story, ret)).state == "outstanding"


async def test_beyond_a_cap_the_money_comes_as_ever(story: Story) -> None:
    for _ in range(3):
        await sent(story, 90_00)
    order, late = await sent(story, 90_00)
    declined = await advance(story, late)
    assert (declined.state, declined.reason) == ("declined", "buyer_cap")
    assert await story.happened(declined.id) == ["advance.declined"]
    assert (await used(story))["buyer"] == 3 * 85_10
    await story.bring_back(late)
    await story.drain()
    late = await story.again(late)
    assert (late.state, late.refunded_minor) == ("completed", 85_10)
    assert "advance" not in await books(story, order)


@pytest.mark.parametrize(
    "story_policy",
    ["{at: first_scan, per_buyer: 900.00, per_day: 100.00, recover_within: 9 days}"],
    indirect=True,
)
async def test_a_shop_s_day_begins_anew(story: Story) -> None:
    await sent(story, 90_00)
    _, over = await sent(story, 90_00)
    assert (await advance(story, over)).reason == "shop_cap"
    story.clock.forward(days=1)
    _, ret = await sent(story, 90_00)
    assert (await advance(story, ret)).state == "outstanding"


@pytest.mark.parametrize("story_policy", [AT_ONCE], indirect=True)
async def test_money_on_request(story: Story) -> None:
    order = await story.order(goods("lamp", 100_00))
    view = await story.accept(order, await story.quote(order, {"lamp": 1}, method="post"))
    assert view.early is not None
    assert (view.early.advance.state, len(view.refunds)) == ("outstanding", 1)
    costly = await story.order(goods("sofa", 200_00 * 3))
    ret = await story.open(costly, {"sofa": 1}, method="post")
    assert (await story.view(ret)).early is None, "it waits for a person"
    await story.act(ret, returns.approving(None))
    assert (await advance(story, ret)).reason == "buyer_cap"


@pytest.mark.parametrize("how", ["guest", "cash", "approval"])
async def test_what_cannot_go_out_at_once_waits(story: Story, how: str) -> None:
    more: dict[str, Any] = {}
    if how == "guest":
        more = {"buyer": replace(BUYER, customer_id=None, email=None)}
    if how == "cash":
        more = {"gateways": ["cash"]}
    if how == "approval":
        await story.limit(return_above=1_00)
    order = await story.order(goods("lamp", 100_00), **more)
    ret = await story.open(order, {"lamp": 1}, method="post")
    await story.drain()
    await story.scan(ret, "in_transit")
    reasons = {
        "guest": "unknown_buyer",
        "cash": "payments_do_not_cover_it",
        "approval": "needs_approval",
    }
    reason = reasons[how]
    assert (await advance(story, ret)).reason == reason


async def test_nothing_is_settled_while_the_outcome_is_unknown(story: Story) -> None:
    await story.bank.script("reset_after")
    order, ret = await sent(story)
    await story.drain()
    await story.bring_back(ret)
    assert (await story.again(ret)).state == "inspected"
    await story.drain(minutes=2)
    await story.drain(minutes=20)
    assert (await story.again(ret)).state == "completed"
    assert (await advance(story, ret)).applied_minor == 95_10
    assert "advance" not in await books(story, order)


async def test_an_advance_that_failed_is_no_advance(story: Story) -> None:
    gate = Gate(story.ctx.payments["stripe"])
    gate.refusals["refund"] = [ProviderRejected("card_gone", "the card is gone")]
    order, ret = await sent(story)
    await sweep.drain(replace(story.ctx, payments={"stripe": gate}))
    await story.bring_back(ret)
    settled = await advance(story, ret)
    assert (settled.state, settled.never_paid_minor) == ("settled", 95_10)
    assert (await used(story))["buyer"] == 0
    await story.drain()
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor) == ("completed", 95_10)
    assert await books(story, order) == {"merchant": -4_90, "clearing": 4_90}


async def test_a_late_failure_is_owed_like_any_refund(story: Story) -> None:
    order, ret = await sent(story)
    await story.drain()
    await story.bring_back(ret)
    (made,) = await story.provider_list(order)
    await story.bank.settle(made.provider_refund_id, "failed")
    await story.provider_tells(order)
    assert (await story.again(ret)).state == "refunding"
    assert (await books(story, order))["buyer"] == -95_10
    (refund,) = (await story.view(ret)).refunds
    await story.cancel(refund["id"])
    assert await books(story, order) == {"merchant": -100_00, "clearing": 100_00}


async def test_shipping_counts_once_whatever_became_of_an_advance(story: Story) -> None:
    _, ret = await sent(story)
    await story.drain()
    await story.bring_back(ret)
    parts = (await story.rows("SELECT parts FROM advances"))[0]["parts"]
    assert sum(part["amount"] for part in parts) == 95_10


async def test_as_many_advances_as_fit_under_the_cap(story: Story) -> None:
    """20 first scans at once, each 85.10, for one buyer with 300.00: three, never a cent above."""
    parcels = []
    for _ in range(20):
        order = await story.order(goods("lamp", 90_00))
        parcels.append(await story.open(order, {"lamp": 1}, method="post"))
    await story.drain()
    await asyncio.gather(*(story.scan(ret, "in_transit") for ret in parcels))
    states = [(await advance(story, ret)).state for ret in parcels]
    assert (states.count("outstanding"), states.count("declined")) == (3, 17)
    assert await used(story) == {"buyer": 3 * 85_10, "shop_day": 3 * 85_10}
    await story.drain()
    paid = await story.rows("SELECT sum(refunded_minor)::bigint AS paid FROM returns")
    assert paid[0]["paid"] == 3 * 85_10


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "UPDATE recoveries SET paid_minor = paid_minor + {by}",
            {"parts of a recovery", "ledger of advances", "counters of fast refunds"},
        ),
        (
            "UPDATE advances SET applied_minor = applied_minor + {by}",
            {"parts of an advance"},
        ),
        (
            "UPDATE fast_refund_caps SET used_minor = used_minor - {by} WHERE kind = 'buyer'",
            {"counters of fast refunds"},
        ),
        (
            "UPDATE recovery_steps SET amount_minor = amount_minor + {by} WHERE kind = 'debited'",
            {"parts of a recovery", "recovery paid by store credit"},
        ),
    ],
)
async def test_an_audit_names_an_advance_that_does_not_add_up(
    story: Story, postgres: PostgresForTests, story_database: str, statement: str, found: set[str]
) -> None:
    order, ret = await sent(story)
    await story.drain()
    await story.bring_back(ret, "used_worn")
    view = await recovery(story, ret)
    await do(story, view, recoveries.record_payment, 1_00, "wire", None)
    await do(story, view, recoveries.debit_credit, await credit_of(story, 30_00), 2_00)
    await books(story, order)
    owner = await asyncpg.connect(postgres.url(story_database))
    await owner.execute("SET session_replication_role = replica")  # past what guards the tables
    await owner.execute(statement.format(by=1))
    audited = await audit_shop(story.ctx, story.shop)
    assert {name.partition(" ")[2] for name in audited.tally.counts} == found
    await owner.execute(statement.format(by=-1))
    await owner.close()
