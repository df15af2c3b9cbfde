"""Every kind of job and every sweep on one page, each with its use case.

A job is a wake-up call for one business row; what is due, how often it was tried and who holds it
stands in that row. A sweep finds rows whose wake-up was lost. Both end in the same use case, which
does nothing when the row is not due.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from returns_api.usecases import (
    advances,
    audits,
    backtests,
    credit_notes,
    deadlines,
    deliveries,
    exports,
    housekeeping,
    imports,
    inbox,
    ledger,
    notifications,
    overdue,
    photos,
    pickup_calls,
    quality,
    reconciliation_runs,
    reconciliations,
    recoveries,
    reports,
    shipments,
    store_credits,
    tracking,
    transfers,
    withdrawals,
)
from returns_api.usecases.backlog import Due
from returns_api.usecases.context import Context

Run = Callable[[Context, UUID, UUID], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """``run`` carries one row on; ``due`` lists (shop, key) of rows whose time has come, or simply
    of all that are there, where they have no time (not ``timed``)."""

    run: Run
    due: Due
    timed: bool = True


KINDS: Final[Mapping[str, Kind]] = {
    "process_inbox": Kind(inbox.process_inbox, inbox.due_inbox),
    "send_transfer": Kind(transfers.send_transfer, transfers.due_transfers),
    "remind_of_refund": Kind(overdue.remind_of_refund, overdue.due_reminders),
    "carry_advance": Kind(advances.carry_advance, advances.due_advances),
    "lapse_recovery": Kind(recoveries.lapse_recovery, recoveries.due_recoveries),
    "carry_label": Kind(shipments.carry_label, shipments.due_labels),
    "carry_pickup": Kind(pickup_calls.carry_pickup, pickup_calls.due_pickups),
    "track_parcel": Kind(tracking.track_parcel, tracking.due_parcels),
    "deliver_event": Kind(deliveries.deliver_event, deliveries.due_deliveries),
    "send_notification": Kind(notifications.send_notification, notifications.due_notifications),
    "open_withdrawn": Kind(withdrawals.open_withdrawn, withdrawals.due_withdrawals),
    "tidy_shop": Kind(housekeeping.tidy_shop, housekeeping.due_shops),
    "run_backtest": Kind(backtests.run_backtest, backtests.due_backtests),
    "sweep_account": Kind(reconciliations.sweep_account, reconciliations.due_accounts),
    "reconcile": Kind(reconciliation_runs.reconcile, reconciliation_runs.due_reconciliations),
    "run_import": Kind(imports.run_import, imports.due_imports),
    "run_export": Kind(exports.run_export, exports.due_exports),
    "forget_export": Kind(exports.forget_export, exports.old_exports),
    "run_audit": Kind(audits.run_audit, audits.due_audits),
    "seal_ledger": Kind(ledger.seal_ledger, ledger.due_seals, timed=False),
    "keep_deadline": Kind(deadlines.keep_deadlines, deadlines.due_deadlines),
    "keep_order_deadline": Kind(deadlines.keep_order_deadlines, deadlines.due_order_deadlines),
    "number_credit_notes": Kind(credit_notes.number_credit_notes, credit_notes.due_credit_notes),
    "expire_credit": Kind(store_credits.expire_lot, store_credits.due_lots),
    "drop_photo": Kind(photos.drop_photo, photos.due_photos),
    "report_quality": Kind(quality.report_quality, quality.due_reports),
    "roll_up_reports": Kind(reports.roll_up, reports.due_roll_ups),
}

TIMED: Final[Mapping[str, Due]] = {name: kind.due for name, kind in KINDS.items() if kind.timed}
"""The kinds of which one can say how late they are."""


def payload(shop: UUID, key: UUID) -> bytes:
    return f"{shop}/{key}".encode()


def parse(raw: bytes | None) -> tuple[UUID, UUID]:
    """Raises ``ValueError`` when it is not one of our payloads."""
    shop, _, key = (raw or b"").decode("ascii").partition("/")
    return UUID(shop), UUID(key)
