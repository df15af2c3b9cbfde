"""Whether an account may be called now, and what a try told about it.

The state stands in the connection's row, so every worker process acts on it. What a process knows
alone is how many of its own calls are without an answer (``CallsUnderWay``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from returns_api.db import connections as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.health import (
    PROBE_TIME,
    RETRY_BURST,
    RETRY_EVERY,
    Health,
    after_failure,
    come_back,
    retry_wait,
    slow_wait,
)
from returns_api.usecases.context import Context

_SHARES: Final = 1 << 16

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pass:
    """The account may be called. ``probe``: this one try tells whether the pause ends."""

    connection_id: UUID
    failures: int
    probe: bool


async def admit(
    tx: Transaction, ctx: Context, connection: Mapping[str, Any], transfer_id: UUID, *, retry: bool
) -> Pass | datetime:
    """Leave to call the account, or when the transfer is to look again."""
    now, health = ctx.clock(), _health(connection)
    share = transfer_id.int % _SHARES / _SHARES
    if ctx.calls.full((tx.shop, connection["source"]), now):
        return slow_wait(now, share)
    if health.paused(now):
        return come_back(health, now, share)
    if health.half_open(now):
        until = now + PROBE_TIME
        if not await rows.take_probe(tx, connection["id"], health.paused_until, until):
            return come_back(Health(0, health.paused_since, until), now, share)
        return Pass(connection["id"], health.failures, probe=True)
    if retry and not await rows.spend_retry(tx, connection["id"], now, RETRY_EVERY, RETRY_BURST):
        return retry_wait(now, share)
    return Pass(connection["id"], health.failures, probe=False)


async def told(tx: Transaction, ctx: Context, given: Pass, *, answered: bool) -> None:
    """What the try told: an answer, whatever it said, ends the failures in a row."""
    if answered:
        if (given.probe or given.failures) and await rows.answered(tx, given.connection_id):
            log.info("account answers again", connection=str(given.connection_id))
        return
    row = await rows.lock(tx, given.connection_id)
    before = _health(row)
    after = after_failure(before, ctx.clock(), probe=given.probe)
    await rows.note_failure(
        tx, given.connection_id, after.failures, after.paused_since, after.paused_until
    )
    if before.paused_since is None and after.paused_since is not None:
        log.warning("account paused", source=row["source"], count=after.failures)


def _health(connection: Mapping[str, Any] | Row) -> Health:
    names = ("failures", "paused_since", "paused_until")
    return Health(*(connection[name] for name in names))
