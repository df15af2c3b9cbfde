"""The database a command works on: the one that is configured, or the embedded one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from returns_api.config import Settings
from returns_api.db.embedded import EmbeddedPostgres

DATABASE: Final = "returns"
APP_ROLE: Final = "returns_app"  # made by the migrations


@contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """Settings that name a database that runs; an embedded one is started, or shared if it runs.

    Raises: EmbeddedError.
    """
    if settings.database_url is not None:
        yield settings
        return
    with embedded(settings) as server:
        yield addressed(settings, server)


def embedded(settings: Settings) -> EmbeddedPostgres:
    """The embedded server of these settings, not started."""
    return EmbeddedPostgres(
        settings.data_dir / "db", user=settings.embedded_user, programs=settings.pg_bin
    )


def addressed(settings: Settings, server: EmbeddedPostgres) -> Settings:
    """The settings with the addresses of the running ``server`` in them."""
    if server.owned:
        asyncio.run(_ensure_database(server.url()))
    return settings.with_(
        database_url=server.url(user=APP_ROLE, database=DATABASE),
        owner_database_url=server.url(database=DATABASE),
    )


async def _ensure_database(url: str) -> None:
    import asyncpg  # noqa: PLC0415 - commands without a database start faster

    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE)
        if found is None:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
