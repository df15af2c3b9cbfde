"""Money before the goods are seen, as tests look at it: the advance, the books, the recovery."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.db import ledger
from returns_api.domain.access import Role
from returns_api.domain.advances import AdvanceRecord
from returns_api.domain.events import By
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import offers, recoveries
from returns_api.usecases._acting import Acting
from returns_api.usecases._auditing import check_orders
from returns_api.usecases._recovery_views import RecoveryView
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

FAST = "{at: first_scan, per_buyer: 300.00, per_day: 500.00, recover_within: 14 days}"


AT_ONCE = "{at: request, per_buyer: 300.00, per_day: 500.00, recover_within: 9 days}"


def with_policy(refund_at: str) -> str:
    document = POLICY.replace("    refund_at: inspection\n", f"    refund_at: {refund_at}\n")
    assert document != POLICY
    return document


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


async def credit_of(story: Story, amount_minor: int, **more: Any) -> UUID:
    """An account with a present on it, of the person behind another order."""
    order = await story.order(goods("vase", 50_00), **more)
    await story.refund(order, amount_minor, kind="goodwill", to="store_credit")
    (account,) = await story.rows("SELECT id FROM store_credits")
    return UUID(int=account["id"].int)


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
