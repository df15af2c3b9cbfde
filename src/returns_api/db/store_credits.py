"""Accounts of store credit row by row, and what happened to each.

Whoever changes an account has its row locked. Lock it last, after payments, returns and refunds.
Refuses to own the lots that its balance is made of (``store_credit_lots``) and the entry of a
movement (``ledger``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Uuid,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.store_credit_lots import lot, open_lots
from returns_api.db.tables import gift_recipients, orders, returns, transfers
from returns_api.db.tables import store_credit_draws as _d
from returns_api.db.tables import store_credit_lots as _l
from returns_api.db.tables import store_credit_movements as _m
from returns_api.db.tables import store_credits as _t
from returns_api.domain.store_credits import Lot

_KEYS: Final = Query(
    select(orders.c.customer_key, orders.c.email_key)
    .where(here(orders), orders.c.id == given("order_id"))
    .with_for_update(read=True)
)
_RECIPIENT: Final = Query(
    select(gift_recipients.c.email_key)
    .where(here(gift_recipients), gift_recipients.c.return_id == given("return_id"))
    .with_for_update(read=True)
)
"""Both are held, so that nobody is erased between this look and the account that is found by it."""
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
    tx: Transaction, new_id: UUID, order_id: UUID, currency: str, now: datetime, gift: UUID | None
) -> tuple[UUID, bool]:
    """The account of the person behind an order, or of the recipient of what came back with the
    return ``gift``, and whether it was opened just now.

    The platform's customer comes first, then the e-mail address, then the order itself. A recipient
    has the address alone; where they were erased meanwhile, the account is nobody's.
    """
    if gift is None:
        keys = await tx.first(_KEYS, order_id=order_id)
        assert keys is not None
        holder, key = _holder(keys, order_id)
    else:
        key = await tx.value(_RECIPIENT, return_id=gift)
        holder = "nobody" if key is None else "email"
    named = {"holder": holder, "holder_key": key, "currency": currency}
    made = await tx.value(_OPEN, id=new_id, now=now, **named)
    if made is not None:
        return made, True
    return await tx.value(_FIND, **named), False


def _holder(keys: Row, order_id: UUID) -> tuple[str, bytes | None]:
    customer, email = keys["customer_key"], keys["email_key"]
    if customer is not None and customer != email:
        return "customer", customer
    return ("email", email) if email is not None else ("order", order_id.bytes)


async def lock(tx: Transaction, account_id: UUID) -> tuple[Row, list[Lot]] | None:
    """The account, locked, and the lots that have something left; None for an unknown id."""
    account = await tx.first(_LOCK, id=account_id)
    if account is None:
        return None
    return account, [lot(row) for row in await open_lots(tx, [account_id])]


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


async def one(tx: Transaction, account_id: UUID, order_id: UUID | None) -> Row | None:
    """An account; with an order, only if it is of the person behind it."""
    return await tx.first(_ONE, id=account_id, order_id=order_id)


async def page(tx: Transaction, *, before: UUID, limit: int, order_id: UUID | None) -> list[Row]:
    """Newest first; with an order, those of the person behind it."""
    return await tx.all(_PAGE, before=before, limit=limit, order_id=order_id)


async def movements(tx: Transaction, account_id: UUID, *, before: UUID, limit: int) -> list[Row]:
    """Newest first."""
    return await tx.all(_MOVEMENTS, store_credit_id=account_id, before=before, limit=limit)


async def movement(tx: Transaction, account_id: UUID, movement_id: UUID) -> Row | None:
    return await tx.first(_ONE_MOVEMENT, store_credit_id=account_id, id=movement_id)


async def by_reference(tx: Transaction, reference: str) -> UUID | None:
    found: UUID | None = await tx.value(_BY_REFERENCE, reference=reference)
    return found


async def bonus_ppm(tx: Transaction, return_id: UUID) -> int:
    """What a return's accepted terms add for store credit; 0 where its money goes another way."""
    return int(await tx.value(_BONUS, return_id=return_id) or 0)


async def lock_transfers(tx: Transaction, refund_id: UUID) -> list[Row]:
    """Transfers of a refund that are to become store credit now."""
    return await tx.all(_LOCK_TO_CREDIT, refund_id=refund_id)
