"""Kept bodies of inbox messages, emptied: whole persons stand in them.

A message that was processed keeps none (``inbox``). One that is dead or told nothing we follow
keeps its own, so that it can be tried anew; it is emptied with the person whom it names, one that
still waits as soon as it is done with, and one that told nothing after a while in any case.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    case,
    exists,
    func,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Transaction
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import inbox as _t

_needles: Final = (
    func.unnest(given("needles", ARRAY(LargeBinary))).table_valued("needle").render_derived()
)
_EMPTY: Final = literal(b"", LargeBinary)
_FORGOTTEN: Final = {
    "forgotten": true(),
    "body": case((_t.c.state == "received", _t.c.body), else_=_EMPTY),
}
"""What waits is still to be applied, and loses its body afterwards."""


def _in_one_form(told: ColumnElement[bytes]) -> ColumnElement[str]:
    """Bytes as text in which case makes no difference, whatever they are."""
    return func.lower(func.encode(told, "escape"))


_FORGET: Final = Query(
    update(_t)
    .where(
        here(_t),
        among(_t.c.state, ("ignored", "dead", "received")),
        exists(
            select(literal(1))
            .select_from(_needles)
            .where(
                func.position(_in_one_form(_needles.c.needle).op("IN")(_in_one_form(_t.c.body))) > 0
            )
        ),
    )
    .values(_FORGOTTEN)
)
_FORGET_ALL: Final = Query(
    update(_t)
    .where(here(_t), among(_t.c.state, ("ignored", "dead", "received")))
    .values(_FORGOTTEN)
)
_LET_GO: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.state == "ignored", _t.c.due_at <= given("now"))
    .values(body=_EMPTY, due_at=null())
)


async def forget(tx: Transaction, names: Sequence[str]) -> int:
    """Empty the kept bodies that contain one of ``names``, in whatever case and however JSON writes
    it; those that wait are emptied once they are done with. Returns how many there are."""
    needles = {form for name in names for form in _written(name)}
    return await tx.run(_FORGET, needles=sorted(needles)) if needles else 0


def _written(name: str) -> tuple[bytes, ...]:
    """A name as it is, and as JSON may have it."""
    escaped = json.dumps(name)[1:-1]
    return name.encode(), escaped.encode(), escaped.replace("/", "\\/").encode()


async def forget_all(tx: Transaction) -> int:
    """Empty all kept bodies of the shop, and those that wait once they are done with."""
    return await tx.run(_FORGET_ALL)


async def let_go(tx: Transaction, message_id: UUID, now: datetime) -> None:
    """Empty an ignored message whose time is over; nothing happens to another."""
    await tx.run(_LET_GO, id=message_id, now=now)
