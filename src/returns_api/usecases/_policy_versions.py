"""What every step in the life of a policy version shares: found, as seen, allowed, remembered."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from returns_api.db import policies as rows
from returns_api.db import policy_history as history_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.errors import ActionNotAllowed, NotFound, PreconditionFailed
from returns_api.domain.events import By, Event
from returns_api.domain.lifecycle import Actor
from returns_api.domain.lifecycle.policies import POLICY
from returns_api.usecases._announce import announce
from returns_api.usecases.context import Context

NOBODY_HAS_IT: Final = "There is no such thing here, or it is not yours to see."


def require(row: Row, action: str, by: By) -> None:
    """Raises ``ActionNotAllowed`` for what the table does not know."""
    POLICY.require(row["state"], action, Actor(by.actor))


def not_now(row: Row, by: By, why: str) -> ActionNotAllowed:
    """The refusal of an action that the table knows, with what would work."""
    return ActionNotAllowed(
        f"Version {row['number']} is {row['state']}. {why}",
        state=row["state"],
        allowed=list(POLICY.allowed(row["state"], Actor(by.actor))),
    )


def as_seen(row: Row | None, seen: int) -> Row:
    """Raises ``NotFound`` and ``PreconditionFailed``."""
    here = found(row)
    if here["version"] != seen:
        raise PreconditionFailed(
            "The version changed since you read it.", current=f'"{here["version"]}"'
        )
    return here


async def done(
    tx: Transaction,
    ctx: Context,
    by: By,
    version_id: UUID,
    action: str,
    *,
    note: str | None = None,
    findings: list[dict[str, Any]] | None = None,
) -> Row:
    """Keep what was just done in the history, tell it, and show the version as it is now."""
    row = await view(tx, version_id)
    await history_rows.add(
        tx,
        id=ctx.new_id(),
        policy_version_id=version_id,
        sequence=row["version"],
        action=action,
        at=ctx.clock(),
        actor=by.actor,
        actor_id=by.credential_id,
        digest=row["digest"],
        note=note,
        findings=findings or [],
        effective_from=row["effective_from"],
    )
    told = Event(
        id=ctx.new_id(),
        type=f"policy_version.{'created' if action == 'drafted' else action}",
        resource_type="policy_version",
        resource_id=version_id,
        sequence=row["version"],
        at=ctx.clock(),
        by=by,
        data={"policy_version": ids.encode("pv", version_id), "number": row["number"]},
    )
    await announce(tx, ctx, [told])
    return row


async def view(tx: Transaction, version_id: UUID) -> Row:
    """With text and findings. Raises ``NotFound``."""
    return found(await rows.view(tx, version_id))


def found(row: Row | None) -> Row:
    """Raises ``NotFound``."""
    if row is None:
        raise NotFound(NOBODY_HAS_IT)
    return row
