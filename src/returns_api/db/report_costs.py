"""What reports tell of money: return parcels, costs, the goods' worth, money that went out early.

As ``report_sources``, and from its pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    select,
    true,
    union_all,
)

from returns_api.db.query import among, here, json_rows
from returns_api.db.report_sources import OPENED, SOLD, added_up, number, or_else, same, total
from returns_api.db.tables import (
    advances,
    deadlines,
    inspected_units,
    order_lines,
    recoveries,
    refunds,
    return_lines,
    scans,
    shipments,
)

_BORNE: Final = ("grade_deduction", "restocking_fee", "return_freight")
"""Parts of a settlement that the buyer bears; their amounts are below zero."""


def _carriers() -> Select[Any]:
    parcel = shipments.c
    timed = (
        select(
            func.min(scans.c.at).label("first"),
            func.min(scans.c.at).filter(scans.c.status == "delivered").label("last"),
        )
        .where(here(scans), scans.c.shipment_id == parcel.id)
        .correlate(shipments)
        .lateral("timed")
    )
    late = (
        select(literal(1))
        .where(
            here(deadlines),
            deadlines.c.return_id == OPENED.c.id,
            deadlines.c.kind == "arrive",
            deadlines.c.state == "passed",
        )
        .correlate(OPENED)
        .exists()
    )
    took = func.floor(func.extract("epoch", timed.c.last - timed.c.first))
    rows = OPENED.join(shipments, same(OPENED, shipments, ("id", "return_id"))).join(timed, true())
    figures = (
        number(),
        number(parcel.state == "voided"),
        number(parcel.state == "delivered"),
        number(parcel.state == "lost"),
        number(late),
        number(timed.c.last.is_not(None)),
        total(took),
        total(parcel.cost_minor, parcel.state != "voided"),
    )
    keys = (func.coalesce(parcel.carrier, parcel.source), or_else(parcel.service, ""))
    return added_up(rows, keys, figures, or_else(parcel.cost_currency, ""))


def _costs() -> Select[Any]:
    label = (
        select(
            literal("label", Text).label("cost"),
            shipments.c.cost_currency.label("currency"),
            shipments.c.cost_minor.label("amount"),
        )
        .join_from(OPENED, shipments, same(OPENED, shipments, ("id", "return_id")))
        .where(shipments.c.cost_minor.is_not(None), shipments.c.state != "voided")
    )
    paid = OPENED.join(
        refunds, same(OPENED, refunds, ("order_id", "order_id"), ("id", "return_id"))
    )
    refund = (
        select(
            case((refunds.c.kind == "goodwill", "goodwill"), else_="refund"),
            cast(refunds.c.currency, Text),
            refunds.c.arrived_minor,
        )
        .select_from(paid)
        .where(refunds.c.arrived_minor > 0)
    )
    early = OPENED.join(advances, same(OPENED, advances, ("id", "return_id")))
    lost = (
        select(
            literal("fast_refund_loss", Text),
            cast(recoveries.c.currency, Text),
            recoveries.c.written_off_minor + recoveries.c.waived_minor,
        )
        .select_from(early.join(recoveries, same(advances, recoveries, ("id", "advance_id"))))
        .where(recoveries.c.written_off_minor + recoveries.c.waived_minor > 0)
    )
    every = union_all(
        label,
        refund,
        lost,
        _borne(paid, refunds, refunds.c.kind == "return"),
        _borne(early, advances, advances.c.parts.is_not(None)),
    ).subquery("every")
    figures = (number(), total(every.c.amount))
    return added_up(every, (every.c.cost,), figures, every.c.currency)


def _borne(rows: FromClause, table: Any, only: ColumnElement[bool]) -> Select[Any]:
    """The deductions among the parts of a settlement, wherever they are kept."""
    part = json_rows(table.c.parts, kind=Text, amount=BigInteger)
    return (
        select(part.c.kind, cast(table.c.currency, Text), part.c.amount)
        .select_from(rows.join(part, true()))
        .where(only, among(part.c.kind, _BORNE), part.c.amount != 0)
    )


def _recovery() -> Select[Any]:
    unit = inspected_units.c
    rows = SOLD.join(inspected_units, same(return_lines, inspected_units, ("id", "return_line_id")))
    figures = (number(), total(order_lines.c.unit_price_minor))
    keys = (or_else(unit.disposition, "undecided"), unit.grade)
    return added_up(rows, keys, figures, cast(OPENED.c.currency, Text))


def _fast_refunds() -> Select[Any]:
    paid, owed = advances.c, recoveries.c
    rows = OPENED.join(advances, same(OPENED, advances, ("id", "return_id"))).outerjoin(
        recoveries, same(advances, recoveries, ("id", "advance_id"))
    )
    lost = owed.written_off_minor + owed.waived_minor
    figures = (
        number(),
        total(paid.amount_minor - paid.never_paid_minor, paid.state != "declined"),
        total(owed.amount_minor),
        total(owed.paid_minor),
        total(owed.cleared_minor),
        total(lost),
        total(owed.amount_minor - owed.paid_minor - owed.cleared_minor - lost),
    )
    keys = (paid.state, or_else(owed.cause, "none"))
    return added_up(rows, keys, figures, cast(paid.currency, Text))


OF: Final[Mapping[str, Select[Any]]] = {
    "carriers": _carriers(),
    "costs": _costs(),
    "recovery": _recovery(),
    "fast_refunds": _fast_refunds(),
}
"""By source: rows with ``keys``, ``currency`` and ``figures``."""
