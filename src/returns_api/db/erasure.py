"""Forgetting people and shops: what is personal goes, ids, amounts and states stay.

Owns the columns that count as personal among orders. Bodies of inbox messages are ``inbox.forget``.
Orders are locked in the order of their ids, as everybody who locks several must.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table, Text, Uuid, and_, any_, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db import (
    address_changes,
    exports,
    idempotency,
    label_documents,
    messages,
    notifications,
    opt_outs,
    photos,
    staff_words,
    withdrawals,
)
from returns_api.db.engine import Transaction
from returns_api.db.order_intake import PERSON
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import (
    dispute_statements,
    disputes,
    exchanges,
    offers,
    order_people,
    orders,
    repairs,
    return_lines,
    returns,
    shops,
    store_credits,
)

_ERASED: Final = {name: null() for name in PERSON}

_ERASE_PERSON: Final = Query(
    insert(order_people)
    .values(shop_id=SHOP, order_id=given("order_id"), erased_at=given("now"))
    .on_conflict_do_update(
        index_elements=["shop_id", "order_id"],
        set_={**_ERASED, "erased_at": given("now")},
        where=order_people.c.erased_at.is_(None),
    )
)
_NAMES: Final = Query(
    select(order_people.c.email, order_people.c.phone, order_people.c.customer_id).where(
        here(order_people), order_people.c.order_id == given("order_id")
    )
)
_FORGET_KEYS: Final = Query(
    update(orders)
    .where(here(orders), orders.c.id == any_(given("order_ids", ARRAY(Uuid))))
    .values(email_key=null(), customer_key=null())
)
_LOCK_SOME: Final = Query(
    select(orders.c.id)
    .where(
        here(orders),
        orders.c.id.in_(
            select(order_people.c.order_id)
            .where(here(order_people), order_people.c.erased_at.is_(None))
            .order_by(order_people.c.order_id)
            .limit(given("limit"))
        ),
    )
    .order_by(orders.c.id)
    .with_for_update(key_share=True)
)
_ERASE_SOME: Final = Query(
    update(order_people)
    .where(
        here(order_people),
        order_people.c.order_id == any_(given("order_ids", ARRAY(Uuid))),
        order_people.c.erased_at.is_(None),
    )
    .values(**_ERASED, erased_at=given("now"))
)
_FORGET_ANSWERS: Final = Query(
    update(returns)
    .where(here(returns), returns.c.order_id == any_(given("order_ids", ARRAY(Uuid))))
    .where(returns.c.info_answer.is_not(None))
    .values(info_answer=null())
)
_returned: Final = select(returns.c.id).where(
    here(returns), returns.c.order_id == any_(given("order_ids", ARRAY(Uuid)))
)
_FORGET_NOTES: Final = Query(
    update(return_lines)
    .where(here(return_lines), return_lines.c.return_id.in_(_returned))
    .where(return_lines.c.note.is_not(None))
    .values(note=null())
)
_FORGET_OFFERS: Final = Query(
    update(offers)
    .where(here(offers), offers.c.return_id.in_(_returned))
    .where(offers.c.note.is_not(None))
    .values(note=null())
)
_FORGET_STATEMENTS: Final = Query(
    update(dispute_statements)
    .where(
        here(dispute_statements),
        dispute_statements.c.dispute_id.in_(
            select(disputes.c.id).where(here(disputes), disputes.c.return_id.in_(_returned))
        ),
    )
    .values(text=null())
)


def _forgetting(table: Table, *names: str) -> Query:
    of_them = table.c.order_id == any_(given("order_ids", ARRAY(Uuid)))
    told = or_(*(table.c[name].is_not(None) for name in names))
    return Query(update(table).where(here(table), of_them, told).values(dict.fromkeys(names)))


_FORGET_WAYS: Final = (
    _forgetting(exchanges, "tracking", "payment_url"),
    _forgetting(repairs, "tracking", "payment_url", "note"),
)
"""Where goods went and where the person paid: both can lead to an address."""
_LEAVE: Final = Query(
    update(shops)
    .where(here(shops), among(shops.c.status, ("active", "removed")))
    .where(shops.c.status != given("status", Text))
    .values(status=given("status", Text), version=shops.c.version + 1)
    .returning(shops.c.version)
)


_FORGET_HOLDERS: Final = Query(
    update(store_credits)
    .where(
        here(store_credits),
        or_(
            *(
                and_(
                    store_credits.c.holder == holder,
                    store_credits.c.holder_key.in_(
                        select(key).where(
                            here(orders), orders.c.id == any_(given("order_ids", ARRAY(Uuid)))
                        )
                    ),
                )
                for holder, key in (
                    ("customer", orders.c.customer_key),
                    ("email", orders.c.email_key),
                )
            )
        ),
    )
    .values(holder="nobody", holder_key=null())
)


async def names(tx: Transaction, order_id: UUID) -> set[str]:
    """By what the person of an order may be named elsewhere, before they are erased."""
    row = await tx.first(_NAMES, order_id=order_id)
    return set() if row is None else {name for name in row.values() if name is not None}


async def erase_person(tx: Transaction, order_id: UUID, now: datetime) -> bool:
    """Remove everything personal of one locked order for ever; False when that was done before.

    What was said since goes, too: a buyer's session outlives the erasure, and the person may ask
    again.
    """
    erased = await tx.run(_ERASE_PERSON, order_id=order_id, now=now)
    await _forget_around(tx, [order_id], now)
    await idempotency.forget_words(tx, order_id)
    return bool(erased)


async def erase_some(tx: Transaction, limit: int, now: datetime) -> int:
    """The same for up to ``limit`` orders of the shop; returns how many there were."""
    found = [row["id"] for row in await tx.all(_LOCK_SOME, limit=limit)]
    if found:
        await _forget_around(tx, found, now)
        await tx.run(_ERASE_SOME, order_ids=found, now=now)
    return len(found)


async def _forget_keys(tx: Transaction, order_ids: list[UUID]) -> None:
    """Nobody finds the person by these orders or by store credit any more; balances stay."""
    await tx.run(_FORGET_HOLDERS, order_ids=order_ids)
    await tx.run(_FORGET_KEYS, order_ids=order_ids)


async def _forget_around(tx: Transaction, order_ids: list[UUID], now: datetime) -> None:
    """What leads to the person, what was written by and about them, what waits to be told, labels
    and photos."""
    await opt_outs.forget(tx, order_ids)
    await _forget_keys(tx, order_ids)
    await notifications.forget(tx, order_ids, now)
    await withdrawals.forget(tx, order_ids)
    await address_changes.forget(tx, order_ids)
    await tx.run(_FORGET_ANSWERS, order_ids=order_ids)
    await tx.run(_FORGET_OFFERS, order_ids=order_ids)
    await tx.run(_FORGET_STATEMENTS, order_ids=order_ids)
    await tx.run(_FORGET_NOTES, order_ids=order_ids)
    for query in _FORGET_WAYS:
        await tx.run(query, order_ids=order_ids)
    await staff_words.forget(tx, order_ids)
    await label_documents.drop_of_orders(tx, order_ids)
    await messages.forget(tx, order_ids)
    await exports.forget_all(tx)
    await photos.drop_of_orders(tx, order_ids, now)


async def leave(tx: Transaction, status: str) -> int | None:
    """Set the shop to removed or erased; its new version, or None when that changed nothing.

    An erased shop stays erased.
    """
    version: int | None = await tx.value(_LEAVE, status=status)
    return version
