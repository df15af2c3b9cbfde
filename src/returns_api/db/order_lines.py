"""The lines of an order as its newest snapshot has them.

Owns what becomes of a line that the snapshot no longer has: it goes, unless something of it was
sent, claimed or stopped. Refuses to own which snapshot is the newest (``usecases._orders``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Text,
    Uuid,
    and_,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import cancellation_lines as stopped_lines
from returns_api.db.tables import cancellations, order_lines, parcel_lines, parcels, return_lines

_told_lines: Final = json_rows(
    "lines",
    id=Uuid,
    external_id=Text,
    position=Integer,
    kind=Text,
    title=Text,
    sku=Text,
    product_id=Text,
    variant_id=Text,
    vendor=Text,
    category=Text,
    tags=ARRAY(Text),
    weight_grams=Integer,
    shippable=Boolean,
    unit_price_minor=BigInteger,
    discounted=Boolean,
    options=JSONB,
    ordered=Integer,
    removed=Integer,
)
_new_lines: Final = insert(order_lines).from_select(
    ["shop_id", "order_id", *_told_lines.c.keys()],
    select(SHOP, given("order_id", Uuid), *_told_lines.c),
)
_PUT_LINES: Final = Query(
    _new_lines.on_conflict_do_update(
        index_elements=["shop_id", "order_id", "external_id"],
        set_={
            name: _new_lines.excluded[name]
            for name in (told.name for told in _told_lines.c)
            if name not in {"id", "external_id"}
        },
    )
)
_gone: Final = and_(
    here(order_lines),
    order_lines.c.order_id == given("order_id"),
    order_lines.c.external_id != func.all(given("told", ARRAY(Text))),
)
_sent: Final = (
    select(parcel_lines.c.line_id)
    .join(
        parcels,
        and_(parcels.c.shop_id == parcel_lines.c.shop_id, parcels.c.id == parcel_lines.c.parcel_id),
    )
    .where(here(parcel_lines), parcels.c.order_id == given("order_id"))
)
_stopped: Final = (
    select(stopped_lines.c.order_line_id)
    .join(
        cancellations,
        and_(
            cancellations.c.shop_id == stopped_lines.c.shop_id,
            cancellations.c.id == stopped_lines.c.cancellation_id,
        ),
    )
    .where(here(stopped_lines), cancellations.c.order_id == given("order_id"))
)
_DROP_LINES: Final = Query(
    delete(order_lines).where(
        _gone,
        order_lines.c.claimed == 0,
        order_lines.c.id.not_in(_sent),
        ~exists().where(here(return_lines), return_lines.c.order_line_id == order_lines.c.id),
        order_lines.c.id.not_in(_stopped),
    )
)
_EMPTY_LINES: Final = Query(
    update(order_lines)
    .where(_gone, order_lines.c.removed < order_lines.c.ordered)
    .values(removed=order_lines.c.ordered)
)


async def put(tx: Transaction, order_id: UUID, lines: Sequence[Mapping[str, Any]]) -> None:
    """The newest snapshot's lines. One that it no longer has goes, or stays with nothing left."""
    told = [line["external_id"] for line in lines]
    await tx.run(_PUT_LINES, order_id=order_id, lines=[dict(line) for line in lines])
    if await tx.run(_EMPTY_LINES, order_id=order_id, told=told):
        await tx.run(_DROP_LINES, order_id=order_id, told=told)
