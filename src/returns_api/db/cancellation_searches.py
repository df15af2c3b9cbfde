"""Which cancellations there are of an order: of its parcels, of its lines, waiting or confirmed.

Refuses to own their rows and the units that they hold (``cancellations``). The order is locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.cancellations import SHOWN, record
from returns_api.db.engine import Transaction
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import cancellation_lines as _l
from returns_api.db.tables import cancellations as _t
from returns_api.db.tables import order_lines, parcels, unit_claims
from returns_api.domain.cancellations import CancellationRecord
from returns_api.domain.orders import LineKind

_OF_LINES: Final = Query(
    SHOWN.where(
        here(_t),
        _t.c.order_id == given("order_id"),
        _t.c.cause == given("cause"),
        among(_t.c.state, ("requested", "confirmed")),
        _t.c.id.in_(
            select(_l.c.cancellation_id).where(
                here(_l), _l.c.order_line_id == any_(given("line_ids", ARRAY(Uuid)))
            )
        ),
    ).order_by((_t.c.state == "confirmed"), _t.c.id.desc())
)

_ALL_OF_PARCEL: Final = Query(
    SHOWN.where(
        here(_t),
        _t.c.order_id == given("order_id"),
        _t.c.parcel_id == given("parcel_id"),
    ).order_by(_t.c.id)
)
_OF_VOID_PARCELS: Final = Query(
    SHOWN.where(
        here(_t),
        _t.c.order_id == given("order_id"),
        parcels.c.cancelled,
        among(_t.c.state, ("requested", "confirmed")),
    ).order_by((_t.c.state == "confirmed"), _t.c.id.desc())
)
_OF_PARCEL: Final = Query(
    select(_t.c.id)
    .where(
        here(_t),
        _t.c.order_id == given("order_id"),
        _t.c.parcel_id == given("parcel_id"),
        _t.c.cause == given("cause"),
    )
    .limit(1)
)


_held = (
    select(func.count())
    .select_from(unit_claims)
    .join(
        _l,
        and_(_l.c.shop_id == unit_claims.c.shop_id, _l.c.id == unit_claims.c.cancellation_line_id),
    )
    .join(_t, and_(_t.c.shop_id == _l.c.shop_id, _t.c.id == _l.c.cancellation_id))
    .where(
        here(unit_claims),
        unit_claims.c.line_id == order_lines.c.id,
        unit_claims.c.unit_no <= order_lines.c.ordered - order_lines.c.removed,
        _t.c.state == "confirmed",
    )
    .correlate(order_lines)
    .scalar_subquery()
)
_waiting = (
    select(
        _l.c.order_line_id,
        func.count().filter(_l.c.dispatched).label("claimed"),
        func.count()
        .filter(
            ~_l.c.dispatched, unit_claims.c.unit_no <= order_lines.c.ordered - order_lines.c.removed
        )
        .label("cancelled"),
    )
    .select_from(unit_claims)
    .join(
        _l,
        and_(_l.c.shop_id == unit_claims.c.shop_id, _l.c.id == unit_claims.c.cancellation_line_id),
    )
    .join(_t, and_(_t.c.shop_id == _l.c.shop_id, _t.c.id == _l.c.cancellation_id))
    .join(
        order_lines,
        and_(
            order_lines.c.shop_id == unit_claims.c.shop_id,
            order_lines.c.id == unit_claims.c.line_id,
        ),
    )
)
_WAITING: Final = Query(
    _waiting.where(
        here(unit_claims),
        _t.c.order_id == given("order_id"),
        among(_t.c.state, ("requested", "coming_back")),
    ).group_by(_l.c.order_line_id)
)
_REST: Final = Query(
    select(func.count())
    .select_from(order_lines)
    .where(
        here(order_lines),
        order_lines.c.order_id == given("order_id"),
        order_lines.c.kind == LineKind.GOODS.value,
        order_lines.c.shippable,
        order_lines.c.ordered - order_lines.c.removed > _held,
    )
)


async def of_parcel(tx: Transaction, order_id: UUID, parcel_id: UUID) -> list[CancellationRecord]:
    """All that were ever about a parcel, oldest first."""
    rows = await tx.all(_ALL_OF_PARCEL, order_id=order_id, parcel_id=parcel_id)
    return [each for each in map(record, rows) if each is not None]


async def of_void_parcels(tx: Transaction, order_id: UUID) -> list[CancellationRecord]:
    """Those about parcels that the platform took back: what waits before what was confirmed, newest
    first."""
    rows = await tx.all(_OF_VOID_PARCELS, order_id=order_id)
    return [each for each in map(record, rows) if each is not None]


async def waiting(tx: Transaction, order_id: UUID) -> dict[UUID, tuple[int, int]]:
    """Units that cancellations hold which nobody has confirmed: by line, what of them counts as
    claimed and what as cancelled."""
    rows = await tx.all(_WAITING, order_id=order_id)
    return {row["order_line_id"]: (row["claimed"], row["cancelled"]) for row in rows}


async def unsent(
    tx: Transaction, order_id: UUID, cause: str, line_ids: Sequence[UUID]
) -> list[CancellationRecord]:
    """Those of some lines for this cause: what waits before what was confirmed, newest first."""
    rows = await tx.all(_OF_LINES, order_id=order_id, cause=cause, line_ids=list(line_ids))
    return [each for each in map(record, rows) if each is not None]


async def told_before(tx: Transaction, order_id: UUID, parcel_id: UUID, cause: str) -> bool:
    """Whether there ever was one of this parcel for this cause."""
    values = {"parcel_id": parcel_id, "cause": cause}
    return await tx.value(_OF_PARCEL, order_id=order_id, **values) is not None


async def is_whole(tx: Transaction, order_id: UUID) -> bool:
    """Whether confirmed cancellations hold every unit that the order still has to be sent."""
    return int(await tx.value(_REST, order_id=order_id)) == 0
