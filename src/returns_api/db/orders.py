"""Orders read whole: everything a decision, a quote or a page needs, in one statement.

Owns the shape in which the upper storeys see a stored order. Refuses to own how an order gets
stored (``order_intake``), what may come back (``domain.policy``) and what it cost per unit: the
certificate is handed on as it was stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Integer,
    Select,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import (
    certificates,
    order_lines,
    order_people,
    orders,
    parcel_lines,
    parcels,
    payments,
    unit_claims,
)
from returns_api.domain.order_record import (
    LineRecord,
    OrderRecord,
    ParcelRecord,
    PaymentRecord,
)
from returns_api.domain.orders import LineKind
from returns_api.ports.carriers import Address

_NONE: Final = literal_column("'[]'::jsonb", JSONB)
_ORDER: Final[BindParameter[UUID]] = bindparam("order_id", required=True, type_=Uuid())


def _listed(rows: Select[Any], *, by: str) -> Any:
    """``rows`` as one jsonb array, ordered by a column of theirs."""
    inner = rows.subquery()
    item: Any = func.to_jsonb(inner.table_valued())
    return (
        select(
            func.coalesce(
                func.jsonb_agg(aggregate_order_by(item, inner.c[by]), type_=JSONB),
                _NONE,
            )
        )
        .select_from(inner)
        .scalar_subquery()
    )


def _mine(table: Any, *without: str) -> Select[Any]:
    columns = [c for c in table.c if c.name not in {"shop_id", "order_id", *without}]
    return select(*columns).where(here(table), table.c.order_id == _ORDER)


def _load_statement() -> Query:
    claimed = (
        select(func.array_agg(aggregate_order_by(unit_claims.c.unit_no, unit_claims.c.unit_no)))
        .where(here(unit_claims), unit_claims.c.line_id == order_lines.c.id)
        .correlate(order_lines)
        .scalar_subquery()
        .label("claimed_units")
    )
    contents = (
        select(func.jsonb_object_agg(parcel_lines.c.line_id, parcel_lines.c.quantity))
        .where(here(parcel_lines), parcel_lines.c.parcel_id == parcels.c.id)
        .correlate(parcels)
        .scalar_subquery()
        .label("quantities")
    )
    newest = (
        select(certificates.c.version, certificates.c.digest, certificates.c.body)
        .where(here(certificates), certificates.c.order_id == _ORDER)
        .order_by(certificates.c.version.desc())
        .limit(1)
        .subquery("newest")
    )
    locale = (
        select(order_people.c.locale)
        .where(here(order_people), order_people.c.order_id == _ORDER)
        .scalar_subquery()
    )
    return Query(
        select(
            *(
                c
                for c in orders.c
                if c.name not in {"shop_id", "email_key", "number_key", "snapshot"}
            ),
            locale.label("locale"),
            newest.c.version.label("certificate_version"),
            newest.c.digest.label("certificate_digest"),
            newest.c.body.label("certificate"),
            _listed(_mine(order_lines, "options").add_columns(claimed), by="position").label(
                "lines"
            ),
            _listed(_mine(parcels).add_columns(contents), by="external_id").label("parcels"),
            _listed(_mine(payments), by="position").label("payments"),
        )
        .join_from(orders, newest, orders.c.id == _ORDER)
        .where(here(orders), orders.c.id == _ORDER)
    )


_SUMMARY: Final = (
    orders.c.id,
    orders.c.number,
    orders.c.source,
    orders.c.external_id,
    orders.c.placed_at,
    orders.c.currency,
    orders.c.total_minor,
    orders.c.financial_status,
    orders.c.cancelled_at,
    orders.c.country,
    orders.c.returns_opened,
)
_PAGE: Final = Query(
    select(*_SUMMARY)
    .where(here(orders), orders.c.id < given("before"))
    .order_by(orders.c.id.desc())
    .limit(given("limit"))
)
_PAGE_OF_NUMBER: Final = Query(
    select(*_SUMMARY)
    .where(
        here(orders),
        orders.c.number_key == given("number_key"),
        orders.c.id < given("before"),
    )
    .order_by(orders.c.id.desc())
    .limit(given("limit"))
)
_LOAD: Final = _load_statement()
_LOCK: Final = Query(
    select(orders.c.id)
    .where(here(orders), orders.c.id == _ORDER)
    .with_for_update(of=orders, key_share=True)
)
_SENDER: Final = Query(
    select(order_people).where(here(order_people), order_people.c.order_id == _ORDER)
)


async def load_order(tx: Transaction, order_id: UUID) -> OrderRecord | None:
    """The order with all that hangs below it, from one snapshot; None when it does not exist."""
    row = await tx.first(_LOAD, order_id=order_id)
    return None if row is None else _order(row)


async def lock(tx: Transaction, order_id: UUID) -> None:
    """Lock the order's row: after its payments, before its lines. Intakes and openings do the same,
    so nobody else moves its units meanwhile."""
    await tx.first(_LOCK, order_id=order_id)


async def page(tx: Transaction, *, number_key: str | None, before: UUID, limit: int) -> list[Row]:
    """Heads of orders, newest first; ``number_key`` is a number in its one form."""
    if number_key is None:
        return await tx.all(_PAGE, before=before, limit=limit)
    return await tx.all(_PAGE_OF_NUMBER, number_key=number_key, before=before, limit=limit)


async def sender_address(tx: Transaction, order_id: UUID) -> Address | None:
    """Where a return parcel would be sent from; None when it is unknown, incomplete or erased."""
    row = await tx.first(_SENDER, order_id=order_id)
    needed = ("name", "street1", "city", "postcode", "country")
    if row is None or not all(row[column] for column in needed):
        return None
    also = ("street2", "region", "email", "phone")
    return Address(**{column: row[column] for column in (*needed, *also)})


def _order(row: Row) -> OrderRecord:
    contents = tuple(_parcel(item) for item in row["parcels"])
    values = dict(row.items())
    values["customer_key"] = None if row["customer_key"] is None else bytes(row["customer_key"])
    values["tags"], values["flags"] = tuple(row["tags"]), tuple(row["flags"])
    values["lines"] = tuple(_line(item, contents) for item in row["lines"])
    values["parcels"] = contents
    values["payments"] = tuple(
        PaymentRecord(**{**item, "id": UUID(item["id"])}) for item in row["payments"]
    )
    return OrderRecord(**values)


def _line(item: Mapping[str, Any], contents: Sequence[ParcelRecord]) -> LineRecord:
    line_id = UUID(item["id"])
    mine = [p for p in contents if not p.cancelled and p.quantities.get(line_id)]
    shipped = sorted(p.shipped_at for p in mine if p.shipped_at is not None)
    delivered = [p.delivered_at for p in mine if p.delivered_at is not None]
    values = {
        **item,
        "id": line_id,
        "kind": LineKind(item["kind"]),
        "tags": tuple(item["tags"]),
        "claimed_units": tuple(item["claimed_units"] or ()),
        "first_fulfilled_at": shipped[0] if shipped else None,
        "last_fulfilled_at": shipped[-1] if shipped else None,
        "last_delivered_at": max(delivered, default=None),
        "all_delivered": bool(mine) and len(delivered) == len(mine),
    }
    return LineRecord(**values)


def _parcel(item: Mapping[str, Any]) -> ParcelRecord:
    quantities = {UUID(line): count for line, count in (item["quantities"] or {}).items()}
    return ParcelRecord(
        id=UUID(item["id"]),
        external_id=item["external_id"],
        carrier=item["carrier"],
        tracking_codes=tuple(item["tracking_codes"]),
        shipped_at=_moment(item["shipped_at"]),
        delivered_at=_moment(item["delivered_at"]),
        cancelled=item["cancelled"],
        quantities=quantities,
    )


def _moment(text: str | None) -> datetime | None:
    """A timestamptz as jsonb prints it."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


_CERTIFICATE: Final = Query(
    select(certificates.c.body)
    .where(
        here(certificates),
        certificates.c.order_id == _ORDER,
        certificates.c.version == func.coalesce(given("version", Integer), certificates.c.version),
    )
    .order_by(certificates.c.version.desc())
    .limit(1)
)


async def certificate(
    tx: Transaction, order_id: UUID, version: int | None = None
) -> Mapping[str, Any]:
    """The stored form of one version of the order's certificate, of the newest for None.

    Raises ``KeyError`` when there is none.
    """
    body = await tx.value(_CERTIFICATE, order_id=order_id, version=version)
    if body is None:
        raise KeyError(order_id)
    found: Mapping[str, Any] = body
    return found
