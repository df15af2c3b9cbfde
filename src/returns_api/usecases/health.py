"""Whether the service can work right now."""

from __future__ import annotations

from returns_api.domain.errors import Unavailable
from returns_api.usecases.context import Context


async def check_database(ctx: Context) -> None:
    """Raises ``Unavailable`` when the database is away or takes no writes."""
    if not await ctx.database.writable():
        raise Unavailable("The database is read-only.")
