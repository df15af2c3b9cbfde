"""Reading the audit trail. It is written by whatever happens, never by a use case of its own."""

from __future__ import annotations

from uuid import UUID

from returns_api.db import events as rows
from returns_api.db.engine import Row
from returns_api.domain.webhooks import EVERYTHING
from returns_api.usecases.context import Context


async def list_events(
    ctx: Context,
    shop: UUID,
    *,
    before: UUID,
    limit: int,
    resource_id: UUID | None,
    topic: str | None,
) -> list[Row]:
    """Events, newest first: all, of one resource, or of a topic as endpoints name them."""
    family = topic is not None and topic.endswith(".*")
    async with ctx.database.transaction(shop) as tx:
        return await rows.page(
            tx,
            before=before,
            limit=limit,
            resource_id=resource_id,
            type_=None if family or topic in {None, EVERYTHING} else topic,
            family=topic[:-1] if topic is not None and family else None,
        )
