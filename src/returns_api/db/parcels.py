"""Outbound parcels of an order: one row a parcel, one row for each line in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Text, and_, any_, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import order_lines, parcel_lines, parcels

_VALUES: Final = ("carrier", "tracking_codes", "shipped_at", "cancelled", "platform_updated_at")

_contents: Final = (
    select(func.jsonb_object_agg(order_lines.c.external_id, parcel_lines.c.quantity))
    .select_from(parcel_lines)
    .join(
        order_lines,
        and_(
            order_lines.c.shop_id == parcel_lines.c.shop_id,
            order_lines.c.id == parcel_lines.c.line_id,
        ),
    )
    .where(here(parcel_lines), parcel_lines.c.parcel_id == parcels.c.id)
    .correlate(parcels)
    .scalar_subquery()
    .label("contents")
)
_ONE: Final = Query(
    select(*(c for c in parcels.c if c.name != "shop_id"), _contents).where(
        here(parcels),
        parcels.c.order_id == given("order_id"),
        parcels.c.external_id == given("external_id"),
    )
)
_new: Final = insert(parcels).values(
    shop_id=SHOP,
    **{name: given(name) for name in ("id", "order_id", "external_id", "delivered_at", *_VALUES)},
)
_PUT: Final = Query(
    _new.on_conflict_do_update(
        index_elements=["shop_id", "order_id", "external_id"],
        set_={
            # LEAST leaves out NULL: the earliest delivery that anybody told.
            "delivered_at": func.least(parcels.c.delivered_at, _new.excluded.delivered_at),
            **{name: _new.excluded[name] for name in _VALUES},
        },
    ).returning(parcels.c.id)
)
_EMPTY: Final = Query(
    delete(parcel_lines).where(here(parcel_lines), parcel_lines.c.parcel_id == given("parcel_id"))
)
_told: Final = json_rows("contents", line=Text, quantity=Integer)
_FILL: Final = Query(
    insert(parcel_lines).from_select(
        ["shop_id", "parcel_id", "order_id", "line_id", "quantity"],
        select(
            SHOP,
            given("parcel_id", parcels.c.id.type),
            given("order_id", parcels.c.order_id.type),
            order_lines.c.id,
            _told.c.quantity,
        )
        .join_from(_told, order_lines, order_lines.c.external_id == _told.c.line)
        .where(here(order_lines), order_lines.c.order_id == given("order_id")),
    )
)
_DELIVER: Final = Query(
    update(parcels)
    .where(here(parcels), parcels.c.id == given("id"))
    .values(delivered_at=func.least(parcels.c.delivered_at, given("at", parcels.c.shipped_at.type)))
)
_KNOWN: Final = Query(
    select(order_lines.c.external_id).where(
        here(order_lines),
        order_lines.c.order_id == given("order_id"),
        order_lines.c.external_id == any_(given("external_ids", ARRAY(Text))),
    )
)


async def one(tx: Transaction, order_id: UUID, external_id: str) -> dict[str, Any] | None:
    """A parcel; ``contents`` is its units by the lines' external ids, or None."""
    row = await tx.first(_ONE, order_id=order_id, external_id=external_id)
    return None if row is None else dict(row.items())


async def put(tx: Transaction, order_id: UUID, contents: Mapping[str, int], **values: Any) -> UUID:
    """Write a parcel and what is in it as the newest snapshot says; returns its id.

    Lines that the order does not have are left out.
    """
    parcel_id: UUID = await tx.value(_PUT, order_id=order_id, **values)
    await tx.run(_EMPTY, parcel_id=parcel_id)
    told = [{"line": line, "quantity": quantity} for line, quantity in contents.items()]
    await tx.run(_FILL, parcel_id=parcel_id, order_id=order_id, contents=told)
    return parcel_id


async def deliver(tx: Transaction, parcel_id: UUID, at: datetime) -> None:
    """The earliest delivery that anybody told stays."""
    await tx.run(_DELIVER, id=parcel_id, at=at)


async def known_lines(tx: Transaction, order_id: UUID, external_ids: Sequence[str]) -> set[str]:
    """Which of these lines the order has by now."""
    found = await tx.all(_KNOWN, order_id=order_id, external_ids=list(external_ids))
    return {row["external_id"] for row in found}
