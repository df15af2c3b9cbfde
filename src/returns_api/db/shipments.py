"""Return parcels: rows to facts, claims for one try, guarded outcomes, scans."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, and_, any_, case, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import connections, returns, scans, shipments
from returns_api.domain.shipments import TRACKED, ShipmentRecord

_MOMENT: Final = DateTime(timezone=True)
_COLUMNS: Final = tuple(shipments.c[name] for name in ShipmentRecord.__dataclass_fields__)

_OF_RETURNS: Final = Query(
    select(*_COLUMNS).where(
        here(shipments), shipments.c.return_id == any_(given("return_ids", ARRAY(Uuid)))
    )
)
_LOCK: Final = Query(
    select(*_COLUMNS).where(here(shipments), shipments.c.id == given("id")).with_for_update()
)
_LOCK_OF_RETURN: Final = Query(
    select(*_COLUMNS)
    .where(here(shipments), shipments.c.return_id == given("return_id"))
    .with_for_update()
)
_BY_CARRIER: Final = Query(
    select(shipments.c.id, shipments.c.return_id).where(
        here(shipments),
        shipments.c.source == given("source"),
        or_(
            shipments.c.carrier_shipment_id == given("carrier_shipment_id"),
            and_(
                given("carrier_shipment_id").is_(None),
                shipments.c.tracking_code == given("tracking_code"),
            ),
        ),
    )
)
_CLAIM: Final = Query(
    update(shipments)
    .where(
        here(shipments),
        here(returns),
        returns.c.id == shipments.c.return_id,
        shipments.c.id == given("id"),
        among(shipments.c.state, ("label_due", "void_due")),
        shipments.c.due_at <= given("now"),
        or_(shipments.c.leased_until.is_(None), shipments.c.leased_until <= given("now")),
    )
    .values(
        attempt=shipments.c.attempt + 1,
        tries=shipments.c.tries + 1,
        leased_until=given("leased_until"),
    )
    .returning(*_COLUMNS, returns.c.order_id)
)
_PREPARED: Final = Query(
    update(shipments)
    .where(
        here(shipments),
        shipments.c.id == given("id"),
        shipments.c.attempt == given("attempt"),
        shipments.c.state == "label_due",
    )
    .values(carrier_shipment_id=given("carrier_shipment_id"))
)
_POSTPONE: Final = Query(
    update(shipments)
    .where(here(shipments), shipments.c.id == given("id"))
    .values(due_at=given("due_at"), leased_until=None, last_error=given("error"))
)
_WANT: Final = Query(
    update(shipments)
    .where(here(shipments), shipments.c.id == given("id"))
    .values(due_at=given("due_at"), updated_at=given("due_at"))
)
_REMEMBER: Final = Query(
    update(shipments)
    .where(here(shipments), shipments.c.id == given("id"))
    .values(
        leased_until=None,
        **{
            name: given(name, shipments.c[name].type)
            for name in (
                "carrier_shipment_id",
                "tracking_code",
                "carrier",
                "service",
                "label_url",
                "qr_url",
                "label_forms",
                "track_at",
                "cost_minor",
                "cost_currency",
            )
        },
    )
)
_SCAN: Final = Query(
    insert(scans)
    .values(
        shop_id=SHOP,
        shipment_id=given("shipment_id"),
        status=given("status"),
        at=given("at"),
        description=given("description"),
    )
    .on_conflict_do_nothing()
)
_SCANS: Final = Query(
    select(scans.c.status, scans.c.at).where(
        here(scans), scans.c.shipment_id == given("shipment_id")
    )
)
_SCANNED: Final = Query(
    update(shipments)
    .where(here(shipments), shipments.c.id == given("id"))
    .values(last_scan_at=func.greatest(shipments.c.last_scan_at, given("at")))
)
_ASK: Final = Query(
    update(shipments)
    .where(
        here(shipments),
        here(connections),
        connections.c.source == shipments.c.source,
        shipments.c.id == given("id"),
        shipments.c.track_at <= given("now"),
    )
    .values(
        track_at=case((among(shipments.c.state, TRACKED), given("next_at", _MOMENT)), else_=null())
    )
    .returning(
        shipments.c.state,
        shipments.c.source,
        shipments.c.carrier_shipment_id,
        shipments.c.tracking_code,
        *(
            connections.c[name]
            for name in ("adapter", "account", "base_url", "secret_sealed", "active")
        ),
    )
)
_ASK_LATER: Final = Query(
    update(shipments)
    .where(here(shipments), shipments.c.id == given("id"), shipments.c.track_at.is_not(None))
    .values(track_at=given("track_at"))
)
TO_ASK: Final = Query(
    select(shipments.c.shop_id, shipments.c.id)
    .where(shipments.c.track_at <= given("now"))
    .order_by(shipments.c.track_at)
    .limit(given("limit"))
)
DUE: Final = Query(
    select(shipments.c.shop_id, shipments.c.id)
    .where(
        shipments.c.due_at <= given("now"),
        or_(shipments.c.leased_until.is_(None), shipments.c.leased_until <= given("now")),
    )
    .order_by(shipments.c.due_at)
    .limit(given("limit"))
)


@cache
def _moving(names: frozenset[str]) -> Query:
    return Query(
        update(shipments)
        .where(
            here(shipments),
            shipments.c.id == given("id"),
            shipments.c.sequence == given("seen", Integer),
        )
        .values(
            sequence=shipments.c.sequence + 1,
            updated_at=given("now"),
            **{name: given(name, shipments.c[name].type) for name in names},
        )
        .returning(shipments.c.sequence)
    )


async def of_returns(tx: Transaction, return_ids: list[UUID]) -> list[ShipmentRecord]:
    return [ShipmentRecord(**row) for row in await tx.all(_OF_RETURNS, return_ids=return_ids)]


async def lock(tx: Transaction, shipment_id: UUID) -> ShipmentRecord | None:
    row = await tx.first(_LOCK, id=shipment_id)
    return None if row is None else ShipmentRecord(**row)


async def lock_of_return(tx: Transaction, return_id: UUID) -> ShipmentRecord | None:
    row = await tx.first(_LOCK_OF_RETURN, return_id=return_id)
    return None if row is None else ShipmentRecord(**row)


async def by_carrier(
    tx: Transaction, source: str, carrier_shipment_id: str | None, tracking_code: str
) -> Row | None:
    """The parcel whose label *we* bought; anybody else's tracking code finds nothing."""
    return await tx.first(
        _BY_CARRIER,
        source=source,
        carrier_shipment_id=carrier_shipment_id,
        tracking_code=tracking_code,
    )


async def claim(tx: Transaction, shipment_id: UUID, now: datetime, until: datetime) -> Row | None:
    """Take the shipment for one try at the carrier; counted before it runs."""
    return await tx.first(_CLAIM, id=shipment_id, now=now, leased_until=until)


async def prepared(
    tx: Transaction, shipment_id: UUID, attempt: int, carrier_shipment_id: str
) -> bool:
    """Remember the carrier's id before paying; False when the try lost its lease or the label is
    not wanted any more."""
    return bool(
        await tx.run(
            _PREPARED, id=shipment_id, attempt=attempt, carrier_shipment_id=carrier_shipment_id
        )
    )


async def move(
    tx: Transaction, shipment_id: UUID, seen: int, now: datetime, **values: Any
) -> int | None:
    """Set columns where the sequence is still ``seen``; the new sequence, or None."""
    sequence: int | None = await tx.value(
        _moving(frozenset(values)), id=shipment_id, seen=seen, now=now, **values
    )
    return sequence


async def ask(tx: Transaction, shipment_id: UUID, now: datetime, next_at: datetime) -> Row | None:
    """Take a parcel whose scans are to be asked for, with its connection; None when it is not due.

    One that can still move is due again at ``next_at``, whatever becomes of the question.
    """
    return await tx.first(_ASK, id=shipment_id, now=now, next_at=next_at)


async def ask_later(tx: Transaction, shipment_id: UUID, at: datetime) -> None:
    """Put the next question off, where one is planned."""
    await tx.run(_ASK_LATER, id=shipment_id, track_at=at)


async def add_scan(
    tx: Transaction, shipment_id: UUID, status: str, at: datetime, description: str | None
) -> bool:
    """False when this very scan is known."""
    added = await tx.run(
        _SCAN, shipment_id=shipment_id, status=status, at=at, description=description
    )
    if added:
        await tx.run(_SCANNED, id=shipment_id, at=at)
    return bool(added)


async def scans_of(tx: Transaction, shipment_id: UUID) -> list[tuple[str, datetime]]:
    """Status and time of every scan that is known."""
    return [(row["status"], row["at"]) for row in await tx.all(_SCANS, shipment_id=shipment_id)]


async def postpone(tx: Transaction, shipment_id: UUID, due_at: datetime, error: str) -> None:
    """Try again later; no transition, so no sequence."""
    await tx.run(_POSTPONE, id=shipment_id, due_at=due_at, error=error)


async def want(tx: Transaction, shipment_id: UUID, now: datetime) -> None:
    """The planned label is to be bought now; no transition, so no sequence."""
    await tx.run(_WANT, id=shipment_id, due_at=now)


async def remember_label(tx: Transaction, shipment_id: UUID, label: dict[str, Any]) -> None:
    """What was bought, whatever becomes of it; ends the lease."""
    await tx.run(_REMEMBER, id=shipment_id, **label)
