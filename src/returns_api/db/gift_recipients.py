"""Who brings a gift back: a person of the return, found and forgotten by the hash of an address.

Owns everything personal that hangs on a return by a gift receipt. The order's own person, who may
have bought it, is somebody else (``db.people``, ``db.erasure``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Integer,
    LargeBinary,
    Uuid,
    and_,
    any_,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import (
    complaints,
    exports,
    idempotency,
    label_documents,
    messages,
    notifications,
    opt_outs,
    photos,
    staff_words,
)
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import gift_recipients as _t
from returns_api.db.tables import return_lines, returns, store_credits
from returns_api.ports.carriers import Address

PERSON: Final = (
    "email",
    "phone",
    "name",
    "locale",
    "street1",
    "street2",
    "city",
    "region",
    "postcode",
    "country",
)
"""What a recipient says of themselves; all of it goes with them."""
_NOW: Final = given("now", DateTime(timezone=True))
_keys: Final = given("keys", ARRAY(LargeBinary))
_of_them: Final = any_(given("return_ids", ARRAY(Uuid)))

_ADD: Final = Query(
    insert(_t).values(
        shop_id=SHOP,
        **{
            name: given(name, _t.c[name].type)
            for name in ("return_id", "order_id", "email_key", *PERSON)
        },
    )
)
_ONE: Final = Query(select(_t).where(here(_t), _t.c.return_id == given("return_id")))
_FOUND: Final = Query(
    select(_t.c.return_id, _t.c.order_id)
    .where(here(_t), _t.c.email_key == any_(_keys))
    .order_by(_t.c.order_id, _t.c.return_id)
)
_KEPT: Final = Query(
    select(
        _t.c.return_id,
        _t.c.order_id,
        *(_t.c[name] for name in PERSON),
        returns.c.number,
        returns.c.state,
        returns.c.created_at,
        returns.c.info_answer,
    )
    .join(returns, and_(returns.c.shop_id == _t.c.shop_id, returns.c.id == _t.c.return_id))
    .where(here(_t), here(returns), _t.c.email_key == given("email_key", LargeBinary))
    .order_by(_t.c.return_id)
)
_nothing: Final[dict[str, Any]] = {name: null() for name in ("email_key", *PERSON)}
_ERASE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.return_id == _of_them, _t.c.erased_at.is_(None))
    .values(**_nothing, erased_at=_NOW)
)
_SOME: Final = Query(
    select(_t.c.email_key)
    .where(here(_t), _t.c.erased_at.is_(None))
    .order_by(_t.c.return_id)
    .limit(given("limit", Integer))
)
_FORGET_ANSWERS: Final = Query(
    update(returns)
    .where(here(returns), returns.c.id == _of_them, returns.c.info_answer.is_not(None))
    .values(info_answer=null())
)
_FORGET_NOTES: Final = Query(
    update(return_lines)
    .where(here(return_lines), return_lines.c.return_id == _of_them)
    .where(return_lines.c.note.is_not(None))
    .values(note=null())
)
_FORGET_HOLDERS: Final = Query(
    update(store_credits)
    .where(
        here(store_credits),
        store_credits.c.holder == "email",
        store_credits.c.holder_key == any_(_keys),
    )
    .values(holder="nobody", holder_key=null())
)


async def add(tx: Transaction, **values: Any) -> None:
    """The person of a return that was opened just now."""
    await tx.run(_ADD, **values)


async def one(tx: Transaction, return_id: UUID) -> Row | None:
    """The person of a return; all but the ids is null once it was erased."""
    return await tx.first(_ONE, return_id=return_id)


async def sender_address(tx: Transaction, return_id: UUID) -> Address | None:
    """Where the gift is sent from; None when the person was erased."""
    row = await one(tx, return_id)
    needed = ("name", "street1", "city", "postcode", "country")
    if row is None or not all(row[column] for column in needed):
        return None
    also = ("street2", "region", "email", "phone")
    return Address(**{column: row[column] for column in (*needed, *also)})


async def kept(tx: Transaction, email_key: bytes) -> list[Row]:
    """Everything that is kept of a person as a recipient, by return."""
    return await tx.all(_KEPT, email_key=email_key)


async def forget(
    tx: Transaction, keys: Collection[bytes], now: datetime
) -> list[tuple[UUID, UUID]]:
    """Erase recipients for ever: who they are, what was written by and about them, what waits to be
    told, labels and photos; their credit is nobody's, its balance stays. Order and return of each.

    The returns are changed first, the persons then, their accounts last: whoever credits them locks
    in this order, too."""
    found = await tx.all(_FOUND, keys=sorted(keys))
    if not found:
        return []
    orders, some = [row["order_id"] for row in found], [row["return_id"] for row in found]
    await _forget_below(tx, orders, some, now)
    await tx.run(_ERASE, return_ids=some, now=now)
    await tx.run(_FORGET_HOLDERS, keys=sorted(keys))
    await opt_outs.forget_keys(tx, keys)
    await notifications.forget_of_returns(tx, orders, some, now)
    await exports.forget_all(tx)
    return [(row["order_id"], row["return_id"]) for row in found]


async def forget_some(tx: Transaction, limit: int, now: datetime) -> int:
    """The same for everybody who is kept, up to ``limit`` returns; how many of these there were."""
    found = await tx.all(_SOME, limit=limit)
    await forget(tx, {row["email_key"] for row in found}, now)
    return len(found)


async def _forget_below(
    tx: Transaction, order_ids: list[UUID], return_ids: list[UUID], now: datetime
) -> None:
    await tx.run(_FORGET_ANSWERS, return_ids=return_ids)
    await tx.run(_FORGET_NOTES, return_ids=return_ids)
    complained = [*await complaints.about(tx, order_ids, return_ids)]
    await messages.forget_about(tx, order_ids, return_ids, complained)
    await idempotency.forget_words_about(tx, return_ids, complained)
    await staff_words.forget_about(tx, return_ids)
    await label_documents.drop_of_returns(tx, return_ids)
    await photos.drop_of_returns(tx, return_ids, now)
