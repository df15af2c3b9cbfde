"""Offers: rows to facts. How they are added and moved is ``db.moves``'s."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, func, or_, select

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import offers as _t
from returns_api.domain.lifecycle.offers import OPEN_OFFER
from returns_api.domain.offers import BUYER, OfferRecord

_FIELDS: Final = tuple(name for name in OfferRecord.__dataclass_fields__ if name != "deadlines")
_shown = select(
    *(_t.c[name] for name in _FIELDS),
    deadline_rows.shown(_t.c.return_id, _t.c.id).label("deadlines"),
)
_visible = or_(given("everything", Boolean), _t.c.shown_at.is_not(None), _t.c.party == BUYER)
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id"), _visible))
_STANDING: Final = Query(
    _shown.where(here(_t), _t.c.return_id == given("return_id"), among(_t.c.state, OPEN_OFFER))
)
_PAGE: Final = Query(
    _shown.where(
        here(_t), _t.c.return_id == given("return_id"), _t.c.id < given("before"), _visible
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_DRAWN: Final = Query(
    select(func.coalesce(func.max(_t.c.drawn_minor), 0)).where(
        here(_t), _t.c.return_id == given("return_id")
    )
)


async def one(tx: Transaction, offer_id: UUID, *, everything: bool) -> OfferRecord | None:
    """Without ``everything`` only what the buyer may see. The return's lock is the offer's."""
    return _record(await tx.first(_ONE, id=offer_id, everything=everything))


async def standing(tx: Transaction, return_id: UUID) -> OfferRecord | None:
    """The one offer of a return that waits for an answer."""
    return _record(await tx.first(_STANDING, return_id=return_id))


async def page(tx: Transaction, **filters: Any) -> list[OfferRecord]:
    """Newest first; ``return_id``, ``before``, ``limit`` and ``everything``."""
    found = (_record(row) for row in await tx.all(_PAGE, **filters))
    return [record for record in found if record is not None]


async def drawn(tx: Transaction, return_id: UUID) -> int:
    """What of a return's negotiation was counted or approved already (minor units)."""
    return int(await tx.value(_DRAWN, return_id=return_id))


def _record(row: Row | None) -> OfferRecord | None:
    if row is None:
        return None
    values = {name: row[name] for name in _FIELDS}
    return OfferRecord(**values, deadlines=deadline_rows.records(row["deadlines"]))
