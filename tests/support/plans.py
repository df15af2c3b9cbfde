"""What PostgreSQL plans for every statement of the service, on tables that have many rows.

The plans are made on look-alikes: tables with the same columns and indexes and without the rules,
filled with rows of one shop (nine of ten) and another, and analysed. Nothing is executed.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from returns_api import db
from returns_api.db.checks import Check
from returns_api.db.query import Query
from returns_api.db.runs import Runs
from returns_api.db.tables import tenant_tables

SCHEMA: Final = "many"
ROWS: Final = 1_000
_MADE: Final = {
    "uuid": "gen_random_uuid()",
    "boolean": "random() < 0.5",
    "date": "current_date - (random() * 700)::int",
    "timestamp with time zone": "now() - random() * interval '700 days'",
    "bytea": "decode(md5(random()::text), 'hex')",
    "jsonb": "'{}'",
    "numeric": "(random() * 30000)::int",
    "bigint": "(random() * 30000)::int",
    "integer": "(random() * 30000)::int",
    "smallint": "(random() * 30000)::int",
}
_FEW: Final = {"state", "kind", "status", "currency", "provider", "account", "source", "origin"}
"""Columns of words that many rows share."""
_ONE_PATH: Final = (
    "SET search_path = many, public; SET plan_cache_mode = force_generic_plan;"
    " SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
)
"""How big a table is must not decide: only whether an index leads to the rows at all."""
_COLUMNS: Final = (
    "SELECT attname, format_type(atttypid, NULL) AS type, attnotnull FROM pg_attribute"
    " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped"
    " AND attgenerated = '' ORDER BY attnum"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement that reads all rows of a shop in a table, and how."""

    statement: str
    table: str
    how: str


def statements() -> dict[str, Query]:
    """Every statement that the service builds at its start, by where it stands."""
    found: dict[int, tuple[str, Query]] = {}
    for module in pkgutil.walk_packages(db.__path__, f"{db.__name__}."):
        for attribute, value in vars(importlib.import_module(module.name)).items():
            place = f"{module.name.removeprefix(f'{db.__name__}.')}.{attribute}"
            for name, query in _inside(place, value):
                found.setdefault(id(query), (name, query))
    named = dict(found.values())
    assert len(named) == len(found), "two statements have one name"
    return named


def _inside(place: str, value: object) -> Iterator[tuple[str, Query]]:
    """A statement, those of a collection by their keys, those of an object by their names."""
    if isinstance(value, Query):
        yield place, value
    elif isinstance(value, Check):
        yield f"audit: {value.invariant} {value.name}", value.query
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _inside(f"{place}[{key}]", inner)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _inside(f"{place}[{number}]", inner)
    elif isinstance(value, Runs):
        yield from _inside(place, vars(value))


async def fill(connection: asyncpg.Connection[Any]) -> None:
    """The look-alikes of all tables of shops."""
    await connection.execute(f"CREATE SCHEMA {SCHEMA}")
    for table in tenant_tables():
        name = f"{SCHEMA}.{table.name}"
        await connection.execute(
            f"CREATE TABLE {name} (LIKE public.{table.name} INCLUDING INDEXES INCLUDING GENERATED)"
        )
        columns = await connection.fetch(_COLUMNS, name)
        names = ", ".join(column["attname"] for column in columns)
        values = ", ".join(_value(**column) for column in columns)
        await connection.execute(
            f"INSERT INTO {name} ({names}) SELECT {values} FROM generate_series(1, {ROWS}) AS n"
            " ON CONFLICT DO NOTHING"
        )
    await connection.execute(f"ANALYZE; {_ONE_PATH}")


def _value(attname: str, type: str, attnotnull: bool) -> str:
    if attname == "shop_id":
        return "('00000000-0000-0000-0000-00000000000' || (n % 10 = 0)::int)::uuid"
    if attname in _FEW and type not in _MADE:
        return "'v' || (random() * 6)::int"
    made = "'{}'" if type.endswith("[]") else _MADE.get(type, "md5(random()::text)")
    if attname.endswith(("_at", "_until")) and not attnotnull:
        made = f"CASE WHEN random() < 0.02 THEN {made} END"  # few rows are due, held or over
    return f"({made})::{type}" if type.endswith("[]") or type in _MADE else made


async def readings(
    connection: asyncpg.Connection[Any], asked: Mapping[str, Query]
) -> list[Reading]:
    """Where a statement reads a shop's whole table, by the plan that serves any parameters."""
    found = []
    for number, (name, query) in enumerate(asked.items()):
        await connection.execute(f"PREPARE s{number} AS {query.sql}")
        nothing = f"({', '.join(['NULL'] * query.parameters)})" if query.parameters else ""
        told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE s{number}{nothing}")
        found += [Reading(name, *each) for each in _whole(json.loads(told)[0]["Plan"], paged=False)]
    return found


_ENDS_A_PAGE: Final = {"Sort", "Aggregate", "Hash", "Materialize", "WindowAgg", "Unique"}
"""Below these a limit does not stop the reading."""


def _whole(plan: Mapping[str, Any], *, paged: bool) -> Iterator[tuple[str, str]]:
    kind = plan["Node Type"]
    paged = (paged or kind == "Limit") and kind not in _ENDS_A_PAGE
    if "Relation Name" in plan and kind != "ModifyTable" and not paged:
        led = plan.get("Index Cond") or plan.get("Recheck Cond") or ""
        terms = [term for term in led.split(" AND ") if "shop_id" not in term]
        if not any(terms):
            yield plan["Relation Name"], f"{kind}: {plan.get('Filter', 'everything')}"
    for inner in plan.get("Plans", ()):
        yield from _whole(inner, paged=paged)
