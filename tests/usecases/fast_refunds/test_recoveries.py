"""F3: money that comes back where the goods do not: told once, paid in parts, given up by two."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import (
    ActionNotAllowed,
    ApprovalChanged,
    DoesNotFit,
    DuplicateReference,
    NotEnoughCredit,
    OwnApproval,
)
from returns_api.usecases import recoveries, recovery_decisions, returns
from returns_api.usecases.advances import carry_advance, due_advances
from tests.support.early_money import (
    advance,
    books,
    credit_of,
    do,
    never_came,
    recovery,
    sent,
    used,
)
from tests.support.story import Story
from tests.support.story_orders import BUYER


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
    await story.limit(write_off_above=60_00)
    with pytest.raises(ActionNotAllowed):
        await do(story, view, recovery_decisions.give_up, action, 1_00, "gone", role=Role.ADMIN)
    await story.limit(write_off_above=50_00)
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
