"""Opening a return: a quote accepted, its units claimed, the label planned; one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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
    DoesNotFit,
    NotFound,
    NothingLeftToReturn,
    QuoteExpired,
    QuoteUsed,
)
from returns_api.domain.events import By, Event
from returns_api.domain.exchanges import EXCHANGE_KIND, IN_GOODS, Wanted
from returns_api.domain.lifecycle.deadlines import Deadline
from returns_api.domain.policy.vocabulary import EvidenceKind
from returns_api.domain.returns import (
    ReturnLineRecord,
    ReturnRecord,
    opening,
)
from returns_api.domain.reviewing import heed
from returns_api.domain.shipments import ShipmentRecord
from returns_api.domain.terms import ReturnTerms
from returns_api.usecases import photos
from returns_api.usecases._exchanges import open_exchange
from returns_api.usecases._granting import REQUEST, grant_if_due
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._repairs import open_repair
from returns_api.usecases._returns import early_of, refunds_of
from returns_api.usecases.context import Context
from returns_api.usecases.returns import ReturnView

LABELLED_METHODS = frozenset({"post", "dropoff", "pickup", "locker"})


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence: a photo that was sent here, or an address of the shop's own."""

    kind: str
    photo: UUID | None = None
    url: str | None = None

    def as_json(self) -> dict[str, str]:
        if self.photo is not None:
            return {"kind": self.kind, "photo": ids.encode("ev", self.photo)}
        assert self.url is not None
        return {"kind": self.kind, "url": self.url}


@dataclass(frozen=True, slots=True)
class LineExtras:
    """What the buyer adds to a quoted line when opening the return."""

    order_line_id: UUID
    note: str | None
    evidence: tuple[Proof, ...]
    wanted: Wanted | None = None

    def photos(self) -> list[UUID]:
        return [proof.photo for proof in self.evidence if proof.photo is not None]


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
    quoted = ReturnTerms.from_json(quote["terms"])
    terms = heed(quoted, quote["listed"], quote["since"])
    _refuse_hearsay(principal, extras)
    lines, wanted = _lines(ctx, quote, terms, extras), _wanted(quote, extras)
    head, deadlines = opening(terms, now)
    if terms.advance is not None and terms.advance.at == REQUEST:
        await reservations.lock_payments(tx, quote["order_id"])
    labelled = quote["method"] in LABELLED_METHODS and not terms.own_label
    carriers = await connection_rows.active(tx, "carrier") if labelled else []
    source = carriers[0]["source"] if carriers else None
    values = _return_values(ctx, quote, head, principal, now)
    if terms is not quoted:
        values["terms"] = terms.to_json()
    shipment_id = None if source is None else ctx.new_id()
    ready = head["state"] == "approved" and shipment_id is not None
    try:
        written = await rows.open_return(
            tx,
            **values,
            lines=[{**line, "state": head["state"]} for line in lines],
            deadlines=to_json(deadlines),
            now=now,
            shipment_id=shipment_id,
            carrier_source=source,
            label_due_at=now if ready else None,
        )
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name != "pk_unit_claims":
            raise
        raise await _nothing_left(tx, quote, undo=True) from taken
    if written["counted"] != len(lines) or written["used"] != 1:
        raise await _nothing_left(tx, quote, undo=False)
    await _show_photos(tx, quote, values["id"], lines, extras)
    ret = _record(values, written["number"], terms, quote, lines, deadlines)
    jobs = [Job("carry_label", shipment_id)] if ready and shipment_id else []
    early, further = await grant_if_due(tx, ctx, ret, ret.state, REQUEST, by)
    opened = [_opened_event(ctx, ret, by)]
    if wanted is not None:
        opened.append(await open_exchange(tx, ctx, ret, wanted, by, ret.resolution))
        ret = await return_rows.one(tx, ret.id) or ret
    elif terms.repair is not None:
        opened.append(await open_repair(tx, ctx, ret, by))
    await emit(tx, [*opened, *early], [*jobs, *further])
    shipment = None
    if shipment_id is not None and source is not None:
        shipment = _planned_shipment(shipment_id, source, ret)
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


def _lines(
    ctx: Context, quote: Row, terms: ReturnTerms, extras: Sequence[LineExtras]
) -> list[dict[str, Any]]:
    """The quoted lines with the buyer's notes and proofs; exactly the proofs that were asked."""
    by_line = {str(extra.order_line_id): extra for extra in extras}
    if len(by_line) < len(extras):
        raise _unfit("Name each line once.", next(iter(by_line)))
    quoted = {line["order_line_id"] for line in quote["lines"]}
    if unknown := by_line.keys() - quoted:
        raise _unfit("This line is not part of the quote.", min(unknown))
    found = []
    for position, line in enumerate(quote["lines"]):
        extra = by_line.get(line["order_line_id"])
        evidence = () if extra is None else extra.evidence
        for kind, minimum in terms.lines[line["order_line_id"]].evidence:
            given = len({proof for proof in evidence if proof.kind == kind})
            if given < minimum:
                raise _unfit(
                    f"This line needs {minimum} of kind '{kind}', {given} given.",
                    line["order_line_id"],
                )
        found.append(
            {
                "id": ctx.new_id(),
                "position": position,
                "note": None if extra is None else extra.note,
                "evidence": [proof.as_json() for proof in evidence],
                **{
                    name: line[name]
                    for name in (
                        "order_line_id",
                        "quantity",
                        "units",
                        "reason",
                        "fault",
                        "condition",
                    )
                },
            }
        )
    return found


def _wanted(quote: Row, extras: Sequence[LineExtras]) -> Wanted | None:
    """The goods that the buyer gets instead, None where it is money; the same again where they are
    replaced. Nobody but the shop says what they cost."""
    named = [extra.wanted for extra in extras if extra.wanted is not None]
    line = quote["lines"][0]
    if quote["resolution"] == EXCHANGE_KIND:
        if not named:
            problem = "Say what you want instead: its variant or its SKU."
            raise _unfit(problem, line["order_line_id"])
        return named[0]
    if named:
        raise _unfit("Other goods are for an exchange only.", line["order_line_id"])
    if quote["resolution"] in IN_GOODS:
        return Wanted(variant=None, sku=line["sku"])
    return None


def _refuse_hearsay(principal: Principal, extras: Sequence[LineExtras]) -> None:
    """A buyer's photo is one that was looked at here; anybody can name an address."""
    for extra in extras:
        if principal.order_id is not None and any(
            proof.kind == EvidenceKind.PHOTO and proof.url is not None for proof in extra.evidence
        ):
            raise _unfit(
                "Send the photo itself to POST /v1/orders/{order}/photos, then name it here.",
                str(extra.order_line_id),
            )


async def _show_photos(
    tx: Transaction,
    quote: Row,
    return_id: UUID,
    lines: Sequence[Mapping[str, Any]],
    extras: Sequence[LineExtras],
) -> None:
    """Photos sent before belong to the new return's lines; nothing is asked where there are none.

    Raises:
        DoesNotFit: one is not there, used already, or the same picture as another of its line.
    """
    made = {line["order_line_id"]: line["id"] for line in lines}
    for extra in extras:
        named, line = extra.photos(), str(extra.order_line_id)
        if not named:
            continue
        try:
            different = await photos.use(tx, quote["order_id"], return_id, made[line], named)
        except DoesNotFit as missing:
            raise _unfit(missing.detail, line) from missing
        if different < len(named):
            raise _unfit("Two of the photos of this line are the same picture.", line)


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


def _record(
    values: Mapping[str, Any],
    number: str,
    terms: ReturnTerms,
    quote: Row,
    lines: Sequence[Mapping[str, Any]],
    deadlines: tuple[Deadline, ...],
) -> ReturnRecord:
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
            **values,
            "terms": terms,
        },
        lines=tuple(
            ReturnLineRecord(
                **{**line, "units": tuple(line["units"]), "evidence": tuple(line["evidence"])}
                | {
                    "order_line_id": UUID(line["order_line_id"]),
                    "external_id": quoted["external_id"],
                    "title": quoted["title"],
                    "sku": quoted["sku"],
                    "state": values["state"],
                    "received": 0,
                    "inspected": 0,
                    "decision_code": None,
                    "decision_note": None,
                }
            )
            for line, quoted in zip(lines, quote["lines"], strict=True)
        ),
        deadlines=deadlines,
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


def _unfit(problem: str, line_id: str) -> DoesNotFit:
    line = ids.encode("li", UUID(line_id))
    return DoesNotFit(problem, errors=[{"field": "lines", "line": line, "problem": problem}])
