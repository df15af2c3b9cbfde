"""T23: what the database itself enforces about tenants, read from its own catalogue.

Nothing here lists tables by hand: a table that a later migration adds is held to the same rules, or
the test fails until somebody says what kind of table it is.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from returns_api.db.engine import Database, Transaction
from returns_api.db.query import Query, here
from returns_api.db.tables import orders
from returns_api.domain.errors import Unavailable
from tests.support.postgres import APP_ROLE

SWEEP_ROLE = "returns_sweep"
NOT_OF_A_SHOP = {
    "alembic_version",
    "pgqueuer",
    "pgqueuer_log",
    "pgqueuer_schedules",
    "pgqueuer_statistics",
}
"""Tables without rows of a shop: the schema's own number and the queue, whose payloads are ids."""
HISTORY = {"events", "certificates", "decisions", "scans", "receipts", "receipt_lines"}
"""At least these; what else carries the trigger ``append_only`` is held to the same."""
UNTOUCHED = {
    "backtests",
    "delivery_attempts",
    "exchange_gifts",
    "import_problems",
    "ledger_seals",
    "notification_opt_outs",
    "outside_facts",
    "rate_limits",
    "reconciliation_differences",
    "reconciliation_lines",
    "report_progress",
    "report_rollups",
    "scans",
    "transfer_attempts",
}
"""Tables in which the seeded shops have no rows, since no worker runs, or nothing ran out."""
KEY_OR_TIME = {"uuid", "timestamp with time zone"}
THIS_SHOP = "(shop_id = (NULLIF(current_setting('app.shop'::text, true), ''::text))::uuid)"

TABLES = """
SELECT c.oid, c.relname AS name, c.relrowsecurity AS secured, c.relforcerowsecurity AS forced,
       pg_get_userbyid(c.relowner) AS owner, c.relkind::text AS kind,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'shop_id'
               AND a.attnotnull AND NOT a.attisdropped) AS of_a_shop
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def app(app_database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(app_database_url)
    yield connection
    await connection.close()


async def tenant_tables(owner: Any) -> list[str]:
    rows = await owner.fetch(TABLES)
    return sorted(row["name"] for row in rows if row["of_a_shop"])


async def append_only(owner: Any) -> set[str]:
    """Tables whose rows never change."""
    rows = await owner.fetch(
        "SELECT tgrelid::regclass::text AS table FROM pg_trigger WHERE tgname = 'append_only'"
    )
    return {row["table"] for row in rows}


async def attempt(app: Any, setting: str, statement: str, *values: Any) -> None:
    """One statement in a transaction with one setting."""
    async with app.transaction():
        await app.execute(setting)
        await app.execute(statement, *values)


async def test_every_table_is_a_shop_s_or_known_not_to_be(owner: Any) -> None:
    rows = await owner.fetch(TABLES)
    assert {row["kind"] for row in rows} == {"r"}, "a view or a foreign table needs rules first"
    assert {row["name"] for row in rows if not row["of_a_shop"]} == NOT_OF_A_SHOP
    assert len(rows) - len(NOT_OF_A_SHOP) >= 33


async def test_row_security_is_on_and_binds_the_owner_too(owner: Any) -> None:
    for row in await owner.fetch(TABLES):
        if row["of_a_shop"]:
            assert (row["secured"], row["forced"]) == (True, True), row["name"]
            assert row["owner"] not in {APP_ROLE, SWEEP_ROLE}


async def test_one_policy_lets_the_service_see_and_write_its_shop_only(owner: Any) -> None:
    rows = await owner.fetch("SELECT * FROM pg_policies WHERE schemaname = 'public'")
    of_table: dict[str, dict[str, Any]] = {}
    for row in rows:
        of_table.setdefault(row["tablename"], {})[row["policyname"]] = row
    assert sorted(of_table) == await tenant_tables(owner)
    for table, policies in of_table.items():
        ours = policies.pop("one_shop")
        assert (ours["roles"], ours["cmd"], ours["permissive"]) == (
            [APP_ROLE],
            "ALL",
            "PERMISSIVE",
        ), table
        assert (ours["qual"], ours["with_check"]) == (THIS_SHOP, THIS_SHOP), table
        for name, other in policies.items():
            assert (name, other["roles"], other["cmd"]) == ("keys_only", [SWEEP_ROLE], "SELECT")


async def test_every_key_and_reference_begins_with_the_shop(owner: Any) -> None:
    uniques = await owner.fetch(
        """SELECT i.indrelid::regclass::text AS table, i.indexrelid::regclass::text AS name,
                  (SELECT attname FROM pg_attribute a
                   WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[0]) AS first
           FROM pg_index i WHERE i.indisunique AND i.indrelid::regclass::text = ANY($1)""",
        await tenant_tables(owner),
    )
    assert len(uniques) > 50
    assert [row["name"] for row in uniques if row["first"] != "shop_id"] == []
    references = await owner.fetch(
        """SELECT c.conname AS name,
                  (SELECT attname FROM pg_attribute a
                   WHERE a.attrelid = c.conrelid AND a.attnum = c.conkey[1]) AS here,
                  (SELECT attname FROM pg_attribute a
                   WHERE a.attrelid = c.confrelid AND a.attnum = c.confkey[1]) AS there
           FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
           WHERE c.contype = 'f' AND n.nspname = 'public'"""
    )
    assert len(references) > 30
    outside = [row["name"] for row in references if (row["here"], row["there"]) != ("shop_id",) * 2]
    assert outside == []


async def test_the_roles_can_do_nothing_more_than_their_work(owner: Any) -> None:
    rows = await owner.fetch(
        "SELECT * FROM pg_roles WHERE rolname = ANY($1)", [APP_ROLE, SWEEP_ROLE]
    )
    for row in rows:
        powers = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolbypassrls", "rolreplication")
        assert not any(row[power] for power in powers), row["rolname"]
        assert not row["rolinherit"] or row["rolname"] == SWEEP_ROLE
    members = await owner.fetch(
        """SELECT roleid::regrole::text AS of FROM pg_auth_members
           WHERE member = $1::regrole OR member = $2::regrole""",
        APP_ROLE,
        SWEEP_ROLE,
    )
    assert [row["of"] for row in members] == [SWEEP_ROLE]
    owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = ANY($1)"
    assert await owner.fetchval(owned, [APP_ROLE, SWEEP_ROLE]) == 0


@pytest.mark.parametrize("right", ["TRUNCATE", "REFERENCES", "TRIGGER"])
async def test_nobody_but_the_owner_may(owner: Any, right: str) -> None:
    for row in await owner.fetch(TABLES):
        for role in (APP_ROLE, SWEEP_ROLE):
            allowed = await owner.fetchval(
                "SELECT has_table_privilege($1, $2::oid, $3)", role, row["oid"], right
            )
            assert not allowed, (role, right, row["name"])


async def test_the_sweep_reads_keys_and_times_and_nothing_else(owner: Any) -> None:
    granted = await owner.fetch(
        """SELECT p.table_name AS table, p.column_name AS column, p.privilege_type AS right,
                  c.data_type AS type
           FROM information_schema.column_privileges p
           JOIN information_schema.columns c USING (table_schema, table_name, column_name)
           WHERE p.grantee = $1 AND p.table_schema = 'public'""",
        SWEEP_ROLE,
    )
    assert {row["right"] for row in granted} == {"SELECT"}
    assert len({row["table"] for row in granted}) >= 8
    told = {(row["table"], row["column"]) for row in granted if row["type"] not in KEY_OR_TIME}
    assert told == {("shops", "status")}


async def test_no_function_runs_with_its_owner_s_rights(owner: Any) -> None:
    rows = await owner.fetch(
        """SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE n.nspname = 'public' AND p.prosecdef"""
    )
    assert rows == []


async def test_without_a_shop_there_are_no_rows(world: Any, owner: Any, app: Any) -> None:
    empty = []
    for table in await tenant_tables(owner):
        if not await owner.fetchval(f"SELECT count(*) FROM {table}"):
            empty.append(table)
        assert await app.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    async with app.transaction():
        await app.execute(f"SET LOCAL app.shop = '{world.ours.id}'")
        assert await app.fetchval("SELECT count(*) FROM orders") == 2
    for table in await tenant_tables(owner):  # the setting is '' now, no longer NULL
        assert await app.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    assert set(empty) <= UNTOUCHED


async def test_a_shop_sees_its_own_rows_and_can_write_no_others(
    world: Any, owner: Any, app: Any
) -> None:
    ours, theirs = world.ours.id, world.theirs.id
    history = await append_only(owner)
    for table in await tenant_tables(owner):
        async with app.transaction():
            await app.execute(f"SET LOCAL app.shop = '{ours}'")
            seen = {row[0] for row in await app.fetch(f"SELECT DISTINCT shop_id FROM {table}")}
            assert seen <= {ours}, table
            if table in history:
                continue
            hidden = f"DELETE FROM {table} WHERE shop_id = $1"
            assert await app.execute(hidden, theirs) == "DELETE 0", table
    for statement in (
        "UPDATE orders SET shop_id = $1",
        "INSERT INTO rate_limits VALUES ($1, 'x', now(), 1)",
        "UPDATE credentials SET shop_id = $1 WHERE role = 'admin'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await attempt(app, f"SET LOCAL app.shop = '{ours}'", statement, theirs)


async def test_the_sweep_role_cannot_read_further(world: Any, app: Any) -> None:
    assert world.ours.id != world.theirs.id
    async with app.transaction():
        await app.execute(f"SET LOCAL ROLE {SWEEP_ROLE}")
        assert len(await app.fetch("SELECT shop_id, status FROM shops")) == 2
    for statement in (
        "SELECT name FROM shops",
        "SELECT * FROM transfers",
        "SELECT amount_minor FROM transfers",
        "SELECT body FROM inbox",
        "SELECT 1 FROM orders",
        "UPDATE transfers SET due_at = now()",
        "DELETE FROM rate_limits",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await attempt(app, f"SET LOCAL ROLE {SWEEP_ROLE}", statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("SET ROLE postgres")


async def test_history_does_not_change(world: Any, owner: Any, app: Any) -> None:
    tables = await append_only(owner)
    assert tables >= HISTORY
    for table in tables:
        changes = (f"UPDATE {table} SET shop_id = shop_id", f"DELETE FROM {table}")
        for change in changes:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await attempt(app, f"SET LOCAL app.shop = '{world.ours.id}'", change)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(f"TRUNCATE {table} CASCADE")
        if not await owner.fetchval(f"SELECT count(*) FROM {table}"):
            continue
        for change in changes:
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await owner.execute(change)


COUNT = Query(orders.select().where(here(orders)).with_only_columns(orders.c.shop_id))


async def test_one_connection_shared_by_two_shops_and_canceled_at_random(
    world: Any, app_database_url: str
) -> None:
    """Whoever is canceled at whatever await, the next one on that connection sees its own shop."""
    database = Database(app_database_url, pool_size=1)
    await database.open()
    chance, foreign, seen, canceled = random.Random(23), 0, 0, 0
    unset = "SELECT nullif(current_setting('app.shop', true), '')"

    async def ask(shop: UUID) -> int:
        async with database.transaction(shop) as tx:
            await asyncio.sleep(0)
            rows = await tx.connection.fetch("SELECT shop_id FROM orders")
            rows += await tx.all(COUNT)
            await asyncio.sleep(0)
            return sum(1 for row in rows if row["shop_id"] != shop) + 1000 * (len(rows) != 4)

    try:
        for _ in range(1_000):  # a fast machine is done before many are canceled
            if seen > 200 and canceled > 60:
                break
            tasks = [
                asyncio.create_task(ask(chance.choice((world.ours.id, world.theirs.id))))
                for _ in range(8)
            ]
            for task in chance.sample(tasks, 3):
                await asyncio.sleep(chance.random() * 0.002)
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, int):
                    foreign, seen = foreign + result, seen + 1
                else:
                    assert isinstance(result, asyncio.CancelledError | Unavailable), result
                    canceled += 1
            async with database.pool.acquire() as connection:
                assert await connection.fetchval(unset) is None
                assert not connection.is_in_transaction()
    finally:
        await database.close()
    assert foreign == 0
    assert seen > 200
    assert canceled > 60


async def test_a_shop_that_does_not_exist_has_nothing(world: Any, app_database_url: str) -> None:
    database = Database(app_database_url, pool_size=1)
    await database.open()
    try:
        async with database.transaction(uuid4()) as tx:
            assert isinstance(tx, Transaction)
            assert await tx.all(COUNT) == []
            assert await tx.connection.fetch("SELECT FROM orders") == []
    finally:
        await database.close()
    assert world.ours.orders
