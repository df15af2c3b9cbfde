"""Gift receipts row by row: made, found by the hash of a code, revoked, and what was opened by one.

Refuses to own the recipient as a person (``db.gift_recipients``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Uuid,
    and_,
    any_,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.claims import claims_of_returns
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import (
    gift_receipt_lines,
    gift_receipts,
    order_lines,
    refunds,
    returns,
    unit_claims,
)
from returns_api.domain.gifts import GiftLine, GiftReceipt

_t: Final = gift_receipts
_l: Final = gift_receipt_lines
_FIELDS: Final = tuple(n for n in GiftReceipt.__dataclass_fields__ if n != "lines")
_SHOWN: Final = tuple(_t.c[name] for name in _FIELDS)
_NOW: Final = given("now", DateTime(timezone=True))

_ADD: Final = Query(
    insert(_t).values(
        shop_id=SHOP,
        **{
            name: given(name, _t.c[name].type)
            for name in ("id", "order_id", "code_key", "made_by", "created_at", "expires_at")
        },
    )
)
_ADD_LINE: Final = Query(
    insert(_l).values(
        shop_id=SHOP,
        **{
            name: given(name, _l.c[name].type)
            for name in ("gift_receipt_id", "order_line_id", "order_id", "quantity")
        },
    )
)
_COUNT: Final = Query(
    select(func.count()).select_from(_t).where(here(_t), _t.c.order_id == given("order_id"))
)
_used: Final = exists().where(here(returns), returns.c.gift_receipt_id == _t.c.id)
_BY_CODE: Final = Query(
    select(_t.c.id, _t.c.order_id).where(
        here(_t),
        _t.c.code_key == given("code_key"),
        or_(and_(_t.c.revoked_at.is_(None), _t.c.expires_at > _NOW), _used),
    )
)
_ONE: Final = Query(select(*_SHOWN).where(here(_t), _t.c.id == given("id")))
_LOCK: Final = Query(select(*_SHOWN).where(here(_t), _t.c.id == given("id")).with_for_update())
_OF_ORDER: Final = Query(
    select(*_SHOWN).where(here(_t), _t.c.order_id == given("order_id")).order_by(_t.c.id.desc())
)
_taken: Final = (
    claims_of_returns()
    .where(
        unit_claims.c.line_id == _l.c.order_line_id,
        returns.c.gift_receipt_id == _l.c.gift_receipt_id,
    )
    .correlate(_l)
    .scalar_subquery()
)
_LINES: Final = Query(
    select(
        _l.c.gift_receipt_id,
        _l.c.order_line_id,
        _l.c.quantity,
        order_lines.c.title,
        order_lines.c.sku,
        _taken.label("taken"),
    )
    .join(
        order_lines,
        and_(order_lines.c.shop_id == _l.c.shop_id, order_lines.c.id == _l.c.order_line_id),
    )
    .where(here(_l), _l.c.gift_receipt_id == any_(given("receipts", ARRAY(Uuid))))
    .order_by(_l.c.gift_receipt_id, order_lines.c.position)
)
_REVOKE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.revoked_at.is_(None))
    .values(revoked_at=_NOW, sequence=_t.c.sequence + 1)
    .returning(_t.c.sequence)
)
_OPENED: Final = Query(
    select(returns.c.id, returns.c.number, returns.c.state)
    .where(here(returns), returns.c.gift_receipt_id == given("id"))
    .order_by(returns.c.id.desc())
)


def is_of_gift(return_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a return was opened by a gift receipt; false where there is no return."""
    return exists().where(
        here(returns), returns.c.id == return_id, returns.c.gift_receipt_id.is_not(None)
    )


def pays_gift(refund_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a refund is for a return that was opened by a gift receipt."""
    return exists().where(
        here(refunds),
        here(returns),
        refunds.c.id == refund_id,
        returns.c.id == refunds.c.return_id,
        returns.c.gift_receipt_id.is_not(None),
    )


async def add(tx: Transaction, lines: Mapping[UUID, int], **values: Any) -> None:
    """A receipt with the units of each line that it is for."""
    await tx.run(_ADD, **values)
    below = {"gift_receipt_id": values["id"], "order_id": values["order_id"]}
    await tx.many(
        _ADD_LINE,
        [{**below, "order_line_id": line, "quantity": count} for line, count in lines.items()],
    )


async def count(tx: Transaction, order_id: UUID) -> int:
    """How many receipts an order has, revoked ones too. The order must be locked."""
    return int(await tx.value(_COUNT, order_id=order_id))


async def by_code(tx: Transaction, code_key: bytes, now: datetime) -> Row | None:
    """Id and order of the receipt with this code, while it opens returns or has opened one."""
    return await tx.first(_BY_CODE, code_key=code_key, now=now)


async def one(tx: Transaction, receipt_id: UUID) -> GiftReceipt | None:
    return await _whole(tx, await tx.first(_ONE, id=receipt_id))


async def lock(tx: Transaction, receipt_id: UUID) -> GiftReceipt | None:
    """Openings by one receipt follow one another. Before the quote and the order."""
    return await _whole(tx, await tx.first(_LOCK, id=receipt_id))


async def of_order(tx: Transaction, order_id: UUID) -> list[GiftReceipt]:
    """Newest first; there are never many."""
    heads = await tx.all(_OF_ORDER, order_id=order_id)
    return await _records(tx, heads)


async def revoke(tx: Transaction, receipt_id: UUID, now: datetime) -> int | None:
    """The new sequence; None where there was nothing left to revoke."""
    found: int | None = await tx.value(_REVOKE, id=receipt_id, now=now)
    return found


async def opened(tx: Transaction, receipt_id: UUID) -> list[Row]:
    """Id, number and state of the returns by a receipt, newest first."""
    return await tx.all(_OPENED, id=receipt_id)


async def _whole(tx: Transaction, head: Row | None) -> GiftReceipt | None:
    return None if head is None else (await _records(tx, [head]))[0]


async def _records(tx: Transaction, heads: Sequence[Row]) -> list[GiftReceipt]:
    found = await tx.all(_LINES, receipts=[head["id"] for head in heads]) if heads else []
    names = GiftLine.__dataclass_fields__
    return [
        GiftReceipt(
            **{name: head[name] for name in _FIELDS},
            lines=tuple(
                GiftLine(**{name: line[name] for name in names})
                for line in found
                if line["gift_receipt_id"] == head["id"]
            ),
        )
        for head in heads
    ]
