"""What the warehouse counted and saw: receipts, inspections, graded units. Rows only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, insert, select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import (
    inspected_units,
    inspections,
    receipt_lines,
    receipts,
    return_lines,
)


def _adding(table: Any) -> Query:
    names = [column.name for column in table.c if column.name != "shop_id"]
    return Query(insert(table).values(shop_id=SHOP, **{name: given(name) for name in names}))


_ADD_RECEIPT: Final = _adding(receipts)
_ADD_RECEIPT_LINE: Final = _adding(receipt_lines)
_ADD_INSPECTION: Final = _adding(inspections)
_ADD_UNIT: Final = _adding(inspected_units)
_BY_REFERENCE: Final = Query(
    select(receipts).where(
        here(receipts),
        receipts.c.return_id == given("return_id"),
        receipts.c.reference == given("reference"),
    )
)
_RECEIPTS: Final = Query(
    select(receipts, receipt_lines.c.return_line_id, receipt_lines.c.quantity)
    .outerjoin(
        receipt_lines,
        and_(
            receipt_lines.c.shop_id == receipts.c.shop_id,
            receipt_lines.c.receipt_id == receipts.c.id,
        ),
    )
    .where(here(receipts), receipts.c.return_id == given("return_id"))
    .order_by(receipts.c.id)
)
_GRADED: Final = Query(
    select(inspected_units, inspections.c.inspector, inspections.c.at)
    .join(
        inspections,
        and_(
            inspections.c.shop_id == inspected_units.c.shop_id,
            inspections.c.id == inspected_units.c.inspection_id,
        ),
    )
    .join(
        return_lines,
        and_(
            return_lines.c.shop_id == inspected_units.c.shop_id,
            return_lines.c.id == inspected_units.c.return_line_id,
        ),
    )
    .where(here(inspected_units), return_lines.c.return_id == given("return_id"))
    .order_by(inspected_units.c.id)
)


async def receipt_by_reference(tx: Transaction, return_id: UUID, reference: str) -> Row | None:
    return await tx.first(_BY_REFERENCE, return_id=return_id, reference=reference)


async def add_receipt(
    tx: Transaction, receipt: dict[str, Any], lines: Sequence[dict[str, Any]]
) -> None:
    await tx.run(_ADD_RECEIPT, **receipt)
    await tx.many(_ADD_RECEIPT_LINE, lines)


async def receipts_of(tx: Transaction, return_id: UUID) -> list[Row]:
    """One row per receipt and line, oldest first."""
    return await tx.all(_RECEIPTS, return_id=return_id)


async def add_inspection(
    tx: Transaction, inspection: dict[str, Any], units: Sequence[dict[str, Any]]
) -> None:
    await tx.run(_ADD_INSPECTION, **inspection)
    await tx.many(_ADD_UNIT, units)


async def graded_units(tx: Transaction, return_id: UUID) -> list[Row]:
    """Every graded unit of a return, in the order in which they were graded."""
    return await tx.all(_GRADED, return_id=return_id)
