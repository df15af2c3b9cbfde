"""Recoveries: what of an advance is to come back, with every step of it in an append-only table.

The parts are counted in the head and told in the steps; an audit compares them. Refuses to own the
entries in the books (``ledger``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, any_, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import recoveries as _t
from returns_api.db.tables import recovery_steps as _s
from returns_api.domain.recoveries import RecoveryRecord

_COLUMNS: Final = tuple(_t.c[name] for name in RecoveryRecord.__dataclass_fields__)
_ADDED: Final = (
    "id",
    "order_id",
    "return_id",
    "advance_id",
    "refund_id",
    "exchange_id",
    "state",
    "cause",
    "amount_minor",
    "currency",
    "created_at",
    "updated_at",
)
_ADD: Final = Query(insert(_t).values(shop_id=SHOP, **{name: given(name) for name in _ADDED}))
_STEP_FIELDS: Final = tuple(c.name for c in _s.c if c.name != "shop_id")
_ADD_STEP: Final = Query(
    insert(_s).values(shop_id=SHOP, **{name: given(name, _s.c[name].type) for name in _STEP_FIELDS})
)
_one = select(*_COLUMNS).where(here(_t), _t.c.id == given("id"))
_ONE: Final = Query(_one)
_LOCK: Final = Query(_one.with_for_update())
_LOCK_OF_ADVANCE: Final = Query(
    select(*_COLUMNS).where(here(_t), _t.c.advance_id == given("advance_id")).with_for_update()
)
_IDS_OF_ADVANCES: Final = Query(
    select(_t.c.id, _t.c.advance_id).where(
        here(_t), _t.c.advance_id == any_(given("advance_ids", ARRAY(Uuid)))
    )
)
_PAGE: Final = Query(
    select(*_COLUMNS)
    .where(
        here(_t),
        _t.c.id < given("before"),
        or_(given("order_id", Uuid).is_(None), _t.c.order_id == given("order_id", Uuid)),
        or_(given("return_id", Uuid).is_(None), _t.c.return_id == given("return_id", Uuid)),
        or_(given("state", Text).is_(None), _t.c.state == given("state", Text)),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_STEPS_OF: Final = Query(
    select(*(c for c in _s.c if c.name != "shop_id"))
    .where(here(_s), _s.c.recovery_id == any_(given("recovery_ids", ARRAY(Uuid))))
    .order_by(_s.c.id)
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.due_at <= given("now"))
    .order_by(_t.c.due_at)
    .limit(given("limit"))
)


@cache
def _moving(names: frozenset[str]) -> Query:
    return Query(
        update(_t)
        .where(here(_t), _t.c.id == given("id"), _t.c.sequence == given("seen", Integer))
        .values(
            sequence=_t.c.sequence + 1,
            updated_at=given("now"),
            **{name: given(name, _t.c[name].type) for name in names},
        )
        .returning(*_COLUMNS)
    )


async def add(tx: Transaction, **values: Any) -> None:
    """Once per advance: the key refuses a second one."""
    await tx.run(_ADD, **values)


async def add_step(tx: Transaction, **values: Any) -> None:
    """Tell one part; for ever."""
    await tx.run(_ADD_STEP, **values)


async def one(tx: Transaction, recovery_id: UUID) -> RecoveryRecord | None:
    return _record(await tx.first(_ONE, id=recovery_id))


async def lock(tx: Transaction, recovery_id: UUID) -> RecoveryRecord | None:
    """After payments, the return and its advance; before counters of caps."""
    return _record(await tx.first(_LOCK, id=recovery_id))


async def lock_of_advance(tx: Transaction, advance_id: UUID) -> RecoveryRecord | None:
    return _record(await tx.first(_LOCK_OF_ADVANCE, advance_id=advance_id))


async def of_advances(tx: Transaction, advance_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Ids of recoveries by their advance."""
    found = await tx.all(_IDS_OF_ADVANCES, advance_ids=list(advance_ids))
    return {row["advance_id"]: row["id"] for row in found}


async def page(tx: Transaction, **filters: Any) -> list[RecoveryRecord]:
    """Newest first; ``before``, ``limit`` and the optional filters order_id, return_id, state."""
    return [RecoveryRecord(**row) for row in await tx.all(_PAGE, **filters)]


async def steps_of(tx: Transaction, recovery_ids: Sequence[UUID]) -> list[Row]:
    """Every step of these recoveries, oldest first."""
    return await tx.all(_STEPS_OF, recovery_ids=list(recovery_ids))


async def move(
    tx: Transaction, before: RecoveryRecord, now: datetime, **values: Any
) -> RecoveryRecord:
    """Set columns of a locked recovery; as it is then."""
    row = await tx.first(
        _moving(frozenset(values)), id=before.id, seen=before.sequence, now=now, **values
    )
    found = _record(row)
    assert found is not None
    return found


def _record(row: Row | None) -> RecoveryRecord | None:
    return None if row is None else RecoveryRecord(**row)
