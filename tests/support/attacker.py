"""One forbidden statement at a time, as the service's role, on seeded rows; each is taken back.

Owns how a statement is tried, the rows that the seeded shops lack, and what the catalogue knows of
keys, references, checks and columns. Refuses to own what is forbidden (``broken_rows``,
``broken_triggers``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg

SUPPLEMENT = (
    """INSERT INTO outside_facts (shop_id, id, order_id, payment_id, kind, provider, external_id,
                                  amount_minor, currency, at, lines)
       SELECT shop_id, gen_random_uuid(), order_id, id, 'refund', 'stripe', id::text, 1, currency,
              now(), '[]' FROM payments""",
    """INSERT INTO scans (shop_id, shipment_id, status, at)
       SELECT shop_id, id, 'in_transit', now() FROM shipments""",
    """INSERT INTO transfer_attempts (shop_id, transfer_id, no, kind, state, started_at)
       SELECT shop_id, id, 1, 'send', 'in_flight', now() FROM transfers""",
    """INSERT INTO delivery_attempts (shop_id, event_id, endpoint_id, no, at, duration_ms)
       SELECT shop_id, event_id, endpoint_id, 1, now(), 5 FROM deliveries""",
    """INSERT INTO backtests (shop_id, id, policy_version_id, digest, opened_until, state)
       SELECT shop_id, gen_random_uuid(), id, digest, now(), 'queued' FROM policy_versions""",
    """INSERT INTO reconciliation_lines (shop_id, reconciliation_id, kind, external_id,
                                         amount_minor, currency, status)
       SELECT shop_id, id, 'refund', id::text, 1, 'EUR', 'succeeded' FROM reconciliations""",
    """INSERT INTO reconciliation_differences (shop_id, id, reconciliation_id, subject, kind, about,
                                               order_id, payment_id, transfer_id, refund_id,
                                               proposal, created_at)
       SELECT r.shop_id, gen_random_uuid(), r.id, 'refund', 'state', 'x', t.order_id,
              t.payment_id, t.id, t.refund_id, 'review', now()
       FROM reconciliations r JOIN LATERAL (SELECT * FROM transfers t WHERE t.shop_id = r.shop_id
                                            LIMIT 1) t ON true""",
    """INSERT INTO import_problems (shop_id, import_id, line, errors)
       SELECT shop_id, id, 1, '[]' FROM imports""",
    """INSERT INTO notification_opt_outs (shop_id, address_key, channel, created_at)
       SELECT shop_id, 'x', 'email', now() FROM shops""",
    """INSERT INTO report_progress (shop_id, zone, due_at)
       SELECT shop_id, 'Europe/Berlin', now() FROM shops""",
    """INSERT INTO report_rollups (shop_id, source, span, starts_on, keys, currency, figures)
       SELECT shop_id, 'reasons', 'day', current_date, '{style,buyer,preference}', '', '{1,1,0,0,0}'
       FROM shops""",
    """INSERT INTO rate_limits (shop_id, bucket, window_start, hits)
       SELECT shop_id, 'x', now(), 1 FROM shops""",
    """INSERT INTO ledger_seals (shop_id, position, entry_id, digest)
       SELECT shop_id, row_number() OVER (PARTITION BY shop_id ORDER BY id), id, '' FROM
       ledger_entries""",
    """INSERT INTO store_credit_movements
       SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'no', no + 100,
               'kind', 'expired', 'transfer_id', NULL))).*
       FROM store_credit_movements m WHERE kind = 'issued'""",
    """INSERT INTO exchange_gifts (shop_id, exchange_id, order_id, refund_id, amount_minor)
       SELECT x.shop_id, x.id, x.order_id, r.id, 1 FROM exchanges x
       JOIN LATERAL (SELECT id FROM refunds f WHERE f.shop_id = x.shop_id
                     AND f.order_id = x.order_id LIMIT 1) r ON true
       WHERE x.id = (SELECT id FROM exchanges o WHERE o.shop_id = x.shop_id ORDER BY id LIMIT 1)""",
    """UPDATE photos p SET return_id = l.return_id, return_line_id = l.id FROM return_lines l
       WHERE l.shop_id = p.shop_id AND l.order_id = p.order_id""",
    """UPDATE withdrawals w SET state = 'opened', due_at = NULL, return_id = (
           SELECT id FROM returns r WHERE r.shop_id = w.shop_id AND r.order_id = w.order_id LIMIT 1)
       WHERE state = 'confirmed'""",
    "UPDATE refunds SET client_reference = id::text",
    "UPDATE transfers SET provider_refund_id = id::text",
    "UPDATE payments SET provider_payment_id = id::text",
    "UPDATE shipments SET carrier_shipment_id = id::text",
    "UPDATE exchanges o SET refund_id = (SELECT id FROM refunds r WHERE r.shop_id = o.shop_id"
    " AND r.order_id = o.order_id LIMIT 1)",
    "UPDATE transport_claims o SET refund_id = (SELECT id FROM refunds r"
    " WHERE r.shop_id = o.shop_id AND r.order_id = o.order_id LIMIT 1)",
    "UPDATE cancellations o SET state = 'confirmed', refund_id = (SELECT id FROM refunds r"
    " WHERE r.shop_id = o.shop_id AND r.order_id = o.order_id LIMIT 1) WHERE state = 'withdrawn'",
    "UPDATE disputes o SET refund_id = (SELECT id FROM refunds r WHERE r.shop_id = o.shop_id"
    " AND r.order_id = o.order_id LIMIT 1)",
    "UPDATE offers o SET refund_id = (SELECT id FROM refunds r WHERE r.shop_id = o.shop_id"
    " AND r.order_id = o.order_id LIMIT 1)",
    *(
        f"UPDATE {table} t SET refund_id = NULL, exchange_id = (SELECT id FROM exchanges x"
        " WHERE x.shop_id = t.shop_id AND x.order_id = t.order_id LIMIT 1)"
        f" WHERE t.refund_id IS NOT NULL AND t.id = (SELECT id FROM {table} o"
        " WHERE o.shop_id = t.shop_id ORDER BY o.id LIMIT 1)"
        for table in ("advances", "recoveries")
    ),
)
"""Rows that no request makes by itself, so that every table has one to attack."""


CHANGEABLE = {"policy_versions": "state = 'draft'"}
"""Rows of these tables that no trigger has made a fact yet."""


class Attacker:
    """Runs one forbidden statement at a time as the service's role and takes it back."""

    def __init__(self, app: Any, owner: Any, shop: Any, history: set[str]) -> None:
        self.app, self.owner, self.shop, self.history = app, owner, shop, history
        self.attacks = 0
        self.refused: Counter[str] = Counter()

    async def refusal(self, statement: str, *values: Any) -> asyncpg.PostgresError:
        """The database's refusal; fails the test when there was none."""
        self.attacks += 1
        transaction = self.app.transaction()
        await transaction.start()
        try:
            await self.app.execute(f"SET LOCAL app.shop = '{self.shop}'")
            if values:
                done = await self.app.execute(statement, *values)
            else:
                done = await self.app.execute(statement)
        except asyncpg.PostgresError as refused:
            column = refused.column_name and f"{refused.table_name}.{refused.column_name}"
            self.refused[str(refused.constraint_name or column or refused.sqlstate)] += 1
            return refused
        finally:
            await transaction.rollback()
        raise AssertionError(f"accepted ({done}): {statement} {values}")

    async def insert(self, table: str, row: Mapping[str, Any]) -> asyncpg.PostgresError:
        statement = (
            f"INSERT INTO {table} SELECT r.* FROM jsonb_populate_record(NULL::{table}, $1) r"
        )
        return await self.refusal(statement, json.dumps(row))

    async def change(
        self, table: str, row: Mapping[str, Any], values: Mapping[str, Any]
    ) -> asyncpg.PostgresError:
        """UPDATE where the role may; a row of history is inserted instead."""
        if table in self.history:
            return await self.insert(table, {**row, **values})
        sets = ", ".join(f"{column} = r.{column}" for column in values)
        keys = " AND ".join(f"t.{column} = k.{column}" for column in await self.key(table))
        return await self.refusal(
            f"UPDATE {table} t SET {sets} FROM jsonb_populate_record(NULL::{table}, $1) r,"
            f" jsonb_populate_record(NULL::{table}, $2) k WHERE {keys}",
            json.dumps(values),
            json.dumps(row),
        )

    async def key(self, table: str) -> list[str]:
        return next(
            list(found["columns"])
            for found in await self.owner.fetch(UNIQUES)
            if found["table"] == table and found["primary"]
        )

    async def row(self, table: str, where: str = "true", shop: Any = None) -> dict[str, Any]:
        """A row of our shop to start from."""
        where = f"shop_id = $1 AND ({where}) AND ({CHANGEABLE.get(table, 'true')})"
        found = await self.owner.fetchval(
            f"SELECT to_jsonb(t)::text FROM {table} t WHERE {where} LIMIT 1",
            shop or self.shop,
        )
        assert found is not None, f"no row in {table} where {where}"
        return dict(json.loads(found))


UNIQUES = """
SELECT i.indrelid::regclass::text AS table, i.indexrelid::regclass::text AS name,
       i.indisprimary AS primary, pg_get_expr(i.indpred, i.indrelid) AS predicate,
       (SELECT array_agg(a.attname::text ORDER BY k.n)
        FROM unnest(i.indkey::int[]) WITH ORDINALITY k(att, n)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND i.indisunique AND c.relname NOT LIKE 'pgqueuer%'
  AND c.relname <> 'alembic_version'
"""


REFERENCES = """
SELECT c.conname AS name, c.conrelid::regclass::text AS table,
       (SELECT array_agg(a.attname::text ORDER BY k.n)
        FROM unnest(c.conkey) WITH ORDINALITY k(att, n)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.att) AS columns
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype = 'f' AND n.nspname = 'public'
"""


CHECKS = """
SELECT c.conname AS name, c.conrelid::regclass::text AS table, pg_get_constraintdef(c.oid) AS text
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype = 'c' AND n.nspname = 'public'
"""


COLUMNS = """
SELECT table_name AS table, column_name AS column, data_type AS type,
       is_nullable = 'YES' AS nullable
FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY($1)
"""


def another(value: Any, kind: str) -> Any:
    """A different value of the same type."""
    if kind == "uuid":
        return str(uuid4())
    if kind in {"integer", "bigint"}:
        return value + 1000
    if kind == "timestamp with time zone":
        return (datetime.fromisoformat(value) + timedelta(days=1)).isoformat()
    if kind == "bytea":
        return f"{value}00"
    if kind == "character":
        return "XXX"
    return f"{value}x"


async def types_of(attacker: Attacker, table: str) -> dict[str, str]:
    rows = await attacker.owner.fetch(COLUMNS, [table])
    return {row["column"]: row["type"] for row in rows}
