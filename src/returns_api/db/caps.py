"""Counters that bound what goes out before goods are seen.

A counter is taken from by one conditional update of its locked row, and a CHECK stands behind it:
however many scans come at once, what is out never exceeds the cap. Refuses to own which caps hold
(``domain.advances``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Text, Uuid, and_, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import fast_refund_caps as _t
from returns_api.domain.advances import NO_DAY, Cap

_currency = given("currency", _t.c.currency.type)
_amount = given("amount_minor", BigInteger)
_wanted = json_rows(
    "wanted", no=Integer, kind=Text, subject_id=Uuid, day=Text, cap_minor=BigInteger
)
_opened = insert(_t).from_select(
    ["shop_id", "kind", "subject_id", "day", "currency", "used_minor", "cap_minor"],
    select(
        SHOP,
        _wanted.c.kind,
        _wanted.c.subject_id,
        _wanted.c.day,
        _currency,
        literal(0, BigInteger),
        _wanted.c.cap_minor,
    ).order_by(_wanted.c.no),
)
_OPEN: Final = Query(
    _opened.on_conflict_do_update(
        index_elements=[_t.c.shop_id, _t.c.kind, _t.c.subject_id, _t.c.day, _t.c.currency],
        # A policy may lower a cap below what is out already: then nothing more goes out.
        set_={"cap_minor": func.greatest(_opened.excluded.cap_minor, _t.c.used_minor)},
    ).returning(_t.c.kind, _t.c.subject_id, _t.c.day, _t.c.used_minor)
)
_TAKE: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.kind == _wanted.c.kind,
        _t.c.subject_id == _wanted.c.subject_id,
        _t.c.day == _wanted.c.day,
        _t.c.currency == _currency,
        _t.c.used_minor + _amount <= _t.c.cap_minor,
    )
    .values(used_minor=_t.c.used_minor + _amount)
)
_of_buyer = and_(
    here(_t),
    _t.c.kind == "buyer",
    _t.c.subject_id == given("buyer"),
    _t.c.day == NO_DAY,
    _t.c.currency == _currency,
)
_RELEASE: Final = Query(update(_t).where(_of_buyer).values(used_minor=_t.c.used_minor - _amount))
_HOLD: Final = Query(select(_t.c.used_minor).where(_of_buyer).with_for_update())


async def lock_used(
    tx: Transaction, counters: Sequence[Cap], currency: str
) -> Mapping[tuple[str, UUID, str], int]:
    """What each counter has out (minor units), locked in the order given."""
    found = await tx.all(_OPEN, wanted=_rows(counters), currency=currency)
    return {(row["kind"], row["subject_id"], row["day"]): row["used_minor"] for row in found}


async def take(tx: Transaction, counters: Sequence[Cap], currency: str, amount_minor: int) -> bool:
    """Take from locked counters; False when one has less left (the caller must roll back)."""
    touched = await tx.run(
        _TAKE, wanted=_rows(counters), currency=currency, amount_minor=amount_minor
    )
    return touched == len(counters)


async def hold(tx: Transaction, buyer: UUID | None, currency: str) -> None:
    """Lock what a buyer has out, before an account of store credit is locked (the last lock)."""
    if buyer is not None:
        await tx.first(_HOLD, buyer=buyer, currency=currency)


async def release(tx: Transaction, buyer: UUID | None, currency: str, amount_minor: int) -> None:
    """What a buyer has out no more; nothing where no counter was taken from. A shop's day is never
    given back: what was given that day was given."""
    if buyer is not None and amount_minor:
        await tx.run(_RELEASE, buyer=buyer, currency=currency, amount_minor=amount_minor)


def _rows(counters: Sequence[Cap]) -> list[dict[str, Any]]:
    return [
        {
            "no": no,
            "kind": each.kind,
            "subject_id": str(each.subject),
            "day": each.day,
            "cap_minor": each.cap_minor,
        }
        for no, each in enumerate(counters)
    ]
