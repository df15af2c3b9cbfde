"""The one way to the database: a pool, and transactions that belong to one shop.

A transaction opens with ``SET LOCAL app.shop`` in the same round trip as BEGIN, so row-level
security holds from the first statement. The text sent is a UUID printed by us, never text from
outside.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from returns_api.db.query import Query
from returns_api.domain.errors import Unavailable

POOL_WAIT_SECONDS: Final = 5.0
STATEMENT_TIMEOUT_MS: Final = 15_000
LOCK_TIMEOUT_MS: Final = 8_000
IDLE_TIMEOUT_MS: Final = 10_000
"""No transaction waits for anything outside, so one that stands still belongs to a process that
does; its locks must not hold up the worker that takes over."""
TRANSACTION_TIMEOUT_MS: Final = 20_000
"""From PostgreSQL 17 on. A client that stops between preparing a statement for the first time and
running it is neither idle nor in a statement for the server: only this ends its transaction."""
_KNOWS_TRANSACTION_TIMEOUT: Final = 17

_AWAY: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
)

TROUBLE: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Everything that a database may answer to a statement that is right."""

Row = asyncpg.Record


@dataclass(slots=True)
class Transaction:
    """Statements of one shop, all or nothing. Made by ``Database.transaction`` only."""

    connection: asyncpg.Connection[Row] | asyncpg.pool.PoolConnectionProxy[Row]
    shop: UUID
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    async def all(self, query: Query, **params: Any) -> list[Row]:
        """Every row."""
        return await self.connection.fetch(query.sql, *self._bind(query, params))

    async def first(self, query: Query, **params: Any) -> Row | None:
        """The first row, or None."""
        return await self.connection.fetchrow(query.sql, *self._bind(query, params))

    async def value(self, query: Query, **params: Any) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.fetchval(query.sql, *self._bind(query, params))

    async def run(self, query: Query, **params: Any) -> int:
        """Execute; returns the number of rows touched."""
        tag = await self.connection.execute(query.sql, *self._bind(query, params))
        return int(tag.rpartition(" ")[2] or 0)

    async def many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        """Execute once per row in one batch."""
        await self.connection.executemany(query.sql, [self._bind(query, row) for row in rows])

    async def undo(self) -> None:
        """Take back everything since the savepoint; needs ``transaction(savepoint=True)``."""
        self.after_commit.clear()
        await self.connection.execute("ROLLBACK TO SAVEPOINT work")

    def _bind(self, query: Query, params: dict[str, Any]) -> list[Any]:
        return query.bind({**params, "shop": self.shop} if query.of_shop else params)


class Database:
    """A pool of connections as the application's role.

    ``one_plan``: every statement is planned once, whatever its values. Right for workers, whose
    statements all go by a key; a list with filters that may be absent is better planned anew.
    ``wait_seconds`` is how long anybody waits for a connection of the pool.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        role: str | None = "returns_app",
        one_plan: bool = False,
        wait_seconds: float = POOL_WAIT_SECONDS,
    ) -> None:
        self._url = url
        self._wait = wait_seconds
        self._one_plan = one_plan
        self._size = pool_size
        self._role = role
        self._pool: asyncpg.Pool[Row] | None = None

    async def open(self) -> None:
        """Connect; raises ``Unavailable`` when the server cannot be reached."""
        settings = {
            "application_name": "returns-api",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
            "jit": "off",
            # Every statement goes by an index. A plan made while a table was all but empty reads
            # all of it, and is kept while it grows.
            "enable_seqscan": "off",
            "plan_cache_mode": "force_generic_plan" if self._one_plan else "auto",
        }
        if self._role:
            settings["role"] = self._role
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=self._size,
                init=_prepare,
                reset=_reset,
                server_settings=settings,
                command_timeout=STATEMENT_TIMEOUT_MS / 1000 + 5,
            )
        except _AWAY as away:
            raise Unavailable("The database cannot be reached.") from away

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @property
    def pool(self) -> asyncpg.Pool[Row]:
        if self._pool is None:
            raise RuntimeError("the database is not open")
        return self._pool

    @asynccontextmanager
    async def transaction(
        self, shop: UUID, *, savepoint: bool = False
    ) -> AsyncIterator[Transaction]:
        """One transaction in one shop: commits at the end of the block, rolls back on any error.

        ``savepoint`` lets ``Transaction.undo`` take back the work and still commit something.

        Raises:
            Unavailable: the database is away, overloaded or read-only; nothing was written, or the
                commit's fate is unknown and the same request may be repeated with the same key.
        """
        try:
            connection = await self.pool.acquire(timeout=self._wait)
        except (*_AWAY, TimeoutError) as away:
            raise Unavailable("The database is busy or away.") from away
        done = False
        try:
            tx = Transaction(connection, shop)
            await connection.execute(
                f"BEGIN; SET LOCAL app.shop = '{UUID(int=shop.int)}'"
                + ("; SAVEPOINT work" if savepoint else "")
            )
            yield tx
            await connection.execute("COMMIT")
            done = True
        except _AWAY as away:
            raise Unavailable("The database is busy or away.") from away
        finally:
            if done:
                await self.pool.release(connection)
            else:
                await asyncio.shield(self._take_back(connection))
        for call in tx.after_commit:
            call()

    async def _take_back(self, connection: asyncpg.pool.PoolConnectionProxy[Row]) -> None:
        """End what was not committed, then let go of the connection."""
        try:
            if not connection.is_closed():
                await connection.execute("ROLLBACK", timeout=POOL_WAIT_SECONDS)
        # Whatever it was: in the pool, it would hand its open transaction to the next one.
        except Exception:
            # asyncpg has taken a lost connection back already; then there is nothing to end.
            with contextlib.suppress(asyncpg.InterfaceError):
                connection.terminate()
        finally:
            await self.pool.release(connection)

    async def writable(self) -> bool:
        """Whether the server answers and takes writes. Raises ``Unavailable`` when it is away."""
        try:
            async with self.pool.acquire(timeout=self._wait) as connection:
                return await connection.fetchval(
                    "SHOW transaction_read_only"
                ) == "off" and not await connection.fetchval("SELECT pg_is_in_recovery()")
        except (*_AWAY, TimeoutError) as away:
            raise Unavailable("The database is busy or away.") from away

    async def run(self, query: Query, **params: Any) -> int:
        """One statement on tables that belong to no shop; returns the number of rows touched."""
        try:
            async with self.pool.acquire(timeout=self._wait) as connection:
                tag = await connection.execute(query.sql, *query.bind(params))
        except (*_AWAY, TimeoutError) as away:
            raise Unavailable("The database is busy or away.") from away
        return int(tag.rpartition(" ")[2] or 0)

    async def sweep(self, query: Query, **params: Any) -> Sequence[Row]:
        """Keys over all shops, as the role that may read keys and due times and nothing else."""
        try:
            async with (
                self.pool.acquire(timeout=self._wait) as connection,
                connection.transaction(),
            ):
                await connection.execute("SET LOCAL ROLE returns_sweep")
                return await connection.fetch(query.sql, *query.bind(params))
        except (*_AWAY, TimeoutError) as away:
            raise Unavailable("The database is busy or away.") from away


async def _prepare(connection: asyncpg.Connection[Row]) -> None:
    if connection.get_server_version().major >= _KNOWS_TRANSACTION_TIMEOUT:
        await connection.execute(f"SET transaction_timeout = {TRANSACTION_TIMEOUT_MS}")
    await connection.set_type_codec(
        "jsonb", encoder=_dump, decoder=orjson.loads, schema="pg_catalog"
    )


async def _reset(connection: asyncpg.Connection[Row]) -> None:
    """Nothing of a session survives here: every setting is LOCAL to its transaction.

    asyncpg's own reset costs a round trip for each use of a connection.
    """


def _dump(value: Any) -> str:
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> str:
    """asyncpg reads ids as a subclass of UUID, which orjson does not write by itself."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a JSON column")
