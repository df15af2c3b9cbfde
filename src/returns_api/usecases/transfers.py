"""The job behind every movement of money: claim, ask the provider, record what it said.

Three steps, two transactions, and none of them open while we wait. The claim counts the try before
it runs; the provider's key is the transfer's own id and never changes; the outcome is written only
where the same try still holds the transfer, so a paused worker that wakes up late changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from returns_api.crashpoints import crashpoint
from returns_api.db import connections as connection_rows
from returns_api.db import refunds as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.refunds import (
    TransferChange,
    TransferRecord,
    after_absence,
    after_fact,
    after_refused_connection,
    after_silence,
    must_look_up_first,
    still_waiting,
    unchanged,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    PaymentProvider,
    ProviderRefund,
    RefundRequest,
)
from returns_api.usecases._connections import open_account
from returns_api.usecases._refunds import move_transfer
from returns_api.usecases.context import Context

_ERROR_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Try:
    """One claimed try: what to ask, of whom."""

    transfer: TransferRecord
    kind: str
    provider: PaymentProvider
    account: PaymentAccount
    request: RefundRequest
    provider_refund_id: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a try came to. ``fact`` is the provider's own evidence; else, why not."""

    fact: ProviderRefund | None = None
    rejected: ProviderRejected | None = None
    unavailable: ProviderUnavailable | None = None
    absent: bool = False
    error: str | None = None

    @property
    def name(self) -> str:
        if self.fact is not None:
            return self.fact.status.value
        if self.rejected is not None:
            return "rejected"
        if self.unavailable is not None:
            return "unavailable"
        return "absent" if self.absent else "unknown"


async def send_transfer(ctx: Context, shop: UUID, transfer_id: UUID) -> None:
    """Carry a due transfer one step on; nothing happens when it is not due or in other hands."""
    claimed = await _claim(ctx, shop, transfer_id)
    if claimed is None:
        return
    crashpoint("W2")
    outcome = await (_send(claimed) if claimed.kind == "send" else _look_up(claimed))
    crashpoint("W4" if claimed.kind == "send" else "W7")
    crashpoint("W8")
    await _record(ctx, shop, claimed, outcome)
    crashpoint("W6")


async def due_transfers(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Transfers over all shops whose time has come: the repair of a lost wake-up."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def _claim(ctx: Context, shop: UUID, transfer_id: UUID) -> Try | None:
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        row = await rows.claim(tx, transfer_id, now, now + ctx.lease)
        if row is None:
            return None
        connection = await connection_rows.by_source(tx, row["account"])
        provider = None if connection is None else ctx.payments.get(connection["adapter"])
        if connection is None or provider is None:
            await _give_up(tx, ctx, rows.record(row))
            return None
        kind = _kind(rows.record(row), now, provider)
        await rows.start_attempt(tx, transfer_id, row["attempt"], kind, now)
    crashpoint("W1")
    transfer = rows.record(row)
    return Try(
        transfer=replace(transfer, state="sending") if kind == "send" else transfer,
        kind=kind,
        provider=provider,
        account=open_account(ctx, connection),
        request=_request(row),
        provider_refund_id=row["provider_refund_id"],
    )


def _kind(transfer: TransferRecord, now: datetime, provider: PaymentProvider) -> str:
    """Send only what was never sent, or what the provider still knows by its key."""
    if transfer.state not in {"queued", "sending"}:
        return "look_up"
    window = provider.capabilities.idempotency_window
    return "look_up" if must_look_up_first(transfer, now, window) else "send"


def _request(row: Row) -> RefundRequest:
    return RefundRequest(
        reference=ids.encode("trf", row["id"]),
        idempotency_key=row["provider_key"],
        provider_payment_id=row["provider_payment_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
    )


async def _send(claimed: Try) -> Outcome:
    try:
        return Outcome(fact=await claimed.provider.refund(claimed.account, claimed.request))
    except ProviderRejected as rejected:
        return Outcome(rejected=rejected, error=str(rejected))
    except ProviderUnavailable as unavailable:
        return Outcome(unavailable=unavailable, error=str(unavailable))
    except OutcomeUnknown as unknown:
        return Outcome(error=str(unknown) or "no answer")


async def _look_up(claimed: Try) -> Outcome:
    """Ask what became of it. A look-up that fails tells nothing, so the wait goes on."""
    try:
        fact = await claimed.provider.look_up(
            claimed.account, claimed.request, claimed.provider_refund_id
        )
    except (ProviderRejected, ProviderUnavailable, OutcomeUnknown) as failure:
        return Outcome(error=str(failure) or "no answer")
    return Outcome(fact=fact, absent=fact is None)


def _change(transfer: TransferRecord, outcome: Outcome, now: datetime) -> TransferChange:
    """What the outcome of a try means for the transfer (pure)."""
    if outcome.fact is not None:
        return after_fact(transfer, outcome.fact.status.value, now, outcome.fact.failure_code)
    if transfer.state in {"pending", "requires_action"}:
        return still_waiting(transfer, now)
    if transfer.state not in {"queued", "sending", "unknown"}:
        return unchanged(transfer)
    return _without_evidence(transfer, outcome, now)


def _without_evidence(transfer: TransferRecord, outcome: Outcome, now: datetime) -> TransferChange:
    if outcome.rejected is not None:
        return after_fact(transfer, "failed", now, outcome.rejected.code)
    if outcome.unavailable is not None:
        return after_refused_connection(transfer, now, outcome.unavailable.retry_after)
    return after_absence(transfer, now) if outcome.absent else after_silence(transfer, now)


async def _record(ctx: Context, shop: UUID, claimed: Try, outcome: Outcome) -> None:
    now, transfer_id = ctx.clock(), claimed.transfer.id
    async with ctx.database.transaction(shop) as tx:
        row = await rows.lock_transfer(tx, transfer_id)
        if row is None or row["attempt"] != claimed.transfer.attempt:
            return
        await rows.finish_attempt(
            tx, transfer_id, row["attempt"], now, outcome.name, (outcome.error or "")[:_ERROR_MAX]
        )
        transfer = rows.record(row)
        events, jobs = await move_transfer(
            tx,
            ctx,
            transfer,
            _change(transfer, outcome, now),
            provider_refund_id=outcome.fact.provider_refund_id if outcome.fact else None,
        )
        crashpoint("W5")
        if events or jobs:
            await emit(tx, events, jobs)
    ctx.wake()


async def _give_up(tx: Transaction, ctx: Context, transfer: TransferRecord) -> None:
    """The connection is gone: a person must look. The money stays reserved."""
    change = replace(after_silence(transfer, ctx.clock()), state="needs_review", due_at=None)
    events, _ = await move_transfer(
        tx, ctx, transfer, replace(change, failure_code="no_provider_connection")
    )
    if events:
        await emit(tx, events)
