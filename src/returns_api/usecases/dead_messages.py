"""What came in and failed, for operators: seen, and started anew.

Owns who may be started anew; how a message is tried is owned by ``inbox``.
"""

from __future__ import annotations

from uuid import UUID

from returns_api.db import inbox as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.errors import ActionNotAllowed, NotFound, ReturnsError
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context


async def list_messages(
    ctx: Context, shop: UUID, *, state: str, before: UUID, limit: int
) -> list[Row]:
    """Messages in one state, newest first, without their bodies."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.page(tx, state=state, before=before, limit=limit)


async def replay_message(ctx: Context, shop: UUID, message_id: UUID) -> Row:
    """Start a dead or ignored message anew with all its tries.

    Raises:
        NotFound: there is no such message.
        ActionNotAllowed: it is neither dead nor ignored, or its body was erased.
    """
    async with ctx.database.transaction(shop) as tx:
        row = await rows.revive(tx, message_id, ctx.clock())
        if row is None:
            raise await _not_replayable(tx, message_id)
        await emit(tx, [], [Job("process_inbox", message_id)])
    ctx.wake()
    return row


async def _not_replayable(tx: Transaction, message_id: UUID) -> ReturnsError:
    row = await rows.one(tx, message_id)
    if row is None:
        return NotFound(NO_SUCH_THING)
    return ActionNotAllowed(
        "Only a dead or ignored message whose body is still kept can be replayed.",
        state=row["state"],
        allowed=[],
    )
