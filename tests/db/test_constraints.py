"""T24: every CHECK, key, reference and trigger, attacked by raw SQL as the service's own role.

The attacks are generated from the catalogue: a row that exists is changed in the one place that a
constraint forbids. A constraint that nobody knows how to attack fails the test, so that a later
migration cannot add one that guards nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.db.test_catalogue import append_only, tenant_tables
from tests.support.attacker import (
    CHANGEABLE,
    CHECKS,
    COLUMNS,
    REFERENCES,
    SUPPLEMENT,
    UNIQUES,
    Attacker,
    another,
    types_of,
)
from tests.support.broken_rows import BY_HAND
from tests.support.broken_triggers import TRIGGERS
from tests.support.world import World

MONEY_NAMES = re.compile(r"_minor$|^(captured|reserved|refunded|external|disputed|exchanged)$")


_TO_ANOTHER_SHOP = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.IntegrityConstraintViolationError,
)


FACTS = (
    "UPDATE payments SET external = captured * 2",
    "UPDATE payments SET disputed = captured, external = captured",
    "UPDATE payments SET reserved = 0 WHERE reserved > 0",
    "UPDATE order_lines SET outside_returned = ordered + 1",
    "UPDATE order_lines SET removed = ordered, shipped = 0",
    "UPDATE order_lines SET outside_cancelled = ordered + 1",
)
"""What comes from outside is always storable, however little it leaves."""


@pytest.fixture(scope="module")
async def attacker(
    world: World, database_url: str, app_database_url: str
) -> AsyncIterator[Attacker]:
    owner = await asyncpg.connect(database_url)
    app = await asyncpg.connect(app_database_url)
    for statement in SUPPLEMENT:
        await owner.execute(statement)
    yield Attacker(app, owner, world.ours.id, await append_only(owner))
    await app.close()
    await owner.close()


@pytest.fixture(autouse=True)
def figures(attacker: Attacker, record_property: Callable[[str, object], None]) -> Iterator[None]:
    """What each test attacked and what refused it, for ``script/proof constraints``."""
    attacker.attacks, attacker.refused = 0, Counter()
    yield
    record_property("attacks", attacker.attacks)
    record_property("refused", attacker.refused.total())
    record_property("refused_by", len(attacker.refused))


async def test_every_check_refuses(attacker: Attacker) -> None:
    checks = await attacker.owner.fetch(CHECKS)
    assert len(checks) > 40
    for check in checks:
        row = await attacker.row(check["table"], PLAIN.get(check["table"], "true"))
        values = BY_HAND.get(check["name"]) or breaking(check["text"])
        assert values, f"nobody knows how to break {check['name']}: {check['text']}"
        refused = await attacker.change(check["table"], row, values)
        assert isinstance(refused, asyncpg.CheckViolationError), (check["name"], refused)
        assert refused.constraint_name == check["name"]


def breaking(definition: str) -> dict[str, Any]:
    """Values that break ``col >= n`` or ``col IN (…)``; empty for any other CHECK."""
    minimum = re.fullmatch(r"CHECK \(\(\"?(\w+)\"? >= (\d+)\)\)", definition)
    if minimum:
        return {minimum[1]: int(minimum[2]) - 1}
    listed = re.fullmatch(r"CHECK \(\((\w+) = ANY \(ARRAY\[.*\]\)\)\)", definition)
    return {listed[1]: "no such word"} if listed else {}


async def test_every_column_that_must_have_a_value_refuses_null(attacker: Attacker) -> None:
    tables = await tenant_tables(attacker.owner)
    columns = [c for c in await attacker.owner.fetch(COLUMNS, tables) if not c["nullable"]]
    assert len(columns) > 200
    for column in columns:
        table, name = column["table"], column["column"]
        row = {**await attacker.row(table), **untouched(table), name: None}
        refused = await attacker.insert(table, row)
        if name == "shop_id":
            assert isinstance(refused, asyncpg.InsufficientPrivilegeError), table
        else:
            assert isinstance(refused, asyncpg.NotNullViolationError), (table, name, refused)
            assert refused.column_name == name


async def test_every_key_refuses_a_second_row(attacker: Attacker) -> None:
    uniques = await attacker.owner.fetch(UNIQUES)
    assert len(uniques) > 50
    for unique in uniques:
        table, columns = unique["table"], set(unique["columns"])
        filled = " AND ".join(f"{column} IS NOT NULL" for column in columns)
        row = await attacker.row(table, f"{filled} AND ({unique['predicate'] or 'true'})")
        kinds = await types_of(attacker, table)
        narrower = {unique["name"]}
        for other in uniques:
            if other["table"] != table or other["name"] == unique["name"]:
                continue
            free = [
                name
                for name in other["columns"]
                if name not in columns | {"kind", "state", "channel"}
            ]
            if free and row[free[0]] is not None:
                row[free[0]] = another(row[free[0]], kinds[free[0]])
            elif not free:
                narrower.add(other["name"])  # whoever breaks the wide key breaks this one too
        refused = await attacker.insert(table, {**row, **untouched(table)})
        assert isinstance(refused, asyncpg.UniqueViolationError), (unique["name"], refused)
        assert refused.constraint_name in narrower


def untouched(table: str) -> dict[str, int]:
    """A payment starts with nothing reserved or refunded, else its trigger speaks first."""
    return {"reserved": 0, "refunded": 0, "exchanged": 0} if table == "payments" else {}


async def test_every_reference_refuses_what_is_not_there_and_what_is_another_shop_s(
    attacker: Attacker, world: World
) -> None:
    references = await attacker.owner.fetch(REFERENCES)
    assert len(references) > 30
    for reference in references:
        table = reference["table"]
        kinds = await types_of(attacker, table)
        for column in reference["columns"]:
            if column == "shop_id":
                continue
            theirs = await row_with(attacker, table, column, world.theirs.id)
            values = [str(uuid4()), theirs[column]] if kinds[column] == "uuid" else ["XXX"]
            for value in values:
                if value is None:
                    continue
                refused = await point(attacker, table, column, value)
                wrong = (reference["name"], column, refused)
                assert isinstance(refused, asyncpg.ForeignKeyViolationError), wrong


PLAIN: Mapping[str, str] = {
    "recovery_steps": "reference IS NOT NULL",
    "exchanges": "payment_reference IS NOT NULL",
    "repairs": "payment_reference IS NOT NULL",
    "complaints": "state = 'rated'",
    "order_deadlines": "state = 'open'",
    "cancellations": "refund_id IS NOT NULL",
    "credentials": "gift_receipt_id IS NULL",
}
"""Rows of which nothing else speaks before what is attacked does."""


FRESH: Mapping[str, str] = {
    "exchange_gifts": """SELECT id AS exchange_id, order_id FROM exchanges x WHERE shop_id = $1
        AND NOT EXISTS (SELECT FROM exchange_gifts g WHERE g.exchange_id = x.id)"""
}
"""Where there may be one row only: what another one could be about."""


async def row_with(attacker: Attacker, table: str, column: str, shop: Any = None) -> dict[str, Any]:
    """A row that refers to something by this column, where there is one."""
    row = await attacker.row(table, PLAIN.get(table, "true"), shop)
    if row[column] is not None:
        return row
    filled = await attacker.owner.fetchval(
        f"SELECT count(*) FROM {table} WHERE shop_id = $1 AND {column} IS NOT NULL"
        f" AND ({CHANGEABLE.get(table, 'true')})",
        shop or attacker.shop,
    )
    return await attacker.row(table, f"{column} IS NOT NULL", shop) if filled else row


async def point(attacker: Attacker, table: str, column: str, value: Any) -> Any:
    """Let a row refer to something else; a row of history is written anew under a new id."""
    row = await row_with(attacker, table, column)
    if table not in attacker.history:
        return await attacker.change(table, row, {column: value})
    if "id" in row:
        row["id"] = str(uuid4())
    if table in FRESH:
        fresh = await attacker.owner.fetchrow(FRESH[table], attacker.shop)
        row |= {name: str(found) for name, found in fresh.items()}
    for unique in await attacker.owner.fetch(UNIQUES):
        free = [name for name in unique["columns"] if isinstance(row.get(name), int)]
        if unique["table"] == table and column not in unique["columns"] and free:
            row[free[0]] += 1000
        outside = re.fullmatch(r"\((\w+) IS NOT NULL\)", unique["predicate"] or "")
        if unique["table"] == table and outside and outside[1] != column:
            row[outside[1]] = None
    return await attacker.insert(table, {**row, column: value})


async def test_every_trigger_refuses(attacker: Attacker) -> None:
    names = await attacker.owner.fetch(
        """SELECT DISTINCT t.tgname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'public' AND NOT t.tgisinternal"""
    )
    assert {row["name"] for row in names} == set(TRIGGERS)
    for name, statements in TRIGGERS.items():
        for statement in statements:
            refused = await attacker.refusal(statement)
            assert isinstance(refused, asyncpg.IntegrityConstraintViolationError), statement
            assert refused.constraint_name == name, statement


async def test_every_table_refuses_another_shop_s_row(attacker: Attacker, world: World) -> None:
    """Written anew, or moved over: row-level security has the last word, or a guard the first."""
    theirs = str(world.theirs.id)
    for table in await tenant_tables(attacker.owner):
        row = {**await attacker.row(table), **untouched(table)}
        refused = await attacker.insert(table, {**row, "shop_id": theirs})
        assert isinstance(refused, asyncpg.InsufficientPrivilegeError), (table, refused)
        if table not in attacker.history:
            moved = f"UPDATE {table} SET shop_id = $1"
            refused = await attacker.refusal(moved, world.theirs.id)
            assert isinstance(refused, _TO_ANOTHER_SHOP), (table, refused)


async def test_every_history_refuses_change_and_removal(attacker: Attacker) -> None:
    assert len(attacker.history) > 10
    for table in sorted(attacker.history):
        for statement in (
            f"UPDATE {table} SET shop_id = shop_id",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            refused = await attacker.refusal(statement)
            assert isinstance(refused, asyncpg.InsufficientPrivilegeError), statement


async def test_there_is_no_kind_of_constraint_that_nobody_attacks(attacker: Attacker) -> None:
    """CHECK, reference, key, unique, NOT NULL and trigger; no exclusion, no domain."""
    found = await attacker.owner.fetch(
        """SELECT DISTINCT c.contype::text AS kind FROM pg_constraint c
           JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = 'public'"""
    )
    assert {row["kind"] for row in found} <= set("cfpunt")


@pytest.mark.parametrize("statement", FACTS)
async def test_facts_from_outside_are_always_storable(attacker: Attacker, statement: str) -> None:
    transaction = attacker.app.transaction()
    await transaction.start()
    try:
        await attacker.app.execute(f"SET LOCAL app.shop = '{attacker.shop}'")
        done = await attacker.app.execute(statement)
        assert not done.endswith(" 0")
    finally:
        await transaction.rollback()


async def test_no_column_can_hold_what_is_not_a_number(attacker: Attacker) -> None:
    """No numeric and no float anywhere; money is bigint, and NaN, Infinity and 2^63 bounce."""
    columns = await attacker.owner.fetch(COLUMNS, await tenant_tables(attacker.owner))
    kinds = {column["type"] for column in columns}
    assert kinds & {"numeric", "real", "double precision", "money"} == set()
    money = [column for column in columns if MONEY_NAMES.search(column["column"])]
    assert len(money) >= 14
    refusals = (asyncpg.NumericValueOutOfRangeError, asyncpg.FeatureNotSupportedError)
    for column in money:
        assert column["type"] == "bigint", column
        if column["table"] in attacker.history:
            continue
        for value in ("'NaN'::float8", "'Infinity'::float8", "'NaN'::numeric", "1e30"):
            refused = await attacker.refusal(
                f"UPDATE {column['table']} SET {column['column']} = {value}"
            )
            assert isinstance(refused, refusals), (column, refused)
