"""How fast the worker carries money: ``script/bench worker --json``.

Everything is real: PostgreSQL on disk with fsync, API and worker processes, the bank over HTTP.

- **end to end**: refunds asked over HTTP at concurrency 16, from the first request until the bank's
  evidence has settled the last one, with its webhooks coming in meanwhile; refunds per second.
- **wake-up**: refunds one at a time on an idle service; from the moment that a refund is recorded
  to the moment that a worker has claimed it.
- **backlog**: transfers that are due, with their wake-ups in the queue, and two workers started on
  them: jobs per second until the bank has moved every single one, exactly once. The bank's webhooks
  are off here; what they cost is in the first figure.

Goals (reported, not enforced): 100 000 jobs in under 5 minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any, Final
from uuid import UUID

import uvloop
from proofs.harness.client import Client
from proofs.harness.cpu import per_job, spent
from proofs.harness.options import asked
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane, Size, staged
from proofs.invariants import violations
from uuid_utils.compat import uuid7

from bench.refunding import (
    AMOUNT,
    PATIENCE_SECONDS,
    REFUNDS_PER_ORDER,
    SETTLED,
    ask_refund,
    end_to_end,
    until_settled,
)
from returns_api.domain import ids

GOAL_SECONDS: Final = 300.0
_WAKE_UPS: Final = (
    "SELECT extract(epoch FROM a.started_at - t.created_at) * 1000 AS ms FROM transfers t"
    " JOIN transfer_attempts a ON a.shop_id = t.shop_id AND a.transfer_id = t.id AND a.no = 1"
    " WHERE t.refund_id = ANY ($1)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return finish(uvloop.run(_measure(options)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("bench worker", __doc__, keep=True)
    parser.add_argument("--refunds", type=int, default=2_000, help="end to end")
    parser.add_argument("--singles", type=int, default=200, help="wake-up")
    parser.add_argument("--backlog", type=int, default=100_000, help="jobs")
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args(arguments)


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"bench": "worker", "ok": False, **machine()}
    async with (
        staged(keep=options.keep) as stage,
        stage.lane("bench", Size(apis=1, workers=options.workers)) as lane,
        Client(lane.urls) as client,
        Bank(lane.bank_url) as bank,
        lane.superuser() as connection,
    ):
        say("end to end")
        orders = await bring_orders(
            lane, client, bank, -(-options.refunds // REFUNDS_PER_ORDER) + options.singles
        )
        figures["end_to_end"] = await end_to_end(
            lane, client, connection, orders[options.singles :], options.refunds
        )
        say("wake-up")
        figures["wake_up"] = await _wake_ups(lane, client, connection, orders[: options.singles])
        say("backlog")
        figures["backlog"] = await _backlog(lane, bank, connection, options.backlog)
        wrong = await violations(connection, await bank.ledger(), quiet=True)
        figures |= {"violations": wrong, "errors_logged": lane.errors()[:5]}
    figures["ok"] = not wrong and not figures["errors_logged"]
    return figures


async def _wake_ups(
    lane: Lane, client: Client, connection: Any, orders: list[Order]
) -> dict[str, Any]:
    made: list[UUID | None] = []
    for number, order in enumerate(orders):
        before = await connection.fetchval(SETTLED)
        made.append(await ask_refund(lane, client, order, f"single-{number}"))
        await until_settled(connection, before + 1)
        await asyncio.sleep(0.02)
    waits = [float(row["ms"]) for row in await connection.fetch(_WAKE_UPS, made)]
    cuts = quantiles(waits, n=100)
    return {
        "refunds": len(waits),
        "p50_ms": round(cuts[49], 1),
        "p95_ms": round(cuts[94], 1),
        "max_ms": round(max(waits), 1),
    }


async def _backlog(lane: Lane, bank: Bank, connection: Any, count: int) -> dict[str, Any]:
    """Workers off, rows and wake-ups in, workers on; until every transfer has succeeded."""
    for worker in lane.workers:
        await asyncio.to_thread(worker.stop)
    await _silence(lane, bank)
    before = await connection.fetchval(SETTLED)
    payments = await bank.pay(lane.demo["bank_account"], [AMOUNT] * count)
    await _pile_up(lane, connection, payments)
    begun = time.perf_counter()
    cpu = spent(lane)
    for worker in lane.workers:
        worker.start()
    await _watch(connection, before, count)
    seconds = time.perf_counter() - begun
    return {
        "cpu_ms_per_job": per_job(cpu, spent(lane), count),
        "jobs": count,
        "workers": len(lane.workers),
        "seconds": round(seconds, 1),
        "per_second": round(count / seconds, 1),
        "goal_seconds": GOAL_SECONDS,
        "goal_met": seconds <= GOAL_SECONDS,
    }


async def _watch(connection: Any, before: int, count: int) -> None:
    end, said = time.monotonic() + PATIENCE_SECONDS, 0.0
    while (done := await connection.fetchval(SETTLED) - before) < count:
        if time.monotonic() > end:
            raise TimeoutError(f"{done} of {count} after {PATIENCE_SECONDS:.0f} s")
        if time.monotonic() - said > 10:
            said = time.monotonic()
            say(f"  {done}/{count}")
        await asyncio.sleep(0.2)


async def _silence(lane: Lane, bank: Bank) -> None:
    """The bank's webhooks off: its endpoint wants a topic that never comes."""
    body = {
        "url": lane.demo["hooks"]["stripe"],
        "secret": "none",
        "account": lane.demo["bank_account"],
        "topics": ["nothing"],
    }
    await bank.call("POST", "webhooks", body)


async def _pile_up(lane: Lane, connection: Any, payments: list[str]) -> None:
    """One order, payment, refund, transfer, event and wake-up per bank payment, in bulk.

    Written past the triggers that guard the service's own growth, as if it had all grown so.
    """
    shop, now = ids.decode("shp", lane.demo["shop"]), datetime.now(UTC)
    await connection.execute(
        "CREATE TEMP TABLE pile (n int, payment_id text, o uuid, p uuid, r uuid, t uuid, e uuid)"
    )
    await connection.copy_records_to_table(
        "pile",
        records=[
            (number, payment, *(uuid7() for _ in range(5)))
            for number, payment in enumerate(payments)
        ],
    )
    await connection.execute("SET session_replication_role = replica")
    for statement in _PILE:
        await connection.execute(statement, shop, now)
    await connection.execute("SET session_replication_role = DEFAULT")
    await connection.execute("DROP TABLE pile")
    await connection.execute("VACUUM ANALYZE")


_PILE: Final = (
    "INSERT INTO orders (shop_id, id, source, external_id, number, number_key, snapshot,"
    " placed_at, platform_updated_at, currency, taxes_included, total_minor)"
    " SELECT $1, o, 'bench', 'b' || n, 'B' || n, 'b' || n, '', $2, $2, 'EUR', true, 100 FROM pile",
    "INSERT INTO payments (shop_id, id, order_id, external_id, position, gateway, provider,"
    " account, provider_payment_id, currency, captured, reserved)"
    " SELECT $1, p, o, '1', 0, 'stripe', 'stripe', 'stripe', payment_id, 'EUR', 100, 100"
    " FROM pile WHERE $2::timestamptz IS NOT NULL",
    "INSERT INTO refunds (shop_id, id, order_id, kind, amount_minor, currency, state, parts,"
    " created_at, updated_at)"
    " SELECT $1, r, o, 'manual', 100, 'EUR', 'queued',"
    ' \'[{"kind": "manual", "amount": 100}]\', $2, $2 FROM pile',
    "INSERT INTO transfers (shop_id, id, refund_id, order_id, payment_id, amount_minor, currency,"
    " state, provider, account, provider_key, due_at, created_at, updated_at)"
    " SELECT $1, t, r, o, p, 100, 'EUR', 'queued', 'stripe', 'stripe', t::text, $2, $2, $2"
    " FROM pile",
    "INSERT INTO events (shop_id, id, resource_type, resource_id, sequence, type, at, actor,"
    " order_id, data)"
    " SELECT $1, e, 'refund', r, 1, 'refund.requested', $2, 'finance', o,"
    ' \'{"state": "queued"}\' FROM pile',
    "INSERT INTO ledger_entries (shop_id, id, fact, source_type, source_id, order_id, at, actor)"
    " SELECT $1, e, 'refund_requested', 'refund', r, o, $2, 'finance' FROM pile",
    "INSERT INTO ledger_postings (shop_id, entry_id, no, rule, debit, debit_of, credit, credit_of,"
    " amount_minor, currency) SELECT $1, e, v.no, v.rule, v.debit, CASE v.no WHEN 1 THEN p WHEN 3"
    " THEN o END, v.credit, CASE v.no WHEN 2 THEN o WHEN 3 THEN p END, 100, 'EUR' FROM pile,"
    " (VALUES (1, 'payment_captured', 'clearing', 'merchant'), (2, 'refund_owed', 'merchant',"
    " 'buyer'), (3, 'transfer_reserved', 'buyer', 'reserved')) v (no, rule, debit, credit)"
    " WHERE $2::timestamptz IS NOT NULL",
    "INSERT INTO ledger_unsealed SELECT $1, e FROM pile WHERE $2::timestamptz IS NOT NULL",
    "INSERT INTO pgqueuer (priority, entrypoint, payload, status, created)"
    " SELECT 0, 'send_transfer', convert_to($1::uuid::text || '/' || t, 'UTF8'), 'queued', $2"
    " FROM pile",
)


if __name__ == "__main__":
    sys.exit(main())
