"""How Alembic reaches the database: one connection, one migrator at a time, short lock waits.

``returns_api.db.migrations`` passes the address in ``config.attributes``; on Alembic's own command
line it comes from RETURNS_API_OWNER_DATABASE_URL. The connection is made from the address by
asyncpg itself, so every form that the service accepts works here too.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import asyncpg
from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from returns_api.db.tables import metadata

# Any number that nothing else in the database uses as an advisory lock: "returns" in ASCII.
MIGRATION_LOCK = 0x72657475726E73
LOCK_TIMEOUT = "2s"


def _ours(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Leave tables that the metadata does not describe (the job engine's own) alone."""
    return not (kind == "table" and reflected and compare_to is None)


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=_ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _run(connection: Connection) -> None:
    """Wait for other migrators, then migrate; the lock is the session's, so it outlives commits.

    The wait for the other migrator has no limit; the wait for a table lock has, so that a migration
    never queues all traffic behind itself (the caller tries again).
    """
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    _migrate(connection)
    connection.commit()


async def _connect_and_run(url: str) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda *_, **__: asyncpg.connect(url),
        poolclass=pool.NullPool,
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


def main() -> None:
    if context.is_offline_mode():
        raise CommandError("Migrations run against a database; --sql is not supported.")
    url = context.config.attributes.get("url") or os.environ.get("RETURNS_API_OWNER_DATABASE_URL")
    if not url:
        raise CommandError("Set RETURNS_API_OWNER_DATABASE_URL to the owner's database address.")
    asyncio.run(_connect_and_run(url))


main()
