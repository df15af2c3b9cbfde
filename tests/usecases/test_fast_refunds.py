"""F2, F3: money before the goods are seen, never above a cap, and back where the goods do not come.

The books say where the money is: what is advanced stands in ``advance`` until goods cover it or a
recovery ends, and every audit of the shop finds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from returns_api.db import ledger
from returns_api.domain.access import Role
from returns_api.domain.advances import AdvanceRecord
from returns_api.domain.errors import (
    ActionNotAllowed,
    ApprovalChanged,
    Conflict,
    DoesNotFit,
    DuplicateReference,
    NotEnoughCredit,
    OwnApproval,
)
from returns_api.domain.events import By
from returns_api.domain.returns import ReturnRecord
from returns_api.ports.errors import ProviderRejected
from returns_api.usecases import disputes, offers, recoveries, recovery_decisions, returns
from returns_api.usecases._acting import Acting
from returns_api.usecases._auditing import check_orders
from returns_api.usecases._recovery_views import RecoveryView
from returns_api.usecases.advances import carry_advance, due_advances
from returns_api.usecases.audits import audit_shop
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.postgres import PostgresForTests
from tests.support.story import BUYER, POLICY, Order, Story, goods

FAST = "{at: first_scan, per_buyer: 300.00, per_day: 500.00, recover_within: 14 days}"
AT_ONCE = "{at: request, per_buyer: 300.00, per_day: 500.00, recover_within: 9 days}"


def with_policy(refund_at: str) -> str:
    document = POLICY.replace("    refund_at: inspection\n", f"    refund_at: {refund_at}\n")
    assert document != POLICY
    return document


@pytest.fixture
def story_policy(request: pytest.FixtureRequest) -> str:
    """A shop that lets money go out early; a parameter gives other terms."""
    return with_policy(getattr(request, "param", FAST))


async def sent(story: Story, price: int = 100_00, **more: Any) -> tuple[Order, ReturnRecord]:
    """A return whose parcel the carrier has just scanned."""
    order = await story.order(goods("lamp", price), **more)
    ret = await story.open(order, {"lamp": 1}, method="post")
    await story.drain()
    await story.scan(ret, "in_transit")
    return order, await story.again(ret)


async def advance(story: Story, ret: ReturnRecord) -> AdvanceRecord:
    early = (await story.view(ret)).early
    assert early is not None
    return early.advance


async def books(story: Story, order: Order) -> dict[str, int]:
    async with story.ctx.database.transaction(story.shop) as tx:
        rows = await ledger.balances(tx, story.clock(), order_id=order.id)
        found = await check_orders(tx, [order.id])
    assert [one.sentence for one in found] == []
    kept = {row["account"]: row["balance"] for row in rows if row["balance"]}
    assert sum(kept.values()) == 0
    return kept


async def used(story: Story) -> dict[str, int]:
    async with story.ctx.database.transaction(story.shop) as tx:
        rows = await tx.connection.fetch("SELECT kind, used_minor FROM fast_refund_caps")
    return {row["kind"]: row["used_minor"] for row in rows}


async def recovery(story: Story, ret: ReturnRecord) -> RecoveryView:
    """The return's only recovery."""
    early = (await story.view(ret)).early
    assert early is not None
    assert early.recovery_id is not None
    return await recoveries.get_recovery(story.ctx, story.finance, early.recovery_id)


async def do(
    story: Story, view: RecoveryView, action: Any, *values: Any, role: Role = Role.FINANCE
) -> RecoveryView:
    """Finance (unless another is named) acts on a recovery."""
    person = story.who(role)
    who = Acting(person, By(role.value, person.credential_id), view.recovery.id)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        done: RecoveryView = await action(tx, story.ctx, who, *values)
    return done


async def never_came(story: Story, price: int = 100_00) -> tuple[Order, ReturnRecord, RecoveryView]:
    order, ret = await sent(story, price)
    await story.drain()
    await story.drain(days=15)
    return order, ret, await recovery(story, ret)


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


@pytest.mark.parametrize(("grade", "worth"), [("used_worn", 65_10), ("empty_box", 0)])
async def test_goods_worth_less_are_a_recovery(story: Story, grade: str, worth: int) -> None:
    order, ret = await sent(story)
    await story.drain()
    await story.bring_back(ret, grade)
    seen = (await recovery(story, ret)).recovery
    assert (seen.state, seen.cause, seen.open_minor) == ("open", "worth_less", 95_10 - worth)
    assert (await story.again(ret)).state == "completed"
    assert (await used(story))["buyer"] == 95_10 - worth
    after = await books(story, order)
    assert (after["advance"], after.get("merchant", 0)) == (95_10 - worth, -100_00 + worth)


async def test_goods_that_never_come_are_a_recovery_once(story: Story) -> None:
    order, ret = await sent(story)
    await story.drain()
    given = await advance(story, ret)
    await story.drain(days=13, hours=23)
    assert await due_advances(story.ctx, 10) == []
    story.clock.forward(days=200)
    assert await due_advances(story.ctx, 10) == [(story.shop, given.id)]
    await asyncio.gather(*(carry_advance(story.ctx, story.shop, given.id) for _ in range(8)))
    await story.drain(days=200)
    seen = await recovery(story, ret)
    assert (seen.recovery.cause, seen.recovery.open_minor) == ("not_returned", 95_10)
    assert await story.happened(seen.recovery.id) == ["recovery.opened"]
    assert (await books(story, order))["advance"] == 95_10


async def test_a_lost_parcel_is_not_the_buyer_s_doing(story: Story) -> None:
    _, ret = await sent(story)
    await story.scan(ret, "failure", story.clock.forward(hours=1))
    await story.drain(days=15)
    assert (await recovery(story, ret)).recovery.cause == "lost"


async def test_a_canceled_return_is_due_at_once(story: Story) -> None:
    order, ret = await sent(story)
    await story.drain()
    await story.act(ret, returns.canceling)
    await story.drain()
    assert (await recovery(story, ret)).recovery.open_minor == 95_10
    assert (await books(story, order))["advance"] == 95_10


async def test_the_buyer_pays_in_parts(story: Story) -> None:
    order, _, view = await never_came(story)
    view = await do(story, view, recoveries.request_recovery, None)
    assert view.recovery.state == "requested"
    view = await do(story, view, recoveries.record_payment, 40_00, "wire 1", None)
    assert (view.recovery.state, view.recovery.open_minor) == ("requested", 55_10)
    with pytest.raises(DuplicateReference):
        await do(story, view, recoveries.record_payment, 1_00, "wire 1", None)
    with pytest.raises(DoesNotFit):
        await do(story, view, recoveries.record_payment, 55_11, "wire 2", None)
    view = await do(story, view, recoveries.record_payment, None, "wire 2", None)
    assert (view.recovery.state, len(view.steps)) == ("paid", 2)
    assert (await used(story))["buyer"] == 0
    after = await books(story, order)
    assert (after.get("advance"), after["cash"]) == (None, 95_10)
    with pytest.raises(ActionNotAllowed):
        await do(story, view, recoveries.request_recovery, None)


async def credit_of(story: Story, amount_minor: int, **more: Any) -> UUID:
    """An account with a present on it, of the person behind another order."""
    order = await story.order(goods("vase", 50_00), **more)
    await story.refund(order, amount_minor, kind="goodwill", to="store_credit")
    (account,) = await story.rows("SELECT id FROM store_credits")
    return UUID(int=account["id"].int)


async def test_store_credit_pays_as_far_as_it_goes(story: Story) -> None:
    order, _, view = await never_came(story)
    account = await credit_of(story, 30_00)
    with pytest.raises(NotEnoughCredit) as short:
        await do(story, view, recoveries.debit_credit, account, 30_01)
    assert short.value.context["balance"] == 30_00
    with pytest.raises(DoesNotFit):
        await do(story, view, recoveries.debit_credit, account, 95_11)
    view = await do(story, view, recoveries.debit_credit, account, 10_00)
    view = await do(story, view, recoveries.debit_credit, account, None)
    assert (view.recovery.state, view.recovery.open_minor) == ("open", 65_10)
    assert [(step["kind"], step["amount_minor"]) for step in view.steps] == [
        ("debited", 10_00),
        ("debited", 20_00),
    ]
    with pytest.raises(NotEnoughCredit):
        await do(story, view, recoveries.debit_credit, account, None)
    assert (await used(story))["buyer"] == 65_10
    assert (await books(story, order))["advance"] == 65_10
    told = await story.happened(account)
    assert told == ["store_credit.opened", "store_credit.issued"] + ["store_credit.recovered"] * 2


async def test_only_the_buyer_s_own_credit_pays(story: Story) -> None:
    _, _, view = await never_came(story)
    other = replace(BUYER, customer_id="somebody-else", email="other@example.test")
    account = await credit_of(story, 30_00, buyer=other)
    with pytest.raises(DoesNotFit):
        await do(story, view, recoveries.debit_credit, account, None)


async def test_debits_at_once_take_what_is_there_once(story: Story) -> None:
    order, _, view = await never_came(story)
    account = await credit_of(story, 30_00)
    tries = [do(story, view, recoveries.debit_credit, account, 20_00) for _ in range(6)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(one) for one in done].count(NotEnoughCredit) == 5
    assert (await books(story, order))["advance"] == 75_10


async def test_who_does_not_pay_in_time_is_told_once(story: Story) -> None:
    _, _, view = await never_came(story)
    await do(story, view, recoveries.request_recovery, None)
    await story.drain(days=13)
    await story.drain(days=200)
    seen = (await recoveries.get_recovery(story.ctx, story.finance, view.recovery.id)).recovery
    assert (seen.state, seen.pay_by) == ("open", None)
    told = await story.happened(seen.id)
    assert told == ["recovery.opened", "recovery.requested", "recovery.unpaid"]


@pytest.mark.parametrize(
    ("action", "account", "state"),
    [("write_off", "write_off", "written_off"), ("waive", "goodwill", "waived")],
)
async def test_giving_up_above_the_limit_takes_two(
    story: Story, action: str, account: str, state: str
) -> None:
    await story.limit(write_off_above=50_00)
    order, _, view = await never_came(story)
    view = await do(story, view, recovery_decisions.give_up, action, 50_00, "gone")
    assert view.recovery.open_minor == 45_10
    view = await do(story, view, recovery_decisions.give_up, action, None, "gone")
    assert (view.recovery.state, view.recovery.open_minor) == ("to_approve", 45_10)
    binding = view.recovery.binding
    with pytest.raises(OwnApproval):
        await do(story, view, recovery_decisions.approve_giving_up, binding)
    with pytest.raises(ApprovalChanged):
        await do(story, view, recovery_decisions.approve_giving_up, "0" * 64, role=Role.ADMIN)
    view = await do(story, view, recovery_decisions.decline_giving_up, role=Role.ADMIN)
    assert view.recovery.state == "open"
    view = await do(story, view, recovery_decisions.give_up, action, None, "gone")
    view = await do(
        story, view, recovery_decisions.approve_giving_up, view.recovery.binding, role=Role.ADMIN
    )
    assert (view.recovery.state, view.recovery.open_minor) == (state, 0)
    after = await books(story, order)
    assert (after.get("advance"), after[account]) == (None, 95_10)
    assert view.steps[-1]["approver_id"] == story.who(Role.ADMIN).credential_id


async def at_once(story: Story) -> tuple[Order, ReturnRecord]:
    """A return whose 95.10 went out on request."""
    order = await story.order(goods("lamp", 100_00))
    return order, await story.open(order, {"lamp": 1}, method="post")


async def offer(story: Story, ret: ReturnRecord, amount: int) -> UUID:
    """The shop offers the buyer an amount for keeping the goods."""
    staff = story.who(Role.ADMIN)
    async with story.ctx.database.transaction(story.shop) as tx:
        who = Acting(staff, By("admin", staff.credential_id), ret.id)
        made = await offers.make_offer(tx, story.ctx, who, amount_minor=amount)
    return made.id


async def accept(story: Story, order: Order, offer_id: UUID) -> None:
    buyer = story.who(Role.BUYER, order)
    by = By("buyer", buyer.credential_id)
    async with story.ctx.database.transaction(story.shop) as tx:
        await offers.accept_offer(tx, story.ctx, Acting(buyer, by, offer_id))


@pytest.mark.parametrize("story_policy", [AT_ONCE], indirect=True)
@pytest.mark.parametrize(
    ("amount", "paid", "short"), [(40_00, [], 55_10), (95_10, [], 0), (98_00, [2_90], 0)]
)
async def test_an_agreed_amount_counts_what_was_advanced(
    story: Story, amount: int, paid: list[int], short: int
) -> None:
    order, ret = await at_once(story)
    await story.drain()
    await accept(story, order, await offer(story, ret, amount))
    await story.drain()
    ret = await story.again(ret)
    assert (ret.state, (await advance(story, ret)).state) == ("completed", "settled")
    more = await story.rows("SELECT amount_minor FROM refunds WHERE kind <> 'advance'")
    assert [row["amount_minor"] for row in more] == paid
    assert (await books(story, order)).get("advance", 0) == short
    if short:
        assert (await recovery(story, ret)).recovery.open_minor == short


@pytest.mark.parametrize("story_policy", [AT_ONCE], indirect=True)
async def test_nothing_is_agreed_while_the_advance_is_on_its_way(story: Story) -> None:
    order, ret = await at_once(story)
    made = await offer(story, ret, 40_00)
    with pytest.raises(Conflict):
        await accept(story, order, made)
    await story.drain()
    await accept(story, order, made)


async def test_a_ruling_takes_back_what_was_to_come_back(story: Story) -> None:
    """30.00 are kept for wear and stay with the buyer: awarding them pays nothing."""
    order, ret = await sent(story)
    await story.drain()
    await story.bring_back(ret, "used_worn")
    buyer, judge = story.who(Role.BUYER, order), story.who(Role.PLATFORM)
    async with story.ctx.database.transaction(story.shop) as tx:
        made = await disputes.open_dispute(
            tx, story.ctx, buyer, By("buyer", buyer.credential_id), ret.id,
            claimed_minor=30_00, statement="It came like that.",
        )  # fmt: skip
    await story.drain(days=8)
    async with story.ctx.database.transaction(story.shop) as tx:
        await disputes.rule(
            tx, story.ctx, judge, By("platform", judge.credential_id), made.id,
            award_minor=20_00, reason="Two thirds.", seen=None,
        )  # fmt: skip
    await story.drain(days=8)
    seen = (await recovery(story, ret)).recovery
    assert (seen.state, seen.open_minor, seen.cleared_minor) == ("open", 10_00, 20_00)
    assert len((await story.view(ret)).refunds) == 1
    assert (await books(story, order))["advance"] == 10_00


LATE: list[tuple[str, Callable[[], tuple[Any, ...]], str, dict[str, int]]] = [
    ("open", tuple, "cleared", {"merchant": -4_90, "clearing": 4_90}),
    (
        "paid",
        lambda: (recoveries.record_payment, None, "wire", None),
        "paid",
        {"merchant": -4_90, "cash": 95_10, "buyer": -90_20},
    ),
    (
        "written off",
        lambda: (recovery_decisions.give_up, "write_off", None, "gone"),
        "cleared",
        {"merchant": -4_90, "clearing": 4_90},
    ),
    (
        "partly waived",
        lambda: (recovery_decisions.give_up, "waive", 30_00, "sorry"),
        "cleared",
        {"merchant": -4_90, "clearing": 4_90},
    ),
]


@pytest.mark.parametrize(("name", "done", "state", "expected"), LATE, ids=[c[0] for c in LATE])
async def test_goods_that_come_after_all_count(
    story: Story, name: str, done: Any, state: str, expected: dict[str, int]
) -> None:
    order, ret, view = await never_came(story)
    if made := done():
        await do(story, view, *made)
    await story.bring_back(ret)
    await story.drain()
    assert (await recovery(story, ret)).recovery.state == state
    assert await books(story, order) == expected
    assert (await used(story))["buyer"] == 0
    refunds = (await story.view(ret)).refunds
    assert sum(refund["amount_minor"] for refund in refunds) == 95_10 * (2 if name == "paid" else 1)


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
