"""Orders that nobody knew, written many at once: the statements of ``order_intake`` over sets.

Owns the set-based form: one statement a table, whatever the number of orders. Refuses to own the
rows' contents (``usecases._order_rows``) and orders that are known already, which go one by one.
``begin`` takes the same locks in the same sequence as an intake of one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Table,
    Text,
    any_,
    case,
    column,
    func,
    insert,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import (
    certificates,
    order_lines,
    order_people,
    orders,
    parcel_lines,
    parcels,
    payments,
    shops,
)

_names: Final = (
    func.unnest(given("names", ARRAY(Text))).table_valued(column("name", Text)).render_derived()
)
_LOCK: Final = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(_names.c.name, 0))))
_STATUS: Final = Query(select(shops.c.status).where(here(shops)))
_HEADS: Final = Query(
    select(orders.c.external_id, orders.c.platform_updated_at, orders.c.snapshot).where(
        here(orders),
        orders.c.source == given("source"),
        orders.c.external_id == any_(given("external_ids", ARRAY(Text))),
    )
)


def _told(table: Table, names: Iterable[str]) -> Any:
    """Rows given as JSON, with the columns of the table."""
    return json_rows("rows", **{name: table.c[name].type for name in names})


def _insert(table: Table, *without: str) -> Query:
    names = [c.name for c in table.c if c.name not in {"shop_id", *without}]
    told = _told(table, names)
    return Query(insert(table).from_select(["shop_id", *names], select(SHOP, *told.c)))


def _insert_payments() -> Query:
    """The provider's id stands once, as in ``payments``: what another order has is left out."""
    counters = {"reserved", "refunded", "external", "disputed", "exchanged"}
    names = [c.name for c in payments.c if c.name not in {"shop_id", *counters}]
    told, other = _told(payments, names), payments.alias("other")
    # A value, not EXISTS: that one may be answered by reading all payments of the shop once.
    found = select(other.c.id).where(
        here(other),
        other.c.provider == told.c.provider,
        other.c.account == told.c.account,
        other.c.provider_payment_id == told.c.provider_payment_id,
    )
    taken = found.limit(1).scalar_subquery().is_not(None)
    values = [
        case((taken, null()), else_=told.c[name]) if name == "provider_payment_id" else told.c[name]
        for name in names
    ]
    return Query(insert(payments).from_select(["shop_id", *names], select(SHOP, *values)))


_INSERTS: Final[dict[str, Query]] = {
    "orders": _insert(orders, "returns_opened"),
    "order_people": _insert(order_people, "erased_at"),
    "order_lines": _insert(
        order_lines, "outside_returned", "outside_cancelled", "claimed", "cancelled"
    ),
    "payments": _insert_payments(),
    "certificates": _insert(certificates),
    "parcels": _insert(parcels),
    "parcel_lines": _insert(parcel_lines),
}
"""In the order in which rows may point at each other."""


async def begin(
    tx: Transaction, source: str, external_ids: Sequence[str]
) -> tuple[str, dict[str, tuple[datetime, str]]]:
    """Lock orders for intake by their outside names; the shop's status, and of those that are known
    the newest snapshot's time and digest, by external id."""
    ordered = sorted(set(external_ids))
    await tx.run(_LOCK, names=[f"order/{tx.shop}/{source}/{name}" for name in ordered])
    found = await tx.all(_HEADS, source=source, external_ids=ordered)
    known = {row["external_id"]: (row["platform_updated_at"], row["snapshot"]) for row in found}
    return await tx.value(_STATUS), known


async def add(tx: Transaction, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Write rows by the names of their tables."""
    for table, query in _INSERTS.items():
        if rows.get(table):
            await tx.run(query, rows=rows[table])
