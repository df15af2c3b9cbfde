"""The statements of one refund, taken from the service itself: asked, claimed, sent, settled.

Every transaction of it runs for real inside one that is rolled back at the end, and is noted as it
would have been sent; the provider answers at once. Played again by bare asyncpg, that is the floor
under the time of a refund: the same SQL without HTTP, Python and a bank.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from bench.open_return import Noted, Statement
from returns_api.config import Settings
from returns_api.db.engine import Database, Transaction
from returns_api.db.idempotency import Claim
from returns_api.domain.events import By
from returns_api.ports.payments import (
    PaymentAccount,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)
from returns_api.usecases import refunds, transfers
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases.context import Context
from returns_api.usecases.once import Answer, Keyed, once
from returns_api.usecases.refunds import RefundWish
from returns_api.wiring import running_context


class Rehearsal(Database):
    """Transactions of a run that never happened."""

    def __init__(self, url: str) -> None:
        super().__init__(url, pool_size=2)
        self.notes: list[Statement] = []
        self._held: Any = None

    @asynccontextmanager
    async def run_through(self) -> AsyncIterator[None]:
        """All transactions of the block in one, taken back at its end."""
        async with self.pool.acquire() as self._held:
            await self._held.execute("BEGIN")
            try:
                yield
            finally:
                await self._held.execute("ROLLBACK")

    @asynccontextmanager
    async def transaction(
        self, shop: UUID, *, savepoint: bool = False
    ) -> AsyncIterator[Transaction]:
        settings = f"SET LOCAL app.shop = '{shop}'" + ("; SAVEPOINT work" if savepoint else "")
        self.notes.append(("execute", f"BEGIN; {settings}", ()))
        await self._held.execute(settings)
        yield Transaction(Noted(self._held, self.notes), shop)  # type: ignore[arg-type]
        self.notes.append(("execute", "COMMIT", ()))


class _AtOnce:
    """The service's own adapter, but for the call."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def refund(self, _account: PaymentAccount, request: RefundRequest) -> ProviderRefund:
        return ProviderRefund(
            provider_refund_id=f"re_{request.reference}",
            provider_payment_id=request.provider_payment_id,
            amount_minor=request.amount_minor,
            currency=request.currency,
            status=RefundStatus.SUCCEEDED,
            reference=request.reference,
        )


async def rehearse(
    settings: Settings, shop: UUID, person: UUID, orders: list[UUID], amount_minor: int
) -> list[list[Statement]]:
    """The statements of one refund on each of the orders, exactly as the service sends them."""
    database = Rehearsal(settings.app_address)
    await database.open()
    found = []
    async with running_context(settings, pool_size=1, database=database) as (real, _):
        at_once = {**real.payments, "stripe": _AtOnce(real.payments["stripe"])}
        ctx = replace(real, payments=at_once)
        for order in orders:
            database.notes = []
            async with database.run_through():
                await _refund(ctx, shop, person, order, amount_minor)
            found.append(database.notes)
    await database.close()
    return found


async def _refund(ctx: Context, shop: UUID, person: UUID, order: UUID, amount_minor: int) -> None:
    made: list[UUID] = []

    async def work(tx: Transaction) -> RefundView:
        by = By("finance", person)
        return await refunds.create_refund(
            tx, ctx, by, order, RefundWish(kind="manual", amount_minor=amount_minor)
        )

    def answer(view: RefundView) -> Answer:
        made.extend(move["id"] for move in view.transfers)
        return Answer(202, b"x" * 1500)

    key = ctx.new_id().bytes * 2
    await once(ctx, shop, Keyed(Claim(person, key, key), lambda _: None), work, answer)
    for transfer in made:
        await transfers.send_transfer(ctx, shop, transfer)
