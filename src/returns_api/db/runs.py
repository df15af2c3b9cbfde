"""Runs: long work as rows. Queued, claimed for a while, carried on in steps, ended with an outcome.

Owns the statements that are the same for every table of runs: audits, back-tests, reconciliations
and imports. Refuses to own what a run does and what a table adds of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Integer,
    Table,
    Text,
    and_,
    func,
    insert,
    null,
    or_,
    select,
    true,
    update,
)

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here

OPEN: Final = ("queued", "running")
"""States of a run that waits or is under way."""

_MOMENT: Final = DateTime(timezone=True)
_now: Final = given("now", _MOMENT)
_until: Final = given("until", _MOMENT)
_NEW: Final = ("id", "total", "due_at", "created_at")
_HIDDEN: Final[frozenset[str]] = frozenset()


def named(table: Table, names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    """Columns to be given under their own names."""
    return {name: given(name, table.c[name].type) for name in names}


class Runs:
    """The statements of one table of runs.

    ``new``, ``carried`` and ``ended`` say what is written beside the frame's own columns when a run
    is added, carried on and ended; ``hidden`` what lists leave out; ``asked`` which runs count
    against a limit; ``only`` further conditions on lists. ``first`` is the state of a new one:
    ``queued``, or one in which it is gathered until ``release``; its ``due_at`` is then the time
    after which nobody waits for it any more.
    """

    def __init__(
        self,
        table: Table,
        *,
        new: Iterable[str] = (),
        carried: Mapping[str, Any] | None = None,
        ended: Mapping[str, Any] | None = None,
        hidden: frozenset[str] = _HIDDEN,
        asked: ColumnElement[bool] | None = None,
        only: Iterable[ColumnElement[bool]] = (),
        first: str = "queued",
    ) -> None:
        t = table.c
        held = and_(
            here(table), t.id == given("id"), t.attempt == given("attempt"), t.state == "running"
        )
        self.held: Final = held
        """The run ``id`` while its attempt ``attempt`` holds it; for a table's own statements."""
        shown = tuple(c for c in t if c.name not in hidden)
        own = and_(here(table), t.id == given("id"))
        counts = and_(here(table), among(t.state, {first, *OPEN}))
        self._add: Final = Query(
            insert(table)
            .values(shop_id=SHOP, state=first, **named(table, (*_NEW, *new)))
            .returning(*t)
        )
        self._count_open: Final = Query(
            select(func.count())
            .select_from(table)
            .where(counts, true() if asked is None else asked)
        )
        self._one: Final = Query(select(*t).where(own))
        self._lock: Final = Query(select(*t).where(own).with_for_update())
        self._page: Final = Query(
            select(*shown)
            .where(here(table), t.id < given("before"), *only)
            .order_by(t.id.desc())
            .limit(given("limit"))
        )
        self._begin(table, own, first)
        self._keep(table, carried or {}, ended or {})

    def _begin(self, table: Table, own: ColumnElement[bool], first: str) -> None:
        """How a run is let go to the workers, given up before, found and taken."""
        t = table.c
        free = or_(t.leased_until.is_(None), t.leased_until <= _now)
        gathered = and_(own, t.state == first)
        self._release = Query(
            update(table).where(gathered).values(state="queued", due_at=_now).returning(*t)
        )
        self._give_up = Query(
            update(table)
            .where(gathered, t.due_at <= _now)
            .values(state="failed", failure=given("failure"), finished_at=_now, due_at=null())
            .returning(*t)
        )
        self.due = Query(
            select(t.shop_id, t.id)
            .where(t.due_at <= _now, free)
            .order_by(t.due_at)
            .limit(given("limit"))
        )
        """Shop and key of those that nobody carries on, for ``Database.sweep``."""
        self._claim = Query(
            update(table)
            .where(own, among(t.state, OPEN), t.due_at <= _now, free)
            .values(state="running", attempt=t.attempt + 1, leased_until=_until)
            .returning(*t)
        )

    def _keep(self, table: Table, carried: Mapping[str, Any], ended: Mapping[str, Any]) -> None:
        """What whoever holds a run writes."""
        self._hold = Query(
            update(table).where(self.held).values(done=given("done", Integer), leased_until=_until)
        )
        self._carry = Query(update(table).where(self.held).values(leased_until=_until, **carried))
        self._finish = Query(
            update(table)
            .where(self.held)
            .values(
                state=given("state"),
                failure=given("failure", Text),
                finished_at=_now,
                due_at=null(),
                leased_until=null(),
                **ended,
            )
            .returning(*table.c)
        )

    async def add(self, tx: Transaction, **values: Any) -> Row:
        """A queued one."""
        row = await tx.first(self._add, **values)
        assert row is not None
        return row

    async def count_open(self, tx: Transaction) -> int:
        """How many wait or run. The shop must be locked for a limit to hold."""
        return int(await tx.value(self._count_open))

    async def one(self, tx: Transaction, run_id: UUID) -> Row | None:
        """The whole row, with what it has found."""
        return await tx.first(self._one, id=run_id)

    async def lock(self, tx: Transaction, run_id: UUID) -> Row | None:
        """The same, one transaction at a time."""
        return await tx.first(self._lock, id=run_id)

    async def page(self, tx: Transaction, *, before: UUID, limit: int, **only: Any) -> list[Row]:
        """Newest first."""
        return await tx.all(self._page, before=before, limit=limit, **only)

    async def claim(
        self, tx: Transaction, run_id: UUID, now: datetime, until: datetime
    ) -> Row | None:
        """Take a due one until then; None when it is not due or held."""
        return await tx.first(self._claim, id=run_id, now=now, until=until)

    async def release(self, tx: Transaction, run_id: UUID, now: datetime) -> Row | None:
        """Queue one that was gathered; None when it is not being gathered (any more)."""
        return await tx.first(self._release, id=run_id, now=now)

    async def give_up(
        self, tx: Transaction, run_id: UUID, now: datetime, failure: str
    ) -> Row | None:
        """End one that was gathered for too long; None when it was not."""
        return await tx.first(self._give_up, id=run_id, now=now, failure=failure)

    async def hold(self, tx: Transaction, run: Row, *, done: int, until: datetime) -> bool:
        """Say how far it is and hold it longer. False when another attempt holds it by now."""
        given_ = {"id": run["id"], "attempt": run["attempt"]}
        return bool(await tx.run(self._hold, **given_, done=done, until=until))

    async def carry(
        self, tx: Transaction, run: Row, *, until: datetime | None, **values: Any
    ) -> bool:
        """Keep what was found and hold it until then (None: let go). False when another attempt
        holds it by now."""
        given_ = {"id": run["id"], "attempt": run["attempt"]}
        return bool(await tx.run(self._carry, **given_, until=until, **values))

    async def finish(
        self,
        tx: Transaction,
        run: Row,
        *,
        state: str,
        failure: str | None,
        now: datetime,
        **values: Any,
    ) -> Row | None:
        """End it. None when another attempt holds it by now."""
        given_ = {"id": run["id"], "attempt": run["attempt"], "now": now}
        return await tx.first(self._finish, **given_, state=state, failure=failure, **values)
