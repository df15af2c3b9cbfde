"""The lines of two books: as rows, as facts, and as the differences between them.

Owns what a row holds of a provider's fact and of ours. Refuses to own which lines are looked at
(``_reconciling``) and what a difference is (``domain.reconciliations``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.reconciliations import (
    Found,
    Ours,
    Theirs,
    fact_state,
    missing_there,
    shown_ours,
    shown_theirs,
)
from returns_api.ports.payments import ProviderDispute, ProviderRefund, RefundStatus
from returns_api.usecases.context import Context


def line_of_fact(run: Row, fact: ProviderRefund | ProviderDispute) -> dict[str, Any]:
    """A provider's fact as a line of its book."""
    if isinstance(fact, ProviderDispute):
        return line_of(
            run["id"],
            kind="dispute",
            external_id=fact.provider_dispute_id,
            payment=fact.provider_payment_id,
            reference=None,
            amount_minor=fact.amount_minor,
            currency=fact.currency,
            status=fact_state(active=fact.open),
            at=fact.created_at,
        )
    return line_of(
        run["id"],
        kind="refund",
        external_id=fact.provider_refund_id,
        payment=fact.provider_payment_id,
        reference=fact.reference,
        amount_minor=fact.amount_minor,
        currency=fact.currency,
        status=fact.status.value,
        at=fact.created_at,
    )


def line_of(
    run_id: UUID,
    *,
    kind: str,
    external_id: str,
    payment: str,
    reference: str | None,
    amount_minor: int,
    currency: str,
    status: str,
    at: datetime | None,
) -> dict[str, Any]:
    """The row of one line; a reference that is none of ours names no transfer."""
    return {
        "reconciliation_id": run_id,
        "kind": kind,
        "external_id": external_id,
        "payment": payment,
        "transfer_id": None if reference is None else ids.decode("trf", reference),
        "amount_minor": amount_minor,
        "currency": currency,
        "status": status,
        "at": at,
    }


def fact_of(line: Row) -> ProviderRefund | ProviderDispute:
    """The line as the provider's webhook would have told it."""
    if line["kind"] == "dispute":
        return ProviderDispute(
            provider_dispute_id=line["external_id"],
            provider_payment_id=line["payment"],
            amount_minor=line["amount_minor"],
            currency=line["currency"],
            open=line["status"] == fact_state(active=True),
            created_at=line["at"],
        )
    transfer = line["transfer_id"]
    return ProviderRefund(
        provider_refund_id=line["external_id"],
        provider_payment_id=line["payment"],
        reference=None if transfer is None else ids.encode("trf", transfer),
        status=RefundStatus(line["status"]),
        amount_minor=line["amount_minor"],
        currency=line["currency"],
        created_at=line["at"],
    )


def theirs_of(line: Row) -> Theirs:
    """What the other book says."""
    return Theirs(
        kind=line["kind"],
        external_id=line["external_id"],
        amount_minor=line["amount_minor"],
        currency=line["currency"],
        status=line["status"],
        at=line["at"],
        paid_in=line["payment_currency"],
    )


def ours_of(line: Row) -> Ours | None:
    """What ours says of it: a transfer, a fact from outside, or nothing."""
    if line["our_transfer"] is not None:
        return Ours(
            line["our_transfer"],
            line["our_amount"],
            line["our_currency"],
            line["our_state"],
            line["our_at"],
        )
    if line["fact_amount"] is None:
        return None
    state = fact_state(active=line["fact_active"])
    return Ours(None, line["fact_amount"], line["fact_currency"], state, line["fact_at"])


def difference(ctx: Context, run: Row, line: Row, found: Found, *, applied: bool) -> dict[str, Any]:
    """The row of what was found at a line of the other book."""
    ours = ours_of(line)
    return {
        "id": ctx.new_id(),
        "reconciliation_id": run["id"],
        "subject": line["kind"],
        "kind": found.kind.value,
        "about": line["external_id"],
        "order_id": line["our_order"] or line["order_id"],
        "payment_id": line["our_payment"] or line["payment_id"],
        "transfer_id": line["our_transfer"],
        "refund_id": line["our_refund"],
        "external_id": line["external_id"],
        "ours": None if ours is None else shown_ours(ours),
        "theirs": shown_theirs(theirs_of(line)),
        "proposal": found.proposal.value,
        "applied": applied,
        "created_at": ctx.clock(),
    }


def left_transfer(ctx: Context, run: Row, row: Row, grace: timedelta) -> dict[str, Any]:
    """The row of a transfer of ours that the other book does not have."""
    sent = row["first_sent_at"]
    ours = Ours(row["id"], row["amount_minor"], row["currency"], row["state"], sent)
    return _left(ctx, run, ours, grace) | {
        "subject": "refund",
        "about": ids.encode("trf", row["id"]),
        "order_id": row["order_id"],
        "payment_id": row["payment_id"],
        "transfer_id": row["id"],
        "refund_id": row["refund_id"],
        "external_id": row["provider_refund_id"],
    }


def left_fact(ctx: Context, run: Row, row: Row, grace: timedelta) -> dict[str, Any]:
    """The row of what we heard from outside and the other book does not have."""
    state = fact_state(active=True)
    ours = Ours(None, row["amount_minor"], row["currency"], state, row["at"])
    return _left(ctx, run, ours, grace) | {
        "subject": row["kind"],
        "about": row["external_id"],
        "order_id": row["order_id"],
        "payment_id": row["its_payment"],
        "transfer_id": None,
        "refund_id": None,
        "external_id": row["external_id"],
    }


def _left(ctx: Context, run: Row, ours: Ours, grace: timedelta) -> dict[str, Any]:
    found = missing_there(ours, run["until"], grace)
    return {
        "id": ctx.new_id(),
        "reconciliation_id": run["id"],
        "kind": found.kind.value,
        "ours": shown_ours(ours),
        "theirs": None,
        "proposal": found.proposal.value,
        "applied": False,
        "created_at": ctx.clock(),
    }
