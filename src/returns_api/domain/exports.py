"""Exports: orders and returns as lines of JSON, whole and in the words of the API.

Owns what a line holds. The staff's notes are never in one. Amounts are minor units of the currency
beside them, times are UTC, ids are public. Refuses to own rows, files and who may have them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.messages import Said
from returns_api.domain.order_record import LineRecord, OrderRecord, ParcelRecord, PaymentRecord
from returns_api.domain.returns import ReturnLineRecord, ReturnRecord

ORDERS: Final = "orders"
RETURNS: Final = "returns"
KINDS: Final = (ORDERS, RETURNS)
KEPT: Final = timedelta(days=7)
"""How long an export can be fetched; then it is gone as if it had never been made."""
LINK_LIVES: Final = timedelta(hours=1)


def link_text(shop: UUID, export: UUID, until: datetime) -> str:
    """What the signature of a link covers. The first byte keeps it apart from every other hash."""
    return f"\x00export\x00{shop}\x00{export}\x00{int(until.timestamp())}"


def still_good(until: datetime, now: datetime) -> bool:
    """A link is good from now until its end, and none is good for longer than ``LINK_LIVES``."""
    return now < until <= now + LINK_LIVES + timedelta(seconds=1)


def order_line(order: OrderRecord, person: Mapping[str, Any] | None) -> dict[str, Any]:
    """One order with its lines, parcels and payments, and with its buyer while kept."""
    return {
        "order": ids.encode("ord", order.id),
        **_these(order, "source", "external_id", "number"),
        "placed_at": _text(order.placed_at),
        **_these(order, "currency", "taxes_included"),
        "total": order.total_minor,
        "tags": list(order.tags),
        **_these(order, "channel", "country", "region", "financial_status"),
        "cancelled_at": _text(order.cancelled_at),
        "version": order.version,
        "buyer": None if person is None else dict(person),
        "lines": [_order_line(line) for line in order.lines],
        "parcels": [_parcel(parcel) for parcel in order.parcels],
        "payments": [_payment(payment) for payment in order.payments],
    }


def return_line(
    ret: ReturnRecord,
    refunds: Iterable[Mapping[str, Any]],
    graded: Iterable[Mapping[str, Any]],
    said: Iterable[Said],
    events: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """One return with its lines, grades, refunds, messages and its history."""
    return {
        "return": ids.encode("ret", ret.id),
        "order": ids.encode("ord", ret.order_id),
        **_these(ret, "number", "state", "resolution", "method", "currency"),
        "expected": ret.expected_minor,
        "refunded": ret.refunded_minor,
        **_these(ret, "opened_by", "decided_by", "info_request", "info_answer"),
        "created_at": _text(ret.created_at),
        "settled_at": _text(ret.settled_at),
        "closed_at": _text(ret.closed_at),
        "lines": [_return_line(line) for line in ret.lines],
        "inspected": [_unit(unit) for unit in graded],
        "refunds": [_refund(refund) for refund in refunds],
        "messages": [_message(each) for each in said],
        "events": [_event(event) for event in events],
    }


def _these(record: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _order_line(line: LineRecord) -> dict[str, Any]:
    counts = ("ordered", "removed", "shipped", "delivered", "outside_returned", "claimed")
    return {
        "line": ids.encode("li", line.id),
        "external_id": line.external_id,
        "kind": line.kind.value,
        **_these(line, "title", "sku", "product_id", "variant_id", "vendor", "category"),
        "unit_price": line.unit_price_minor,
        **_these(line, *counts, "cancelled", "outside_cancelled"),
    }


def _parcel(parcel: ParcelRecord) -> dict[str, Any]:
    return {
        **_these(parcel, "external_id", "carrier", "cancelled"),
        "tracking": list(parcel.tracking_codes),
        "shipped_at": _text(parcel.shipped_at),
        "delivered_at": _text(parcel.delivered_at),
        "units": {ids.encode("li", line): count for line, count in parcel.quantities.items()},
    }


def _payment(payment: PaymentRecord) -> dict[str, Any]:
    counts = ("captured", "reserved", "refunded", "external", "disputed")
    return {
        "payment": ids.encode("pay", payment.id),
        **_these(payment, "external_id", "gateway", "provider", "currency", *counts),
    }


def _return_line(line: ReturnLineRecord) -> dict[str, Any]:
    counts = ("quantity", "received", "inspected")
    return {
        "return_line": ids.encode("rl", line.id),
        "line": ids.encode("li", line.order_line_id),
        **_these(line, "external_id", "title", "sku", "reason", "fault", "condition", "note"),
        **_these(line, "state", *counts, "decision_code", "decision_note"),
    }


def _unit(unit: Mapping[str, Any]) -> dict[str, Any]:
    names = ("unit_no", "grade", "disposition", "sku_seen")
    return {
        "return_line": ids.encode("rl", unit["return_line_id"]),
        **{name: unit[name] for name in names},
    }


def _refund(refund: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "refund": ids.encode("ref", refund["id"]),
        **{name: refund[name] for name in ("kind", "state", "currency")},
        "amount": refund["amount_minor"],
        "arrived": refund["arrived_minor"],
        "created_at": _text(refund["created_at"]),
    }


def _message(said: Said) -> dict[str, Any]:
    return {
        "message": ids.encode("msg", said.id),
        **_these(said, "party", "text"),
        "photos": list(said.photos),
        "at": _text(said.at),
    }


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    names = ("type", "sequence", "actor", "reason", "data")
    return {
        "event": ids.encode("evt", event["id"]),
        **{name: event[name] for name in names},
        "at": _text(event["at"]),
    }
