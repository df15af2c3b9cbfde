"""The event of every change of a webhook endpoint: who is told, and who stopped being told."""

from __future__ import annotations

from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.events import By, Event
from returns_api.usecases.context import Context


def endpoint_event(
    ctx: Context, row: Row, what: str, by: By, *, reason: str | None = None, step: int = 0
) -> Event:
    """``webhook_endpoint.<what>`` under the row's version, plus ``step`` when the row is no more.

    The address is left out: its path or query may hold the receiver's own secret.
    """
    return Event(
        id=ctx.new_id(),
        type=f"webhook_endpoint.{what}",
        resource_type="webhook_endpoint",
        resource_id=row["id"],
        sequence=row["version"] + step,
        at=ctx.clock(),
        by=by,
        reason=reason,
        data={
            "webhook_endpoint": ids.encode("whe", row["id"]),
            "state": row["state"],
            "reason": reason,
        },
    )
