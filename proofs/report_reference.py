"""Reports counted the slow way: every return and order row by row, no roll-up, no SQL sums.

Written from what docs/reports.md says of each figure and from nothing else; reads the tables in
chunks, so that a million returns fit. What comes out has the form of the service's roll-ups over
the asked days: source → (keys, currency) → figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import floor
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from returns_api.domain.reasons import BY_CODE

CHUNK: Final = 10_000
GONE: Final = {"rejected", "canceled", "expired"}
QUALITY: Final = {
    "defective",
    "stopped_working",
    "poor_quality",
    "expired",
    "recalled",
    "missing_parts",
    "not_as_described",
    "wrong_item",
    "not_genuine",
    "damaged_in_transit",
}
BORNE: Final = {"grade_deduction", "restocking_fee", "return_freight"}

Key = tuple[tuple[str, ...], str]
Counted = dict[str, dict[Key, list[int]]]


class Count:
    """Adds figures up by source, keys and currency."""

    def __init__(self) -> None:
        self.found: Counted = defaultdict(dict)

    def add(self, source: str, keys: tuple[Any, ...], *figures: int, currency: str = "") -> None:
        known = self.found[source].setdefault((keys, currency), [0] * len(figures))
        for place, figure in enumerate(figures):
            known[place] += figure


async def reference(
    connection: Any, shop: UUID, zone: str, first: date, last: date
) -> Mapping[str, Mapping[Key, list[int]]]:
    """Every source over the days from ``first`` to ``last``, both included, in ``zone``."""
    begins, ends = (
        datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
        for day in (first, last + timedelta(days=1))
    )
    count = Count()
    opened = await connection.fetch(
        "SELECT * FROM returns WHERE shop_id = $1 AND created_at >= $2 AND created_at < $3",
        shop,
        begins,
        ends,
    )
    for chunk in _chunks(opened):
        await _returns(connection, shop, chunk, count)
    placed = await connection.fetch(
        "SELECT id FROM orders WHERE shop_id = $1 AND placed_at >= $2 AND placed_at < $3",
        shop,
        begins,
        ends,
    )
    for chunk in _chunks(placed):
        await _items(connection, shop, [row["id"] for row in chunk], count)
    complained = await connection.fetch(
        "SELECT * FROM complaints WHERE shop_id = $1 AND created_at >= $2 AND created_at < $3",
        shop,
        begins,
        ends,
    )
    for row in complained:
        _complaint(row, count)
    return count.found


def _chunks(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


async def _by(connection: Any, shop: UUID, table: str, column: str, ids: Any) -> dict[Any, Any]:
    """Rows of a table by the column whose values are given."""
    rows = await connection.fetch(
        f"SELECT * FROM {table} WHERE shop_id = $1 AND {column} = ANY($2)", shop, list(ids)
    )
    found: dict[Any, Any] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


async def _returns(connection: Any, shop: UUID, chunk: list[Any], count: Count) -> None:
    heads = {row["id"]: row for row in chunk}

    async def of_returns(table: str, column: str = "return_id") -> dict[Any, Any]:
        return await _by(connection, shop, table, column, heads)

    lines = await of_returns("return_lines")
    every = [line for each in lines.values() for line in each]
    sold = await _by(connection, shop, "order_lines", "id", {x["order_line_id"] for x in every})
    graded = await _by(
        connection, shop, "inspected_units", "return_line_id", [x["id"] for x in every]
    )
    parcels = await of_returns("shipments")
    scans = await _by(
        connection,
        shop,
        "scans",
        "shipment_id",
        [x["id"] for each in parcels.values() for x in each],
    )
    deadlines, refunds = await of_returns("deadlines"), await of_returns("refunds")
    advances, recoveries = await of_returns("advances"), await of_returns("recoveries")
    events = await of_returns("events", "resource_id")
    for return_id, head in heads.items():
        for line in lines[return_id]:
            _line(line, sold[line["order_line_id"]][0], graded[line["id"]], head, count)
        late = any(d["kind"] == "arrive" and d["state"] == "passed" for d in deadlines[return_id])
        for parcel in parcels[return_id]:
            _parcel(parcel, scans[parcel["id"]], count, late=late)
        _deadlines(deadlines[return_id], count)
        _money(refunds[return_id], advances[return_id], recoveries[return_id], count)
        _steps(head, events[return_id], count)


def _line(line: Any, sold: Any, graded: list[Any], head: Any, count: Count) -> None:
    reason, units, state = line["reason"], line["quantity"], line["state"]
    standard = BY_CODE.get(reason)
    count.add(
        "reasons",
        (reason, line["fault"], "custom" if standard is None else standard.category.value),
        1,
        units,
        units if state == "rejected" else 0,
        line["received"],
        units if state == "kept" else 0,
    )
    product = sold["product_id"] if sold["product_id"] is not None else sold["sku"] or ""
    for option, value in _json(sold["options"]).items():
        count.add("variants", (product, option, value, reason), 1, units)
    for unit in graded:
        keys = (unit["disposition"] or "undecided", unit["grade"])
        count.add("recovery", keys, 1, sold["unit_price_minor"], currency=head["currency"])


def _parcel(parcel: Any, scans: list[Any], count: Count, *, late: bool) -> None:
    state, cost, currency = parcel["state"], parcel["cost_minor"], parcel["cost_currency"] or ""
    arrivals = [scan["at"] for scan in scans if scan["status"] == "delivered"]
    took = floor((min(arrivals) - min(s["at"] for s in scans)).total_seconds()) if arrivals else 0
    bought = cost if cost is not None and state != "voided" else 0
    count.add(
        "carriers",
        (parcel["carrier"] or parcel["source"], parcel["service"] or ""),
        1,
        int(state == "voided"),
        int(state == "delivered"),
        int(state == "lost"),
        int(late),
        len(arrivals[:1]),
        took,
        bought,
        currency=currency,
    )
    if cost is not None and state != "voided":
        count.add("costs", ("label",), 1, cost, currency=currency)


def _deadlines(found: list[Any], count: Count) -> None:
    for due in found:
        if due["kind"] == "dispute_window":
            continue
        states = (("kept",), ("passed",), ("open", "paused"), ("dropped",))
        figures = [int(due["state"] in each) for each in states]
        count.add("deadlines", (due["object"], due["kind"], due["owner"]), 1, *figures)


def _money(refunds: list[Any], advances: list[Any], recoveries: list[Any], count: Count) -> None:
    for refund in refunds:
        currency = refund["currency"]
        if refund["arrived_minor"]:
            kind = "goodwill" if refund["kind"] == "goodwill" else "refund"
            count.add("costs", (kind,), 1, refund["arrived_minor"], currency=currency)
        if refund["kind"] == "return":
            _borne(refund["parts"], currency, count)
    owed = {row["advance_id"]: row for row in recoveries}
    for advance in advances:
        if advance["parts"] is not None:
            _borne(advance["parts"], advance["currency"], count)
        _advance(advance, owed.get(advance["id"]), count)


def _borne(parts: Any, currency: str, count: Count) -> None:
    for part in _json(parts):
        if part["kind"] in BORNE and part["amount"]:
            count.add("costs", (part["kind"],), 1, part["amount"], currency=currency)


def _advance(advance: Any, owed: Any, count: Count) -> None:
    paid = advance["amount_minor"] - advance["never_paid_minor"]
    names = ("amount", "paid", "cleared", "written_off", "waived")
    amount, repaid, cleared, off, waived = (owed[f"{n}_minor"] if owed else 0 for n in names)
    lost = off + waived
    count.add(
        "fast_refunds",
        (advance["state"], owed["cause"] if owed else "none"),
        1,
        paid if advance["state"] != "declined" else 0,
        amount,
        repaid,
        cleared,
        lost,
        amount - repaid - cleared - lost,
        currency=advance["currency"],
    )
    if lost:
        count.add("costs", ("fast_refund_loss",), 1, lost, currency=advance["currency"])


def _steps(head: Any, events: list[Any], count: Count) -> None:
    told = sorted(
        (row for row in events if row["resource_type"] == "return"), key=lambda row: row["sequence"]
    )
    spent: dict[str, timedelta] = defaultdict(timedelta)
    for one, following in pairwise(told):
        spent[_json(one["data"])["state"]] += following["at"] - one["at"]
    for state, took in spent.items():
        if state != head["state"]:
            within = [int(took <= timedelta(days=days)) for days in (1, 3, 7)]
            count.add("steps", (state,), 1, took // timedelta(seconds=1), *within)


async def _items(connection: Any, shop: UUID, orders: list[UUID], count: Count) -> None:
    lines = await _by(connection, shop, "order_lines", "order_id", orders)
    back = await _by(connection, shop, "return_lines", "order_id", orders)
    units: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    for each in back.values():
        for line in each:
            if line["state"] not in GONE:
                bad = line["reason"] in QUALITY
                bad |= line["reason"] not in BY_CODE and line["fault"] == "merchant"
                units[line["order_line_id"]][0] += line["quantity"]
                units[line["order_line_id"]][1] += line["quantity"] if bad else 0
    for each in lines.values():
        for line in each:
            if line["kind"] == "goods":
                keys = (line["sku"] or "", line["vendor"] or "")
                count.add("items", keys, line["ordered"] - line["removed"], *units[line["id"]])


def _complaint(row: Any, count: Count) -> None:
    resolved, score = row["resolved_at"], row["score"]
    took = 0 if resolved is None else (resolved - row["created_at"]) // timedelta(seconds=1)
    count.add(
        "complaints",
        (row["category"],),
        1,
        int(row["state"] in {"open", "in_progress", "waiting", "escalated", "resolved"}),
        int(row["escalated_at"] is not None),
        int(row["reopened"] > 0),
        int(resolved is not None),
        took,
        int(score is not None),
        score or 0,
        int((score or 0) > 3),
    )


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value
