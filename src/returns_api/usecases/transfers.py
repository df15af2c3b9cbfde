"""The job behind every movement of money: claim, ask the provider, record what it said.

Three steps, two transactions, and none of them open while we wait. The claim counts the try before
it runs; the provider's key is the transfer's own id and never changes; the outcome is written only
where the same try still holds the transfer, so a paused worker that wakes up late changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.crashpoints import crashpoint
from returns_api.db import attempts
from returns_api.db import transfers as rows
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.refunds import (
    MAX_SENDS,
    OVERDRAWN,
    TransferChange,
    TransferRecord,
    after_absence,
    after_fact,
    after_refused_connection,
    after_silence,
    give_up,
    next_try,
    still_waiting,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    PaymentProvider,
    ProviderRefund,
    RefundRequest,
)
from returns_api.usecases import _health
from returns_api.usecases._connections import open_account
from returns_api.usecases._moves import move_transfer
from returns_api.usecases.context import Context

_ERROR_MAX: Final = 500
_UNDECIDED: Final = frozenset({"queued", "sending", "unknown"})
"""States in which a further try repeats one that came to nothing."""


@dataclass(frozen=True, slots=True)
class Try:
    """One claimed try: what to ask, of whom."""

    transfer: TransferRecord
    kind: str
    provider: PaymentProvider
    account: PaymentAccount
    request: RefundRequest
    provider_refund_id: str | None
    source: str
    """The account's slug."""
    leave: _health.Pass | None = None
    """Leave to call the account, once it was given."""


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

    @property
    def answered(self) -> bool:
        """Whether the provider answered at all, if only to say no."""
        return self.fact is not None or self.rejected is not None or self.absent


async def send_transfer(ctx: Context, shop: UUID, transfer_id: UUID) -> None:
    """Carry a due transfer one step on; nothing happens when it is not due or in other hands."""
    claimed = await _claim(ctx, shop, transfer_id)
    if claimed is None:
        return
    crashpoint("W2")
    with ctx.calls.under_way((shop, claimed.source), ctx.clock()):
        outcome = await (_send(claimed) if claimed.kind == "send" else _look_up(claimed))
    crashpoint("W4" if claimed.kind == "send" else "W7")
    crashpoint("W8")
    await _record(ctx, shop, claimed, outcome)
    crashpoint("W6")


async def due_transfers(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Transfers over all shops whose time has come: the repair of a lost wake-up."""
    found = await ctx.database.sweep(attempts.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def _claim(ctx: Context, shop: UUID, transfer_id: UUID) -> Try | None:
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        row = await attempts.take(tx, transfer_id, now)
        if row is None:
            return None
        no, until = row["attempt"], now + ctx.lease
        connection = attempts.connection_of(row)
        claimed = _plan(ctx, row, connection, now)
        if isinstance(claimed, Try):
            assert connection is not None
            retry = no > 1 and row["state"] in _UNDECIDED
            leave = await _health.admit(tx, ctx, connection, transfer_id, retry=retry)
            if isinstance(leave, datetime):
                await attempts.postpone(tx, transfer_id, leave)
                return None
            claimed = replace(claimed, leave=leave)
            await attempts.start(tx, transfer_id, no, claimed.kind, now, until)
        else:
            await attempts.count(tx, transfer_id, no, now, until)
            held = await rows.lock(tx, transfer_id)
            assert held is not None
            await move_transfer(tx, ctx, held, claimed)
            return None
    crashpoint("W1")
    return claimed


def _plan(
    ctx: Context, row: Row, connection: Mapping[str, Any] | None, now: datetime
) -> Try | TransferChange:
    """The next try of a claimed transfer, or why there is none (pure but for unsealing)."""
    transfer = rows.record(row)
    provider = None if connection is None else ctx.payments.get(connection["adapter"])
    account = None if connection is None else _account(ctx, connection)
    if provider is None or account is None:
        return give_up(transfer, "no_provider_connection")
    can = provider.capabilities
    kind = next_try(
        transfer,
        now,
        idempotency_window=can.idempotency_window,
        can_look_up=can.lookup_by_reference or row["provider_refund_id"] is not None,
    )
    if kind == "wait":
        return still_waiting(transfer, now)
    if kind == "give_up":
        return give_up(transfer, "outcome_unknown")
    if kind == "send" and transfer.first_sent_at is None and row["overdrawn"]:
        # Money went back elsewhere since this was reserved: sending it too would pay twice (S9).
        return give_up(transfer, OVERDRAWN)
    if transfer.state == "sending" and transfer.attempt > MAX_SENDS:
        return give_up(transfer, "every_worker_died")
    return Try(
        transfer=replace(transfer, state="sending") if kind == "send" else transfer,
        kind=kind,
        provider=provider,
        account=account,
        request=_request(row),
        provider_refund_id=row["provider_refund_id"],
        source=row["account"],
    )


def _account(ctx: Context, connection: Mapping[str, Any]) -> PaymentAccount | None:
    """None when the stored secret cannot be opened any more."""
    try:
        return open_account(ctx, connection)
    except ValueError:
        return None


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


def _change(transfer: TransferRecord, outcome: Outcome, now: datetime) -> TransferChange | None:
    """What the outcome of a try means for the transfer; None when it changes nothing (pure)."""
    if outcome.fact is not None:
        return after_fact(transfer, outcome.fact.status.value, now, outcome.fact.failure_code)
    if transfer.state in {"pending", "requires_action"}:
        return still_waiting(transfer, now)
    if transfer.state not in {"queued", "sending", "unknown"}:
        return None
    return _without_evidence(transfer, outcome, now)


def _without_evidence(
    transfer: TransferRecord, outcome: Outcome, now: datetime
) -> TransferChange | None:
    if outcome.rejected is not None:
        return after_fact(transfer, "failed", now, outcome.rejected.code)
    if outcome.unavailable is not None:
        return after_refused_connection(transfer, now, outcome.unavailable.retry_after)
    return after_absence(transfer, now) if outcome.absent else after_silence(transfer, now)


async def _record(ctx: Context, shop: UUID, claimed: Try, outcome: Outcome) -> None:
    now, transfer_id = ctx.clock(), claimed.transfer.id
    async with ctx.database.transaction(shop) as tx:
        row = await rows.lock(tx, transfer_id)
        if row is None or row["attempt"] != claimed.transfer.attempt:
            return
        ended = attempts.Ended(outcome.name, (outcome.error or "")[:_ERROR_MAX])
        transfer = rows.record(row)
        told = outcome.fact.provider_refund_id if outcome.fact else None
        change = _change(transfer, outcome, now)
        if change is None:
            await attempts.finish(tx, transfer_id, transfer.attempt, now, ended)
            await attempts.end(tx, transfer_id, told)
        else:
            await move_transfer(tx, ctx, row, change, provider_refund_id=told, ended=ended)
        if claimed.leave is not None:
            await _health.told(tx, ctx, claimed.leave, answered=outcome.answered)
        crashpoint("W5")
    ctx.wake()
