"""Transport claims: rows to facts. How they are added and moved is ``db.moves``'s."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, or_, select

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import transport_claims as _t
from returns_api.domain.transport_claims import ClaimRecord

_FIELDS: Final = tuple(name for name in ClaimRecord.__dataclass_fields__ if name != "deadlines")
_shown = select(
    *(_t.c[name] for name in _FIELDS),
    deadline_rows.shown(_t.c.return_id, _t.c.id).label("deadlines"),
)
_return, _state = given("return_id", Uuid), given("state", Text)
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id")))
_OF_RETURN: Final = Query(
    _shown.where(here(_t), _t.c.return_id == given("return_id"), _t.c.against == given("against"))
)
_PAGE: Final = Query(
    _shown.where(
        here(_t),
        _t.c.id < given("before"),
        or_(_return.is_(None), _t.c.return_id == _return),
        or_(_state.is_(None), _t.c.state == _state),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)


async def one(tx: Transaction, claim_id: UUID) -> ClaimRecord | None:
    """The return's lock is the claim's."""
    return _record(await tx.first(_ONE, id=claim_id))


async def of_return(tx: Transaction, return_id: UUID, against: str) -> ClaimRecord | None:
    """The one claim of a return against a carrier, or against an insurer."""
    return _record(await tx.first(_OF_RETURN, return_id=return_id, against=against))


async def page(tx: Transaction, **filters: Any) -> list[ClaimRecord]:
    """Newest first; ``before``, ``limit`` and the optional return_id and state."""
    found = (_record(row) for row in await tx.all(_PAGE, **filters))
    return [record for record in found if record is not None]


def _record(row: Row | None) -> ClaimRecord | None:
    if row is None:
        return None
    values = {name: row[name] for name in _FIELDS}
    return ClaimRecord(**values, deadlines=deadline_rows.records(row["deadlines"]))
