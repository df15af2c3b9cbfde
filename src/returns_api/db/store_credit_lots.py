"""The lots that a balance of store credit is made of, and which of them each purchase took from.

Lots are never locked: whoever changes one holds the lock of its account (``store_credits``).
Refuses to own which lots are taken (``domain.store_credits``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Text,
    Uuid,
    and_,
    any_,
    case,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import store_credit_draws as _d
from returns_api.db.tables import store_credit_lots as _l
from returns_api.domain.store_credits import Draw, Lot

_OPEN_LOTS: Final = Query(
    select(_l)
    .where(
        here(_l),
        _l.c.store_credit_id == any_(given("ids", ARRAY(Uuid))),
        _l.c.remaining_minor > literal_column("0"),  # as the index of open lots says it
    )
    .order_by(_l.c.expires_at.asc().nulls_last(), _l.c.id)
)
_LOT: Final = (
    "id",
    "store_credit_id",
    "currency",
    "kind",
    "amount_minor",
    "expires_at",
    "created_at",
)
_ADD_LOT: Final = Query(
    insert(_l).values(
        shop_id=SHOP,
        state="open",
        **{name: given(name) for name in _LOT},
        remaining_minor=given("amount_minor"),
        due_at=given("expires_at"),
    )
)
_drawn = json_rows("draws", lot=Uuid, delta=BigInteger, state=Text)
_left = _l.c.remaining_minor + _drawn.c.delta
_DRAW: Final = Query(
    update(_l)
    .where(here(_l), _l.c.id == _drawn.c.lot, _left >= 0)
    .values(
        remaining_minor=_left,
        state=_drawn.c.state,
        due_at=case((_left > 0, _l.c.expires_at), else_=null()),
    )
)
_ADD_DRAW: Final = Query(
    insert(_d).values(
        shop_id=SHOP, **{name: given(name) for name in ("movement_id", "lot_id", "amount_minor")}
    )
)
_TAKEN: Final = Query(
    select(_l, (_d.c.amount_minor - _d.c.returned_minor).label("left_minor"))
    .join(_d, and_(_d.c.shop_id == _l.c.shop_id, _d.c.lot_id == _l.c.id))
    .where(here(_l), here(_d), _d.c.movement_id == given("movement_id"))
)
_RETURN: Final = Query(
    update(_d)
    .where(here(_d), _d.c.movement_id == given("movement_id"), _d.c.lot_id == given("lot_id"))
    .values(returned_minor=_d.c.returned_minor + given("amount", BigInteger))
)
_OF_LOT: Final = Query(select(_l.c.store_credit_id).where(here(_l), _l.c.id == given("id")))
DUE: Final = Query(
    select(_l.c.shop_id, _l.c.id)
    .where(_l.c.due_at <= given("now", DateTime(timezone=True)))
    .order_by(_l.c.due_at)
    .limit(given("limit"))
)


def lot(row: Row) -> Lot:
    return Lot(**{name: row[name] for name in Lot.__dataclass_fields__})


async def add_lot(tx: Transaction, **values: Any) -> None:
    await tx.run(_ADD_LOT, **values)


async def draw(tx: Transaction, draws: Sequence[Draw], *, back: bool = False) -> None:
    """Take from lots of a locked account, or put ``back`` into them."""
    sign = 1 if back else -1
    told = [
        {"lot": str(each.lot.id), "delta": sign * each.amount_minor, "state": each.state}
        for each in draws
    ]
    touched = await tx.run(_DRAW, draws=told)
    assert touched == len(draws), "the plan was made from other lots"


async def add_draws(tx: Transaction, movement_id: UUID, draws: Iterable[Draw]) -> None:
    """Which lots a purchase took from, so that it can be undone."""
    await tx.many(
        _ADD_DRAW,
        [
            {"movement_id": movement_id, "lot_id": each.lot.id, "amount_minor": each.amount_minor}
            for each in draws
        ],
    )


async def taken(tx: Transaction, movement_id: UUID) -> list[Row]:
    """The lots that a purchase took from, each with what did not come back (``left_minor``)."""
    return await tx.all(_TAKEN, movement_id=movement_id)


async def count_back(
    tx: Transaction, movement_id: UUID, returned: Iterable[tuple[UUID, int]]
) -> None:
    """What came back of a purchase, by lot."""
    await tx.many(
        _RETURN,
        [
            {"movement_id": movement_id, "lot_id": lot_id, "amount": amount}
            for lot_id, amount in returned
        ],
    )


async def open_lots(tx: Transaction, account_ids: Sequence[UUID]) -> list[Row]:
    """Lots that have something left, what expires first in front."""
    return await tx.all(_OPEN_LOTS, ids=list(account_ids))


async def account_of_lot(tx: Transaction, lot_id: UUID) -> UUID | None:
    found: UUID | None = await tx.value(_OF_LOT, id=lot_id)
    return found
