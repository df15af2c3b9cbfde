"""Who is on a list of the shop: found by keyed hashes of addresses and of platforms' customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    LargeBinary,
    ScalarSelect,
    Text,
    Uuid,
    any_,
    case,
    delete,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import listings as _t
from returns_api.db.tables import orders
from returns_api.domain.listings import ListingRecord

_SHOWN: Final = tuple(_t.c[name] for name in ListingRecord.__dataclass_fields__)
_GIVEN: Final = (
    "id", "list", "identifier", "person_key", "reason", "made_by", "created_at", "expires_at",
)  # fmt: skip
_NOW: Final = given("now", DateTime(timezone=True))
_keys: Final = given("person_keys", ARRAY(LargeBinary))
_LATEST: Final = given("latest", DateTime(timezone=True))
_list, _order = given("list", Text), given("order_id", Uuid)
_stands: Final = _t.c.ended_at.is_(None)
_ended: Final = {"ended_at": _NOW, "person_key": null(), "sequence": _t.c.sequence + 1}

_ADD: Final = Query(
    insert(_t)
    .values(shop_id=SHOP, **{name: given(name, _t.c[name].type) for name in _GIVEN})
    .on_conflict_do_nothing()
    .returning(*_SHOWN)
)
_ONE: Final = Query(select(*_SHOWN).where(here(_t), _t.c.id == given("id")))
_OF_PERSON: Final = Query(
    select(*_SHOWN).where(here(_t), _stands, _t.c.person_key == any_(_keys)).order_by(_t.c.id)
)
_PAGE: Final = Query(
    select(*_SHOWN)
    .where(
        here(_t),
        _stands,
        _t.c.id < given("before"),
        or_(_list.is_(None), _t.c.list == _list),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_PAGE_OF_ORDER: Final = Query(
    select(*_SHOWN)
    .join(orders, _t.c.person_key.in_([orders.c.customer_key, orders.c.email_key]))
    .where(
        here(_t),
        here(orders),
        orders.c.id == _order,
        _stands,
        _t.c.id < given("before"),
        or_(_list.is_(None), _t.c.list == _list),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_END: Final = Query(
    update(_t).where(here(_t), _t.c.id == given("id"), _stands).values(_ended).returning(*_SHOWN)
)
_END_PASSED: Final = Query(
    update(_t)
    .where(here(_t), _t.c.person_key == given("person_key"), _stands, _t.c.expires_at <= _NOW)
    .values(_ended)
    .returning(*_SHOWN)
)
_blocked: Final = _t.c.list == "block"
_FORGET: Final = Query(
    update(_t)
    .where(here(_t), _stands, _t.c.person_key == any_(_keys))
    .where(or_(~_blocked, _t.c.expires_at.is_(None), _t.c.expires_at > _LATEST))
    .values(
        ended_at=case((_blocked, null()), else_=_NOW),
        person_key=case((_blocked, _t.c.person_key)),
        expires_at=case((_blocked, _LATEST), else_=_t.c.expires_at),
        sequence=_t.c.sequence + 1,
    )
    .returning(*_SHOWN)
)
_FORGET_ALL: Final = Query(delete(_t).where(here(_t)))
_KEYS: Final = Query(
    select(orders.c.customer_key, orders.c.email_key).where(
        here(orders), orders.c.id == any_(given("order_ids", ARRAY(Uuid)))
    )
)


def standing(*keys: ColumnElement[Any]) -> ScalarSelect[Any]:
    """The list that a person with one of these keys is on at ``now``, a parameter of the statement.

    By two keys on both: the allow list, as a person of the shop said so of them.
    """
    return (
        select(_t.c.list)
        .where(here(_t), _t.c.person_key.in_(keys), _stands)
        .where(or_(_t.c.expires_at.is_(None), _t.c.expires_at > _NOW))
        .order_by(_t.c.list)
        .limit(1)
        .scalar_subquery()
    )


async def add(tx: Transaction, **values: Any) -> ListingRecord | None:
    """The new listing; None where this key is on a list."""
    return _record(await tx.first(_ADD, **values))


async def one(tx: Transaction, listing_id: UUID) -> ListingRecord | None:
    return _record(await tx.first(_ONE, id=listing_id))


async def of_person(tx: Transaction, person_keys: Iterable[bytes]) -> list[ListingRecord]:
    """What stands of a person."""
    return _records(await tx.all(_OF_PERSON, person_keys=sorted(person_keys)))


async def page(tx: Transaction, *, order_id: UUID | None, **filters: Any) -> list[ListingRecord]:
    """Newest first; ``before``, ``limit``, and the optional list and order."""
    if order_id is None:
        return _records(await tx.all(_PAGE, **filters))
    return _records(await tx.all(_PAGE_OF_ORDER, order_id=order_id, **filters))


async def end(tx: Transaction, listing_id: UUID, now: datetime) -> ListingRecord | None:
    """The listing as it ended; None where none stands."""
    return _record(await tx.first(_END, id=listing_id, now=now))


async def end_passed(tx: Transaction, person_key: bytes, now: datetime) -> ListingRecord | None:
    """The person's listing, where its time is over."""
    return _record(await tx.first(_END_PASSED, person_key=person_key, now=now))


async def keys_of(tx: Transaction, order_ids: Sequence[UUID]) -> list[tuple[bytes, ...]]:
    """The keyed hashes of whoever placed these orders, the account's first; those that are known
    here."""
    rows = await tx.all(_KEYS, order_ids=list(order_ids))
    return [tuple(bytes(key) for key in row.values() if key is not None) for row in rows]


async def forget(
    tx: Transaction, person_keys: Iterable[bytes], now: datetime, latest: datetime
) -> list[ListingRecord]:
    """Erase persons from the lists: at once from the allow list, by ``latest`` from the block list.
    The listings that this changed."""
    keys = sorted(person_keys)
    return _records(await tx.all(_FORGET, person_keys=keys, now=now, latest=latest))


async def forget_all(tx: Transaction) -> None:
    """Drop the lists of a shop that leaves."""
    await tx.run(_FORGET_ALL)


def _record(row: Row | None) -> ListingRecord | None:
    return None if row is None else ListingRecord(**dict(row))


def _records(rows: Iterable[Row]) -> list[ListingRecord]:
    return [ListingRecord(**dict(row)) for row in rows]
