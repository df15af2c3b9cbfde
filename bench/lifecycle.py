"""How many returns go the whole way in a second: ``script/bench lifecycle``.

- **over HTTP**: open (a quote is accepted), approve, receive, inspect; the last answer names the
  refund that was requested. Four requests a return, from sixteen clients, to one API process, with
  keys, locks, events, deliveries and jobs in their transactions. The worker stands still meanwhile:
  labels, money and webhooks are its own figure (``with_worker`` has it running beside).
- **floor**: the very statements of it, recorded from the service and played by bare asyncpg over
  as many connections from one process; the ratio of both.

Rounds are interleaved, medians reported; the goal is reported, not enforced.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any, Final
from uuid import UUID

import uvloop
from proofs.harness.client import Client
from proofs.harness.options import asked
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import bring_orders, in_parallel
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane, Size, staged
from proofs.invariants import violations

from bench.load import Measured, summary
from bench.open_return import replay
from bench.refunding import until_settled
from bench.whole_return import Quoted, go_whole_way, quote_units, rehearse_returns
from returns_api.demo.shop import demo_policy
from returns_api.domain import ids

CONCURRENCY: Final = 16
UNITS_PER_ORDER: Final = 2
"""Lines of goods in the demo's order, one unit of each returned."""
GOAL_TO_FLOOR: Final = 0.5
REVIEWED: Final = "approval: {respond_within: 48 hours, on_silence: approve}"
_ADMIN: Final = "SELECT id FROM credentials WHERE role = 'admin' ORDER BY id LIMIT 1"
_REFUNDS: Final = "SELECT count(*) FROM transfers"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("bench lifecycle", __doc__, keep=True)
    parser.add_argument("--returns", type=int, default=400, help="in each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    return finish(uvloop.run(_measure(options)), as_json=options.json)


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"bench": "lifecycle", "ok": False, **machine()}
    async with (
        staged(keep=options.keep) as stage,
        stage.lane("bench", Size(apis=1, workers=1)) as lane,
        Client(lane.urls) as client,
        Bank(lane.bank_url) as bank,
        lane.superuser() as connection,
    ):
        await _review_everything(lane, client)
        shop = ids.decode("shp", lane.demo["shop"])
        assert shop is not None
        person = await connection.fetchval(_ADMIN)
        count, rounds = options.returns, options.rounds
        quotes = await _quotes(lane, client, bank, (2 * (rounds + 1) + 1) * count)
        with_worker = await _over_http(lane, client, quotes[:count])
        await until_settled(connection, await connection.fetchval(_REFUNDS))
        for worker in lane.workers:
            await asyncio.to_thread(worker.stop)
        found = await _rounds(lane, client, shop, person, quotes[count:], count)
        wrong = await violations(connection, await bank.ledger(), quiet=True)
        figures |= _told(found, with_worker)
        figures |= {"violations": wrong, "errors_logged": lane.errors()[:5]}
    figures["ok"] = not wrong and not figures["errors_logged"]
    return figures


async def _review_everything(lane: Lane, client: Client) -> None:
    """A policy under which a person approves, for all orders from now on."""
    token = lane.demo["keys"]["admin"]
    source = demo_policy().replace("approval: auto", REVIEWED)
    drafted = await client.send("POST", "/v1/admin/policies", token, {"source": source}, key="p1")
    assert drafted.status == 201, drafted
    path = f"/v1/admin/policies/{drafted.json()['id']}/publish"
    published = await client.send("POST", path, token, {"acknowledge": "a bench"}, key="p2")
    assert published.status == 200, published


async def _quotes(lane: Lane, client: Client, bank: Bank, count: int) -> list[Quoted]:
    """Delivered orders, and a quote for a unit of each of their lines."""
    say(f"{count} quotes")
    orders = await bring_orders(lane, client, bank, -(-count // UNITS_PER_ORDER), delivered=True)
    asked = [partial(quote_units, lane, client, order) for order in orders]
    found = await in_parallel(asked, CONCURRENCY)
    return [quote for quotes in found for quote in quotes][:count]


async def _rounds(
    lane: Lane, client: Client, shop: UUID, person: UUID, quotes: list[Quoted], count: int
) -> dict[str, list[Measured]]:
    """Floor and service in turn; the first of each only warms up."""
    found: dict[str, list[Measured]] = {"floor": [], "http": []}
    settings, address = lane.settings, str(lane.settings.app_address)
    batches = [quotes[begin : begin + count] for begin in range(0, len(quotes), count)]
    for number, (first, second) in enumerate(zip(batches[::2], batches[1::2], strict=True)):
        say(f"round {number}")
        work = await rehearse_returns(settings, shop, person, first)
        statements = sum(map(len, work)) // len(work)
        floor = await replay(address, work, CONCURRENCY)
        http = await _over_http(lane, client, second)
        if number:
            found["floor"].append(floor)
            found["http"].append(http)
    say(f"{statements} statements a return")
    return found


async def _over_http(lane: Lane, client: Client, quotes: Sequence[Quoted]) -> Measured:
    seconds: list[float] = []

    async def one(quote: Quoted) -> None:
        begun = time.perf_counter()
        await go_whole_way(lane, client, quote)
        seconds.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await in_parallel([partial(one, quote) for quote in quotes], CONCURRENCY)
    return summary(seconds, time.perf_counter() - begun, {})


def _told(found: dict[str, list[Measured]], with_worker: Measured) -> dict[str, Any]:
    rate = {name: median(each.per_second for each in rounds) for name, rounds in found.items()}
    return {
        "returns_per_second": round(rate["http"], 1),
        "requests_per_second": round(4 * rate["http"], 1),
        "p50_ms": round(median(each.p50_ms for each in found["http"]), 1),
        "p99_ms": round(median(each.p99_ms for each in found["http"]), 1),
        "floor_per_second": round(rate["floor"], 1),
        "ratio_to_floor": round(rate["http"] / rate["floor"], 3),
        "goal_to_floor": GOAL_TO_FLOOR,
        "with_worker_per_second": round(with_worker.per_second, 1),
        "rounds": len(found["http"]),
        "returns_in_a_round": found["http"][0].count,
    }


if __name__ == "__main__":
    sys.exit(main())
