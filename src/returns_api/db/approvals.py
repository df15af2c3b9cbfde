"""Approvals of refunds, and the counters of what one person may pay out alone.

The database refuses on its own account: an approver who asked, an approval of other than the
refund's amount and currency, money set free that no approval names, and a counter above its limit.
Refuses to own the limits and the arithmetic (``domain.approvals``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Text, Uuid, func, literal, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import refund_allowances as _t
from returns_api.db.tables import refund_approvals
from returns_api.domain.approvals import Allowance

_FIELDS: Final = (
    "id",
    "refund_id",
    "requester_id",
    "approver_id",
    "amount_minor",
    "currency",
    "binding",
    "releases",
    "at",
)
_ADD: Final = Query(
    plain_insert(refund_approvals).values(shop_id=SHOP, **{name: given(name) for name in _FIELDS})
)

_wanted = json_rows(
    "wanted", no=Integer, kind=Text, subject_id=Uuid, day=Text, limit_minor=BigInteger
)
_opened = insert(_t).from_select(
    ["shop_id", "kind", "subject_id", "day", "currency", "spent_minor", "limit_minor"],
    select(
        SHOP,
        _wanted.c.kind,
        _wanted.c.subject_id,
        _wanted.c.day,
        given("currency", _t.c.currency.type),
        literal(0, BigInteger),
        _wanted.c.limit_minor,
    ).order_by(_wanted.c.no),
)
_OPEN: Final = Query(
    _opened.on_conflict_do_update(
        index_elements=[_t.c.shop_id, _t.c.kind, _t.c.subject_id, _t.c.day, _t.c.currency],
        set_={"limit_minor": func.greatest(_opened.excluded.limit_minor, _t.c.spent_minor)},
    ).returning(_t.c.kind, _t.c.subject_id, _t.c.day, _t.c.spent_minor)
)
_SPEND: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.kind == _wanted.c.kind,
        _t.c.subject_id == _wanted.c.subject_id,
        _t.c.day == _wanted.c.day,
        _t.c.currency == given("currency", _t.c.currency.type),
        _t.c.spent_minor + given("amount_minor", BigInteger) <= _t.c.limit_minor,
    )
    .values(spent_minor=_t.c.spent_minor + given("amount_minor", BigInteger))
)


async def lock_spent(
    tx: Transaction, counters: Sequence[Allowance], currency: str
) -> dict[tuple[str, UUID, str], int]:
    """What each counter has spent (minor units), locked in the order given."""
    found = await tx.all(_OPEN, wanted=_rows(counters), currency=currency)
    return {(row["kind"], row["subject_id"], row["day"]): row["spent_minor"] for row in found}


async def spend(
    tx: Transaction, counters: Sequence[Allowance], currency: str, amount_minor: int
) -> bool:
    """Draw on locked counters; False when one has less left (the caller must roll back)."""
    touched = await tx.run(
        _SPEND, wanted=_rows(counters), currency=currency, amount_minor=amount_minor
    )
    return touched == len(counters)


def _rows(counters: Sequence[Allowance]) -> list[dict[str, Any]]:
    return [
        {
            "no": no,
            "kind": each.kind,
            "subject_id": str(each.subject),
            "day": each.day,
            "limit_minor": each.limit,
        }
        for no, each in enumerate(counters)
    ]


async def add(tx: Transaction, **values: Any) -> None:
    """Store an approval; the database compares it with the refund."""
    await tx.run(_ADD, **values)
