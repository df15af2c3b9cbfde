"""Adding and moving what hangs on a return or an order, its deadlines with it, each in one
statement.

Compare-and-set: a row moves only where its sequence is still the one that the plan was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Table, Uuid, insert, select, update

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.domain.errors import Conflict
from returns_api.domain.lifecycle.deadlines import Deadline


@cache
def _adding(table: Table, of: str, names: frozenset[str]) -> Query:
    anchor = deadline_rows.anchor_of(table)
    added = (
        insert(table)
        .values(shop_id=SHOP, **{name: given(name, table.c[name].type) for name in names})
        .returning(table.c.id, table.c[anchor])
        .cte("added")
    )
    return Query(select(added.c.id).add_cte(deadline_rows.written(of, added, anchor)))


@cache
def _moving(table: Table, of: str, names: frozenset[str]) -> Query:
    anchor = deadline_rows.anchor_of(table)
    moved = (
        update(table)
        .where(
            here(table),
            table.c.id == given("object_id", Uuid),
            table.c.sequence == given("seen", Integer),
        )
        .values(
            sequence=table.c.sequence + 1,
            updated_at=given("now"),
            **{name: given(name, table.c[name].type) for name in names},
        )
        .returning(table.c.id, table.c[anchor], table.c.sequence)
        .cte("moved")
    )
    return Query(select(moved.c.sequence).add_cte(deadline_rows.written(of, moved, anchor)))


async def add(
    tx: Transaction,
    table: Table,
    of: str,
    now: datetime,
    deadlines: Sequence[Deadline],
    **values: Any,
) -> None:
    """Write a new row and its first deadlines."""
    row = {**values, "created_at": now, "updated_at": now}
    query = _adding(table, of, frozenset(row))
    await tx.value(query, now=now, deadlines=deadline_rows.to_json(deadlines), **row)


async def move(
    tx: Transaction,
    table: Table,
    of: str,
    object_id: UUID,
    seen: int,
    now: datetime,
    deadlines: Sequence[Deadline],
    **values: Any,
) -> int:
    """Set columns and deadlines where the sequence is still ``seen``; the new sequence.

    Raises:
        Conflict: somebody moved it meanwhile; nothing is written.
    """
    sequence: int | None = await tx.value(
        _moving(table, of, frozenset(values)),
        object_id=object_id,
        seen=seen,
        now=now,
        deadlines=deadline_rows.to_json(deadlines),
        **values,
    )
    if sequence is None:
        raise Conflict(f"The {of.replace('_', ' ')} changed meanwhile; read it again.")
    return sequence
