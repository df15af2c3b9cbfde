"""Proof: whoever is asked to stop finishes what it has in hand and takes nothing new (S24, T26).

``script/proof stops --json`` starts two API processes and two workers, lets clients ask for refunds
without a pause and the bank be slow (some calls hang for most of their ten seconds), and then sends
SIGTERM a hundred times: to an API process, or to both workers together. Each time the process must

- end by itself within 25 seconds (``shutdown_seconds``), with exit code 0;
- as an API: have answered every request that it began (``aborted``: a refund is there and its
  client got no answer; what was still on its way to a closed door was not begun);
- as a worker: hold no lease any more (``held``).

Clients open a connection for each request, as behind a proxy. In the end what is due settles, no
money moved twice and none is missing (N1-N8). Exits 1 on any shortfall.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Any, Final

import orjson
import uvloop
from proofs.harness.client import Client
from proofs.harness.crashing import Cell, cell
from proofs.harness.drives import REFUND
from proofs.harness.options import asked, seed_of
from proofs.harness.programs import Program
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.stage import Size, staged
from proofs.harness.storm import at_rest, reconcile
from proofs.invariants import violations

CLIENTS: Final = 8
PAUSE_SECONDS: Final = 0.1
LIMIT_SECONDS: Final = 25.0
BETWEEN_SECONDS: Final = (0.2, 1.0)
PER_ORDER: Final = 10
AMOUNTS: Final = (1, 900)
HANGS: Final = {"hang_before": 0.05, "hang_after": 0.05}
HANG_SECONDS: Final = (1.0, 9.0)
BROUGHT_AT_ONCE: Final = 200
EXPECTED_SECONDS: Final = 6.0
"""For each stop, with what is before and after it: decides how many orders are brought."""
_HELD: Final = "SELECT count(*) FROM transfers WHERE leased_until > now()"


@dataclass(slots=True)
class Run:
    """What is asked for, and what became of it."""

    one: Cell
    orders: list[Order]
    asked: int = 0
    lost: list[str] = field(default_factory=list)
    """Keys of requests whose connection was open and that got no answer."""
    answers: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    held: int = 0
    wrong: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    return finish(uvloop.run(_prove(options, seed)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof stops", __doc__, seed="of the bank's faults and of the stops", keep=True)
    parser.add_argument("--stops", type=int, default=100, help="how often SIGTERM is sent")
    return parser.parse_args(arguments)


async def _prove(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(keep=options.keep))
        size = Size(apis=2, workers=2, preloaded=True)
        lane = await stack.enter_async_context(stage.lane("stops", size))
        one = await stack.enter_async_context(cell(lane, seed))
        run = Run(one, await _stock(one, options.stops))
        await one.bank.faults(seed=seed, rates=HANGS, hang_seconds=list(HANG_SECONDS))
        async with _asking(run, seed):
            await _stop_often(run, options.stops, Random(seed))
        await one.bank.faults()
        await at_rest(one, run.wrong)
        await reconcile(one, run.wrong)
        found = await violations(one.connection, await one.bank.ledger(), quiet=True)
        aborted = await one.connection.fetchval(
            "SELECT count(*) FROM refunds WHERE client_reference = ANY ($1)", run.lost
        )
        errors = lane.errors()
    figures = _figures(run, seed, aborted) | {"violations": found[:20], "errors_logged": errors[:9]}
    fine = not (aborted or run.held or run.wrong or found or errors)
    return figures | {"ok": fine and run.stops.total() >= options.stops}


async def _stock(one: Cell, stops: int) -> list[Order]:
    needed = round(stops * EXPECTED_SECONDS * CLIENTS / PAUSE_SECONDS / PER_ORDER / 4) + 1
    orders: list[Order] = []
    while len(orders) < needed:
        many = min(BROUGHT_AT_ONCE, needed - len(orders))
        orders += await bring_orders(one.lane, one.client, one.bank, many)
        say(f"{len(orders)}/{needed} orders")
    return orders


@asynccontextmanager
async def _asking(run: Run, seed: int) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_client(run, Random(f"{seed} {n}"))) for n in range(CLIENTS)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                run.wrong.append(f"a client ended: {ended!r}")


async def _client(run: Run, chance: Random) -> None:
    """A request after the other, each on a connection of its own."""
    while True:
        run.asked += 1
        order = run.orders[run.asked // PER_ORDER % len(run.orders)]
        key = f"stop-{run.asked}"
        body = {"order": order.public, "amount": chance.randint(*AMOUNTS), "client_reference": key}
        headers = {
            "authorization": f"Bearer {run.one.key('finance')}",
            "content-type": "application/json",
            "idempotency-key": key,
            "connection": "close",
        }
        url = chance.choice(run.one.lane.urls)
        async with Client([url]) as client:
            answer = await client.once("POST", REFUND, headers, orjson.dumps(body))
            refused = client.retried["ConnectionRefusedError"]
        if answer is None and not refused:
            run.lost.append(key)
        name = "refused" if refused else "lost" if answer is None else str(answer.status)
        run.answers[name] += 1
        if answer is not None and answer.status not in {202, 409, 503}:
            run.wrong.append(f"{key}: {answer}")
        await asyncio.sleep(chance.uniform(0, 2 * PAUSE_SECONDS))


async def _stop_often(run: Run, stops: int, chance: Random) -> None:
    lane = run.one.lane
    while run.stops.total() < stops:
        await asyncio.sleep(chance.uniform(*BETWEEN_SECONDS))
        if chance.random() < 0.5:
            await _stop(run, [chance.choice(lane.apis)])
            await lane.ready()
        else:
            await _stop(run, lane.workers)
        say(f"{run.stops.total()}/{stops} stops, {run.asked} requests, {len(run.lost)} lost")


async def _stop(run: Run, programs: Sequence[Program]) -> None:
    """All at once; workers are looked at while none runs."""
    begun = time.monotonic()
    ended = await asyncio.gather(*(asyncio.to_thread(program.stop) for program in programs))
    run.seconds.append(time.monotonic() - begun)
    for program, code in zip(programs, ended, strict=True):
        run.stops[program.name] += 1
        if code != 0:
            run.wrong.append(f"{program.name} ended with {code}: {program.last_words(5)}")
    if run.seconds[-1] > LIMIT_SECONDS:
        run.wrong.append(f"{programs[0].name} took {run.seconds[-1]:.1f} s")
    if programs[0] in run.one.lane.workers:
        run.held += await run.one.connection.fetchval(_HELD)
    for program in programs:
        program.start()


def _figures(run: Run, seed: int, aborted: int) -> dict[str, Any]:
    return {
        "proof": "stops",
        "seed": seed,
        **machine(),
        "stops": dict(run.stops),
        "seconds_median": round(median(run.seconds), 2),
        "seconds_max": round(max(run.seconds), 2),
        "requests": run.asked,
        "answers": dict(run.answers),
        "aborted": aborted,
        "leases_held": run.held,
        "wrong": run.wrong[:20],
    }


if __name__ == "__main__":
    sys.exit(main())
