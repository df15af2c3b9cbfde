"""Opening a return: a quote accepted, its units claimed, the label planned; one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
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
from returns_api.domain.errors import (
    NotFound,
    NothingLeftToReturn,
    QuoteExpired,
    QuoteUsed,
)
from returns_api.domain.events import By, Event
from returns_api.domain.exchanges import Wanted
from returns_api.domain.lifecycle.deadlines import Deadline
from returns_api.domain.returns import (
    ReturnLineRecord,
    ReturnRecord,
    opening,
)
from returns_api.domain.reviewing import heed
from returns_api.domain.shipments import ShipmentRecord
from returns_api.domain.terms import ReturnTerms
from returns_api.usecases._exchanges import open_exchange
from returns_api.usecases._granting import REQUEST, grant_if_due
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._repairs import open_repair
from returns_api.usecases._returns import early_of, refunds_of
from returns_api.usecases.context import Context
from returns_api.usecases.line_extras import (
    LineExtras,
    opened_lines,
    refuse_hearsay,
    show_photos,
    wanted_goods,
)
from returns_api.usecases.returns import ReturnView

LABELLED_METHODS: Final = frozenset({"post", "dropoff", "pickup", "locker"})


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is written for an accepted quote, before anything is."""

    quote: Row
    terms: ReturnTerms
    wanted: Wanted | None
    lines: list[dict[str, Any]]
    values: dict[str, Any]
    deadlines: tuple[Deadline, ...]
    now: datetime

    @property
    def labelled(self) -> bool:
        return self.quote["method"] in LABELLED_METHODS and not self.terms.own_label


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
        QuoteExpired, QuoteUsed: it cannot be accepted any more.
        DoesNotFit: missing or needless evidence, naming the line.
        NothingLeftToReturn: its units were taken since.
    """
    now = ctx.clock()
    quote = await quote_rows.lock(tx, quote_id, now)
    if quote is None or not principal.sees_order(quote["order_id"]):
        raise NotFound(NO_SUCH_THING)
    _require_acceptable(quote, now)
    refuse_hearsay(principal, extras)
    plan = _plan(ctx, principal, quote, extras, now)
    if plan.terms.advance is not None and plan.terms.advance.at == REQUEST:
        await reservations.lock_payments(tx, quote["order_id"])
    ret, shipment = await _write(tx, ctx, plan)
    await show_photos(tx, quote, ret.id, plan.lines, extras)
    return await _follow(tx, ctx, plan, ret, shipment, by)


def _plan(
    ctx: Context,
    principal: Principal,
    quote: Row,
    extras: Sequence[LineExtras],
    now: datetime,
) -> _Plan:
    quoted = ReturnTerms.from_json(quote["terms"])
    terms = heed(quoted, quote["listed"], quote["since"])
    lines, wanted = opened_lines(ctx, quote, terms, extras), wanted_goods(quote, extras)
    head, deadlines = opening(terms, now)
    values = _return_values(ctx, quote, head, principal, now)
    if terms is not quoted:
        values["terms"] = terms.to_json()
    lines = [{**line, "state": head["state"]} for line in lines]
    return _Plan(quote, terms, wanted, lines, values, deadlines, now)


async def _write(
    tx: Transaction, ctx: Context, plan: _Plan
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
    ret = _record(plan, written["number"])
    if shipment_id is None or source is None:
        return ret, None
    return ret, _planned_shipment(shipment_id, source, ret)


async def _follow(
    tx: Transaction,
    ctx: Context,
    plan: _Plan,
    ret: ReturnRecord,
    shipment: ShipmentRecord | None,
    by: By,
) -> ReturnView:
    """What an opened return sets going: the label, money in advance, goods, repair; told once."""
    jobs = [Job("carry_label", shipment.id)] if shipment and ret.state == "approved" else []
    early, further = await grant_if_due(tx, ctx, ret, ret.state, REQUEST, by)
    opened = [_opened_event(ctx, ret, by)]
    if plan.wanted is not None:
        opened.append(await open_exchange(tx, ctx, ret, plan.wanted, by, ret.resolution))
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


def _return_values(
    ctx: Context, quote: Row, head: Mapping[str, Any], principal: Principal, now: datetime
) -> dict[str, Any]:
    return {
        "id": ctx.new_id(),
        "order_id": quote["order_id"],
        "quote_id": quote["id"],
        "decision_id": quote["decision_id"],
        "policy_version_id": quote["policy_version_id"],
        "resolution": quote["resolution"],
        "method": quote["method"],
        "currency": quote["currency"],
        "expected_minor": quote["total_minor"],
        "terms": quote["terms"],
        "refund_at": quote["terms"]["refund_at"],
        "opened_by": principal.role.value,
        "created_at": now,
        "updated_at": now,
        **head,
    }


def _record(plan: _Plan, number: str) -> ReturnRecord:
    """The opened return as a later read would give it."""
    return ReturnRecord(
        **{
            "number": number,
            "refunded_minor": 0,
            "refund_law_by": None,
            "refund_law": None,
            "info_request": None,
            "info_answer": None,
            "settled_at": None,
            "closed_at": None,
            "sequence": 1,
            **plan.values,
            "terms": plan.terms,
        },
        lines=tuple(
            _line_record(line, quoted)
            for line, quoted in zip(plan.lines, plan.quote["lines"], strict=True)
        ),
        deadlines=plan.deadlines,
    )


def _line_record(line: Mapping[str, Any], quoted: Mapping[str, Any]) -> ReturnLineRecord:
    return ReturnLineRecord(
        **{
            **line,
            "units": tuple(line["units"]),
            "evidence": tuple(line["evidence"]),
            "order_line_id": UUID(line["order_line_id"]),
            "external_id": quoted["external_id"],
            "title": quoted["title"],
            "sku": quoted["sku"],
            "received": 0,
            "inspected": 0,
            "decision_code": None,
            "decision_note": None,
        }
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


def _opened_event(ctx: Context, ret: ReturnRecord, by: By) -> Event:
    return Event(
        id=ctx.new_id(),
        type="return.opened",
        resource_type="return",
        resource_id=ret.id,
        sequence=1,
        at=ret.created_at,
        by=by,
        order_id=ret.order_id,
        return_id=ret.id,
        data={
            "return": ids.encode("ret", ret.id),
            "number": ret.number,
            "order": ids.encode("ord", ret.order_id),
            "state": ret.state,
            "decided_by": ret.decided_by,
            "expected": ret.expected_minor,
            "currency": ret.currency,
        },
    )


def _planned_shipment(shipment_id: UUID, source: str, ret: ReturnRecord) -> ShipmentRecord:
    return ShipmentRecord(
        id=shipment_id,
        return_id=ret.id,
        state="label_due",
        source=source,
        carrier_shipment_id=None,
        tracking_code=None,
        carrier=None,
        service=None,
        label_url=None,
        qr_url=None,
        label_forms=[],
        cost_minor=None,
        cost_currency=None,
        attempt=0,
        tries=0,
        due_at=None,
        last_error=None,
        last_scan_at=None,
        sequence=1,
    )
