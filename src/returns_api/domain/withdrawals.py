"""The online withdrawal function as pure rules (Directive 2011/83/EU, article 11a, in force since
2026-06-19 by Directive (EU) 2023/2673).

Owns what a statement names, what its acknowledgement says for ever, and which units a return is
opened for. Refuses to own the right itself (``policy.floors``), the return and the words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.domain import ids
from returns_api.domain.allocation import Certificate
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.order_facts import AskedLine, policy_facts
from returns_api.domain.order_record import BuyerHistory, LineRecord, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import Policy
from returns_api.domain.units_left import units_left

REASON: Final = "withdrawal"
RESOLUTION: Final = "refund"
"""What a consumer who withdraws gets: all payments back (article 13)."""
OPEN_PER_ORDER: Final = 20
"""Statements of one order that may wait for their confirmation."""


@dataclass(frozen=True, slots=True)
class WithdrawnLine:
    """Units of one order line that the buyer withdraws from."""

    line_id: UUID
    quantity: int


def named(order: OrderRecord, wanted: Sequence[WithdrawnLine]) -> list[dict[str, Any]]:
    """The goods of a statement as it is stored: those named, or all of the order.

    Raises:
        DoesNotFit: an unknown line, a line named twice, or more units than were ordered.
    """
    goods = {line.id: line for line in order.lines if line.kind is LineKind.GOODS}
    if not wanted:
        return [_stored(line, line.ordered) for line in goods.values()]
    if len({each.line_id for each in wanted}) < len(wanted):
        raise _unfit("Name each line once.", wanted[0].line_id)
    found = []
    for each in wanted:
        line = goods.get(each.line_id)
        if line is None:
            raise _unfit("The order has no such line.", each.line_id)
        if each.quantity > line.ordered:
            raise _unfit(f"{line.ordered} units were ordered.", each.line_id)
        found.append(_stored(line, each.quantity))
    return found


def _stored(line: LineRecord, quantity: int) -> dict[str, Any]:
    return {"line": str(line.id), "title": line.title, "sku": line.sku, "quantity": quantity}


def content(order: OrderRecord, row: Mapping[str, Any], shop: str, at: datetime) -> dict[str, Any]:
    """What the acknowledgement says but for the person, who may be erased: it is kept for ever."""
    return {
        "withdrawal": ids.encode("wdr", row["id"]),
        "trader": shop,
        "order": order.number,
        "placed_at": _exact(order.placed_at),
        "lines": row["lines"],
        "submitted_at": _exact(row["created_at"]),
        "received_at": _exact(at),
        "language": row["language"],
    }


def sealed_text(body: Mapping[str, Any], name: str, contact: str) -> str:
    """What the acknowledgement's seal covers: all of the content, the person too."""
    parts = [f"{key}={body[key]}" for key in sorted(body) if key != "lines"]
    parts += [f"{line['line']}x{line['quantity']}" for line in body["lines"]]
    return "\n".join(["withdrawal acknowledged", *parts, name, contact])


def words_of(body: Mapping[str, Any], person: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """The facts that the words of the acknowledgement see; times in the shop's zone, to the second,
    with their distance from UTC."""
    return {
        "name": person["name"],
        "contact": person["contact"],
        "shop": body["trader"],
        "order": body["order"],
        "items": [f"{line['quantity']} × {line['title']}" for line in body["lines"]],
        "submitted_at": _local(body["submitted_at"], zone),
        "received_at": _local(body["received_at"], zone),
        "withdrawal": body["withdrawal"],
    }


def returnable(
    order: OrderRecord,
    certificate: Certificate,
    history: BuyerHistory,
    policy: Policy,
    lines: Sequence[Mapping[str, Any]],
    now: datetime,
) -> list[AskedLine]:
    """The units of a withdrawal that can come back: with the buyer, free, and refundable by the
    policy with its legal floors."""
    found = []
    for each in lines:
        line = order.line(UUID(each["line"]))
        count = 0 if line is None else min(each["quantity"], len(units_left(order, line, now)))
        if line is None or not count:
            continue
        asked = AskedLine(line.id, count, REASON)
        facts = policy_facts(order, line, certificate, history, asked, now)
        offered = {each.kind.value for each in policy.decide(facts).resolutions}
        if RESOLUTION in offered:
            found.append(asked)
    return found


def _exact(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _local(text: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).isoformat(" ", "seconds")


def _unfit(problem: str, line_id: UUID) -> DoesNotFit:
    line = ids.encode("li", line_id)
    return DoesNotFit(problem, errors=[{"field": "lines", "line": line, "problem": problem}])
