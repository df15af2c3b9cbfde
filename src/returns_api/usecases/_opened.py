"""What an accepted quote becomes, before it is written and as a later read would give it.

Owns the values of a new return, of its lines, of the label that is to be bought and of the event
that tells of them. Refuses to own every statement, and whether a quote may be accepted
(``opening``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.events import By, Event
from returns_api.domain.exchanges import Wanted
from returns_api.domain.gifts import told_of
from returns_api.domain.lifecycle.deadlines import Deadline
from returns_api.domain.returns import ReturnLineRecord, ReturnRecord, opening
from returns_api.domain.reviewing import heed
from returns_api.domain.shipments import ShipmentRecord
from returns_api.domain.terms import ReturnTerms
from returns_api.usecases.context import Context
from returns_api.usecases.line_extras import LineExtras, opened_lines, wanted_goods

LABELLED_METHODS: Final = frozenset({"post", "dropoff", "pickup", "locker"})


@dataclass(frozen=True, slots=True)
class Opening:
    """What is written for an accepted quote, before anything is."""

    quote: Row
    terms: ReturnTerms
    wanted: tuple[Wanted, ...]
    lines: list[dict[str, Any]]
    values: dict[str, Any]
    deadlines: tuple[Deadline, ...]
    now: datetime

    @property
    def labelled(self) -> bool:
        return self.quote["method"] in LABELLED_METHODS and not self.terms.own_label


def plan_opening(
    ctx: Context,
    principal: Principal,
    quote: Row,
    extras: Sequence[LineExtras],
    now: datetime,
) -> Opening:
    """The quoted terms as the shop's lists want them by now, and all that follows from them.

    Raises ``DoesNotFit``: missing or needless evidence, naming the line.
    """
    quoted = ReturnTerms.from_json(quote["terms"])
    terms = heed(quoted, quote["listed"], quote["since"])
    lines, wanted = opened_lines(ctx, quote, terms, extras), wanted_goods(quote, extras)
    head, deadlines = opening(terms, now)
    values = _return_values(ctx, quote, head, principal, now)
    if terms is not quoted:
        values["terms"] = terms.to_json()
    lines = [{**line, "state": head["state"]} for line in lines]
    return Opening(quote, terms, wanted, lines, values, deadlines, now)


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
        "gift_receipt_id": quote["gift_receipt_id"],
        "currency": quote["currency"],
        "expected_minor": quote["total_minor"],
        "terms": quote["terms"],
        "refund_at": quote["terms"]["refund_at"],
        "opened_by": principal.role.value,
        "created_at": now,
        "updated_at": now,
        **head,
    }


def opened_record(plan: Opening, number: str) -> ReturnRecord:
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
            _line(line, quoted)
            for line, quoted in zip(plan.lines, plan.quote["lines"], strict=True)
        ),
        deadlines=plan.deadlines,
    )


def _line(line: Mapping[str, Any], quoted: Mapping[str, Any]) -> ReturnLineRecord:
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


def opened_event(ctx: Context, ret: ReturnRecord, by: By) -> Event:
    """The first of the return's events."""
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
            **told_of(ret.gift_receipt_id),
            "expected": ret.expected_minor,
            "currency": ret.currency,
        },
    )


def planned_shipment(shipment_id: UUID, source: str, ret: ReturnRecord) -> ShipmentRecord:
    """The way back whose label is to be bought."""
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
