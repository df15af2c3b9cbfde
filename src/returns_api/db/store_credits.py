"""Store credit row by row: accounts and their lots, what happened to them, who used what.

Whoever changes an account has its row locked, and so its lots: they are never locked themselves.
Lock it last, after payments, returns and refunds. Refuses to own which lots are taken
(``domain.store_credits``) and the entry of a movement (``db.ledger``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    and_,
    any_,
    case,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import orders, returns, transfers
from returns_api.db.tables import store_credit_draws as _d
from returns_api.db.tables import store_credit_lots as _l
from returns_api.db.tables import store_credit_movements as _m
from returns_api.db.tables import store_credits as _t
from returns_api.domain.store_credits import Draw, Lot

_KEYS: Final = Query(
    select(orders.c.customer_key, orders.c.email_key).where(
        here(orders), orders.c.id == given("order_id")
    )
)
_OPEN: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP,
        **{name: given(name) for name in ("id", "holder", "holder_key", "currency")},
        created_at=given("now"),
        updated_at=given("now"),
    )
    .on_conflict_do_nothing(index_elements=["shop_id", "holder", "holder_key", "currency"])
    .returning(_t.c.id)
)
_FIND: Final = Query(
    select(_t.c.id).where(
        here(_t),
        _t.c.holder == given("holder"),
        _t.c.holder_key == given("holder_key"),
        _t.c.currency == given("currency"),
    )
)
_LOCK: Final = Query(select(_t).where(here(_t), _t.c.id == given("id")).with_for_update())
_OPEN_LOTS: Final = Query(
    select(_l)
    .where(
        here(_l),
        _l.c.store_credit_id == any_(given("ids", ARRAY(Uuid))),
        _l.c.remaining_minor > 0,
    )
    .order_by(_l.c.expires_at.asc().nulls_last(), _l.c.id)
)
_MOVE: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.id == given("id"),
        _t.c.balance_minor + given("delta", BigInteger) >= 0,
    )
    .values(
        balance_minor=_t.c.balance_minor + given("delta", BigInteger),
        sequence=_t.c.sequence + 1,
        updated_at=given("now"),
    )
    .returning(_t.c.sequence, _t.c.balance_minor)
)
_MOVEMENT: Final = tuple(c.name for c in _m.c if c.name != "shop_id")
_ADD_MOVEMENT: Final = Query(
    insert(_m)
    .values(shop_id=SHOP, **{name: given(name, _m.c[name].type) for name in _MOVEMENT})
    .returning(_m)
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
_drawn = (
    func.jsonb_to_recordset(given("draws", JSONB))
    .table_valued(column("lot", Uuid), column("delta", BigInteger), column("state", Text))
    .render_derived(with_types=True)
)
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
_order = given("order_id", Uuid)


def _of_the_buyer() -> ColumnElement[bool]:
    """Accounts of the person behind an order; all of the shop where none is given."""
    own = (
        select(literal(1))
        .where(
            here(orders),
            orders.c.id == _order,
            or_(
                and_(_t.c.holder == "customer", _t.c.holder_key == orders.c.customer_key),
                and_(_t.c.holder == "email", _t.c.holder_key == orders.c.email_key),
                and_(_t.c.holder == "order", _t.c.holder_key == func.uuid_send(orders.c.id)),
            ),
        )
        .exists()
    )
    return or_(_order.is_(None), own)


_ONE: Final = Query(select(_t).where(here(_t), _t.c.id == given("id"), _of_the_buyer()))
_PAGE: Final = Query(
    select(_t)
    .where(here(_t), _t.c.id < given("before"), _of_the_buyer())
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_taken_left = (
    select(func.sum(_d.c.amount_minor - _d.c.returned_minor))
    .where(_d.c.shop_id == _m.c.shop_id, _d.c.movement_id == _m.c.id)
    .scalar_subquery()
    .label("left_minor")
)
_shown = select(_m, _taken_left, _l.c.kind.label("lot_kind"), _l.c.expires_at).outerjoin(
    _l, and_(_l.c.shop_id == _m.c.shop_id, _l.c.id == _m.c.lot_id)
)
_MOVEMENTS: Final = Query(
    _shown.where(
        here(_m),
        _m.c.store_credit_id == given("store_credit_id"),
        _m.c.id < given("before"),
    )
    .order_by(_m.c.no.desc())
    .limit(given("limit"))
)
_ONE_MOVEMENT: Final = Query(
    _shown.where(here(_m), _m.c.id == given("id"), _m.c.store_credit_id == given("store_credit_id"))
)
_BY_REFERENCE: Final = Query(
    select(_m.c.id).where(here(_m), _m.c.client_reference == given("reference"))
)
_OF_LOT: Final = Query(select(_l.c.store_credit_id).where(here(_l), _l.c.id == given("id")))
DUE: Final = Query(
    select(_l.c.shop_id, _l.c.id)
    .where(_l.c.due_at <= given("now", DateTime(timezone=True)))
    .order_by(_l.c.due_at)
    .limit(given("limit"))
)
_LOCK_TO_CREDIT: Final = Query(
    select(transfers)
    .where(
        here(transfers),
        transfers.c.refund_id == given("refund_id"),
        transfers.c.store_credit_id.is_not(None),
        transfers.c.state == "queued",
    )
    .order_by(transfers.c.id)
    .with_for_update()
)


_BONUS: Final = Query(
    select(cast(returns.c.terms["bonus_ppm"].astext, BigInteger)).where(
        here(returns), returns.c.id == given("return_id"), returns.c.resolution == "store_credit"
    )
)


async def open_of_order(
    tx: Transaction, new_id: UUID, order_id: UUID, currency: str, now: datetime
) -> tuple[UUID, bool]:
    """The account of the person behind an order, and whether it was opened just now.

    The platform's customer comes first, then the e-mail address, then the order itself.
    """
    keys = await tx.first(_KEYS, order_id=order_id)
    assert keys is not None
    holder, key = _holder(keys, order_id)
    named = {"holder": holder, "holder_key": key, "currency": currency}
    made = await tx.value(_OPEN, id=new_id, now=now, **named)
    if made is not None:
        return made, True
    return await tx.value(_FIND, **named), False


def _holder(keys: Row, order_id: UUID) -> tuple[str, bytes]:
    customer, email = keys["customer_key"], keys["email_key"]
    if customer is not None and customer != email:
        return "customer", customer
    return ("email", email) if email is not None else ("order", order_id.bytes)


async def lock(tx: Transaction, account_id: UUID) -> tuple[Row, list[Lot]] | None:
    """The account, locked, and the lots that have something left; None for an unknown id."""
    account = await tx.first(_LOCK, id=account_id)
    if account is None:
        return None
    return account, [lot(row) for row in await tx.all(_OPEN_LOTS, ids=[account_id])]


def lot(row: Row) -> Lot:
    return Lot(**{name: row[name] for name in Lot.__dataclass_fields__})


async def move(tx: Transaction, account_id: UUID, delta: int, movement: Mapping[str, Any]) -> Row:
    """Change the balance of a locked account, and say so; ``movement`` lacks number and balance."""
    moved = await tx.first(_MOVE, id=account_id, delta=delta, now=movement["at"])
    assert moved is not None, "the plan was made from another balance"
    row = await tx.first(
        _ADD_MOVEMENT,
        **{
            **dict.fromkeys(_MOVEMENT),
            **movement,
            "store_credit_id": account_id,
            "no": moved["sequence"],
            "balance_minor": moved["balance_minor"],
        },
    )
    assert row is not None
    return row


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


async def one(tx: Transaction, account_id: UUID, order_id: UUID | None) -> Row | None:
    """An account; with an order, only if it is of the person behind it."""
    return await tx.first(_ONE, id=account_id, order_id=order_id)


async def page(tx: Transaction, *, before: UUID, limit: int, order_id: UUID | None) -> list[Row]:
    """Newest first; with an order, those of the person behind it."""
    return await tx.all(_PAGE, before=before, limit=limit, order_id=order_id)


async def open_lots(tx: Transaction, account_ids: Sequence[UUID]) -> list[Row]:
    """Lots that have something left, what expires first in front."""
    return await tx.all(_OPEN_LOTS, ids=list(account_ids))


async def movements(tx: Transaction, account_id: UUID, *, before: UUID, limit: int) -> list[Row]:
    """Newest first."""
    return await tx.all(_MOVEMENTS, store_credit_id=account_id, before=before, limit=limit)


async def movement(tx: Transaction, account_id: UUID, movement_id: UUID) -> Row | None:
    return await tx.first(_ONE_MOVEMENT, store_credit_id=account_id, id=movement_id)


async def by_reference(tx: Transaction, reference: str) -> UUID | None:
    found: UUID | None = await tx.value(_BY_REFERENCE, reference=reference)
    return found


async def account_of_lot(tx: Transaction, lot_id: UUID) -> UUID | None:
    found: UUID | None = await tx.value(_OF_LOT, id=lot_id)
    return found


async def bonus_ppm(tx: Transaction, return_id: UUID) -> int:
    """What a return's accepted terms add for store credit; 0 where its money goes another way."""
    return int(await tx.value(_BONUS, return_id=return_id) or 0)


async def lock_transfers(tx: Transaction, refund_id: UUID) -> list[Row]:
    """Transfers of a refund that are to become store credit now."""
    return await tx.all(_LOCK_TO_CREDIT, refund_id=refund_id)
