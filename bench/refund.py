"""How fast refunds are carried out, and what they cost as orders pile up: ``script/bench refund``.

Everything is real: PostgreSQL on disk with fsync, two API and two worker processes, the bank over
HTTP with its webhooks.

- **end to end**: refunds asked over HTTP at concurrency 16, from the first request until the bank's
  evidence has settled the last one; refunds per second.
- **floor**: the very statements of a refund (the keyed request, the claim, the outcome) played by
  bare asyncpg over 16 connections from one process; the ratio of both. Numbering credit notes,
  sealing the ledger, wake-ups and webhooks are in the first figure only.
- **growth**: the first figure again with 10 000, 100 000 and 1 000 000 orders in the shop
  (``--orders`` stops earlier), in milliseconds of processor time per refund over API, workers and
  PostgreSQL, which a busy machine distorts less than the clock.

Goals (reported, not enforced): a refund costs at most 1.2 times as much among the most orders.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import uvloop
from proofs.harness.client import Client
from proofs.harness.options import asked
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane, Size, staged
from proofs.invariants import violations

from bench.many_orders import fill_up
from bench.open_return import replay
from bench.refunding import AMOUNT, CONCURRENCY, REFUNDS_PER_ORDER, end_to_end
from bench.rehearsal import rehearse
from returns_api.domain import ids

SIZES: Final = (10_000, 100_000, 1_000_000)
GOAL_GROWTH: Final = 1.2
_PERSON: Final = "SELECT id FROM credentials WHERE role = 'finance' ORDER BY id LIMIT 1"
_ORDERS: Final = "SELECT count(*) FROM orders"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("bench refund", __doc__, keep=True)
    parser.add_argument("--refunds", type=int, default=2_000, help="at each size")
    parser.add_argument("--orders", type=int, default=SIZES[-1], help="the largest size")
    options = parser.parse_args(arguments)
    return finish(uvloop.run(_measure(options)), as_json=options.json)


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"bench": "refund", "ok": False, **machine()}
    async with (
        staged(keep=options.keep) as stage,
        stage.lane("bench", Size(apis=2, workers=2)) as lane,
        Client(lane.urls) as client,
        Bank(lane.bank_url) as bank,
        lane.superuser() as connection,
    ):
        shop = ids.decode("shp", lane.demo["shop"])
        assert shop is not None
        size, sizes = 0, sorted({min(each, options.orders) for each in SIZES})
        await end_to_end(lane, client, connection, await _new(lane, client, bank, 200), 200, "warm")
        wrong = await violations(connection, await bank.ledger(), quiet=True)
        growth = []
        for wanted in sizes:
            say(f"{wanted} orders")
            await fill_up(connection, shop, size, wanted)
            size = wanted
            orders = await _new(lane, client, bank, options.refunds)
            growth.append(await _at(lane, client, connection, orders, options.refunds))
        say("floor")
        floor = await _floor(lane, connection, shop, orders, options.refunds)
        figures |= _told(growth, floor)
        figures |= {"violations": wrong, "errors_logged": lane.errors()[:5]}
    figures["ok"] = not wrong and not figures["errors_logged"]
    return figures


async def _new(lane: Lane, client: Client, bank: Bank, refunds: int) -> list[Order]:
    return await bring_orders(lane, client, bank, -(-refunds // REFUNDS_PER_ORDER))


async def _at(
    lane: Lane, client: Client, connection: Any, orders: list[Order], count: int
) -> dict[str, Any]:
    """The figures among as many orders as there are by now."""
    among = await connection.fetchval(_ORDERS)
    told = await end_to_end(lane, client, connection, orders, count, f"at-{among}")
    cost = {part: ms for part, ms in told["cpu_ms_per_refund"].items() if part != "bank"}
    return {"orders": among, **told, "cost_ms": round(sum(cost.values()), 2)}


async def _floor(
    lane: Lane, connection: Any, shop: UUID, orders: list[Order], count: int
) -> dict[str, Any]:
    """Last of all, and without the workers, who would carry on what is played: what it books, no
    bank has moved."""
    for worker in lane.workers:
        await asyncio.to_thread(worker.stop)
    person = await connection.fetchval(_PERSON)
    chosen = [orders[number % len(orders)].id for number in range(count)]
    work = await rehearse(lane.settings, shop, person, chosen, AMOUNT)
    measured = await replay(str(lane.settings.app_address), work, CONCURRENCY)
    told = {"per_second": round(measured.per_second, 1), "p50_ms": round(measured.p50_ms, 2)}
    return {**told, "statements": sum(map(len, work)) // len(work)}


def _told(growth: list[dict[str, Any]], floor: dict[str, Any]) -> dict[str, Any]:
    factor = round(growth[-1]["cost_ms"] / growth[0]["cost_ms"], 3)
    return {
        "per_second": growth[0]["per_second"],
        "floor": floor,
        "ratio_to_floor": round(growth[-1]["per_second"] / floor["per_second"], 3),
        "growth": growth,
        "growth_factor": factor,
        "goal_growth": GOAL_GROWTH,
        "goal_met": factor <= GOAL_GROWTH,
    }


if __name__ == "__main__":
    sys.exit(main())
