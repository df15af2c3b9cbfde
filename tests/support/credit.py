"""Store credit as tests move it: given, spent, undone, recovered, looked at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.domain.access import Principal, Role
from returns_api.domain.events import By
from returns_api.usecases import store_credits
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases.store_credits import CreditView
from tests.support.story import Story
from tests.support.story_scene import Order

NEWEST = UUID(int=2**128 - 1)


Row = Any


async def present(story: Story, order: Order, amount: int, **more: Any) -> UUID:
    """Goodwill as store credit; the account."""
    view = await story.refund(order, amount, kind="goodwill", to="store_credit", **more)
    return account_of(view)


def account_of(view: RefundView) -> UUID:
    (account,) = {move["store_credit_id"] for move in view.transfers}
    return UUID(str(account))


async def debit(
    story: Story, account: UUID, amount: int, reference: str | None = None, by: Role = Role.AGENT
) -> Row:
    who = story.who(by)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        return await store_credits.spend(
            tx, story.ctx, By(who.role.value, who.credential_id), account,
            amount_minor=amount, client_reference=reference, reference="#1",
        )  # fmt: skip


async def undo(story: Story, account: UUID, movement: UUID, amount: int | None = None) -> Row:
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        return await store_credits.give_back(
            tx, story.ctx, By("agent"), account, movement, amount_minor=amount, reference=None
        )


async def recover(story: Story, account: UUID, amount: int) -> tuple[int, int]:
    async with story.ctx.database.transaction(story.shop) as tx:
        found = await store_credits.recover(
            tx, story.ctx, By("finance"), account, amount_minor=amount, reference=None
        )
    return found.taken_minor, found.owed_minor


async def view(story: Story, account: UUID, by: Principal | None = None) -> CreditView:
    return await store_credits.get_credit(story.ctx, by or story.finance, account)


async def left(story: Story, account: UUID) -> int:
    return int((await view(story, account)).account["balance_minor"])
