"""Opening a return: a quote accepted, its units claimed, the label planned; one transaction.

Owns the order of the statements and what may refuse them. Refuses to own the values that are
written (``_opened``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from returns_api.db import connections as connection_rows
from returns_api.db import opening as rows
from returns_api.db import quotes as quote_rows
from returns_api.db import reservations
from returns_api.db import returns as return_rows
from returns_api.db.deadlines import to_json
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import NotFound, NothingLeftToReturn, QuoteExpired, QuoteUsed
from returns_api.domain.events import By
from returns_api.domain.gifts import require_holder
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shipments import ShipmentRecord
from returns_api.usecases._exchanges import open_exchange
from returns_api.usecases._granting import REQUEST, grant_if_due
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._opened import (
    Opening,
    opened_event,
    opened_record,
    plan_opening,
    planned_shipment,
)
from returns_api.usecases._repairs import open_repair
from returns_api.usecases._returns import early_of, refunds_of
from returns_api.usecases.context import Context
from returns_api.usecases.line_extras import LineExtras, refuse_hearsay, show_photos
from returns_api.usecases.returns import ReturnView


async def open_return(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    quote_id: UUID,
    extras: Sequence[LineExtras],
) -> ReturnView:
    """Accept a quote: claim its units, decide, plan the label, tell everybody; one statement each.

    Raises:
        NotFound: no such quote for this caller.
        Conflict: it was made for whoever holds a gift receipt.
        QuoteExpired, QuoteUsed: it cannot be accepted any more.
        DoesNotFit: missing or needless evidence, naming the line.
        NothingLeftToReturn: its units were taken since.
    """
    now = ctx.clock()
    quote = await quote_rows.lock(tx, quote_id, now)
    if quote is None or not principal.sees_return(quote["order_id"], quote["gift_receipt_id"]):
        raise NotFound(NO_SUCH_THING)
    require_holder(quote["gift_receipt_id"], principal.gift_receipt_id)
    _require_acceptable(quote, now)
    refuse_hearsay(principal, extras)
    plan = plan_opening(ctx, principal, quote, extras, now)
    if plan.terms.advance is not None and plan.terms.advance.at == REQUEST:
        await reservations.lock_payments(tx, quote["order_id"])
    ret, shipment = await _write(tx, ctx, plan)
    await show_photos(tx, quote, ret.id, plan.lines, extras)
    return await _follow(tx, ctx, plan, ret, shipment, by)


async def _write(
    tx: Transaction, ctx: Context, plan: Opening
) -> tuple[ReturnRecord, ShipmentRecord | None]:
    """The return with its lines, units, deadlines and the label that is to be bought.

    Raises ``NothingLeftToReturn``.
    """
    carriers = await connection_rows.active(tx, "carrier") if plan.labelled else []
    source = carriers[0]["source"] if carriers else None
    shipment_id = None if source is None else ctx.new_id()
    try:
        written = await rows.open_return(
            tx,
            **plan.values,
            lines=plan.lines,
            deadlines=to_json(plan.deadlines),
            now=plan.now,
            shipment_id=shipment_id,
            carrier_source=source,
            label_due_at=plan.now if plan.values["state"] == "approved" and shipment_id else None,
        )
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name != "pk_unit_claims":
            raise
        raise await _nothing_left(tx, plan.quote, undo=True) from taken
    if written["counted"] != len(plan.lines) or written["used"] != 1:
        raise await _nothing_left(tx, plan.quote, undo=False)
    ret = opened_record(plan, written["number"])
    if shipment_id is None or source is None:
        return ret, None
    return ret, planned_shipment(shipment_id, source, ret)


async def _follow(
    tx: Transaction,
    ctx: Context,
    plan: Opening,
    ret: ReturnRecord,
    shipment: ShipmentRecord | None,
    by: By,
) -> ReturnView:
    """What an opened return sets going: the label, money in advance, goods, repair; told once."""
    jobs = [Job("carry_label", shipment.id)] if shipment and ret.state == "approved" else []
    early, further = await grant_if_due(tx, ctx, ret, ret.state, REQUEST, by)
    opened = [opened_event(ctx, ret, by)]
    if plan.wanted:
        for line, wanted in zip(ret.lines, plan.wanted, strict=True):
            opened.append(await open_exchange(tx, ctx, ret, line, wanted, by, ret.resolution))
        ret = await return_rows.one(tx, ret.id) or ret
    elif plan.terms.repair is not None:
        opened.append(await open_repair(tx, ctx, ret, by))
    await emit(tx, [*opened, *early], [*jobs, *further])
    return await _view(tx, ret, shipment) if early else ReturnView(ret, shipment, ())


async def _view(tx: Transaction, ret: ReturnRecord, shipment: ShipmentRecord | None) -> ReturnView:
    """With the money that went out at once."""
    refunds, early = await refunds_of(tx, [ret.id]), await early_of(tx, [ret])
    return ReturnView(ret, shipment, refunds.get(ret.id, ()), early.get(ret.id))


def _require_acceptable(quote: Row, now: datetime) -> None:
    if quote["return_id"] is not None:
        taken = ids.encode("ret", quote["return_id"])
        raise QuoteUsed("This quote was accepted before.", **{"return": taken})
    if quote["expires_at"] <= now:
        raise QuoteExpired(
            "Ask for a new quote; this one was binding until then.",
            expired_at=quote["expires_at"].isoformat(),
        )


async def _nothing_left(tx: Transaction, quote: Row, *, undo: bool) -> NothingLeftToReturn:
    """Why the quoted units are not there any more; read after the failed statement is undone."""
    if undo:
        await tx.undo()
    counts = await rows.line_counts(tx, [UUID(line["order_line_id"]) for line in quote["lines"]])
    return NothingLeftToReturn(
        "Units of this quote were taken by another return since; ask for a new quote.",
        lines=[
            {
                "line": ids.encode("li", row["id"]),
                "shipped": row["shipped"],
                "claimed": row["claimed"],
                "returned_elsewhere": row["outside_returned"],
            }
            for row in counts
        ],
    )
