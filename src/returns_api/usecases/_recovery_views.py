"""A recovery with its steps: as it is locked, and as it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from returns_api.db import recoveries as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.errors import NotFound
from returns_api.domain.recoveries import RecoveryRecord
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._loading import NO_SUCH_THING


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """A recovery and what was done about it, oldest first."""

    recovery: RecoveryRecord
    steps: Sequence[Row]


async def locked(tx: Transaction, who: Acting) -> RecoveryRecord:
    """The one that is acted on. Raises ``NotFound``, ``PreconditionFailed``."""
    found = await rows.lock(tx, who.target)
    if found is None or not who.principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    require_seen("recovery", found.sequence, who.seen)
    return found


async def view_of(tx: Transaction, recovery: RecoveryRecord) -> RecoveryView:
    return RecoveryView(recovery, await rows.steps_of(tx, [recovery.id]))
