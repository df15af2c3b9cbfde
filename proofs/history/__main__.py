"""``script/proof history --minutes 10 --json``: clients note what they are told, in all trouble.

Twenty clients of one credential ask three API processes for refunds on few orders, one try at a
time, and look at what is there, while processes are killed every 0.5 to 3 seconds and the bank
misbehaves (as in ``script/proof chaos``). What nobody answered is sometimes asked again under its
key and sometimes left. In the end the notes and the tables must fit one history
(``proofs.history.checking``), and N1-N8 hold. ``--history FILE`` keeps the notes as JSON lines.
Exits 1 on any contradiction, and when too little was told to prove anything.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any, Final

import uvloop
from proofs.harness.crashing import Cell, cell
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.stage import Size, staged
from proofs.harness.storm import at_rest, killing, reconcile, trouble
from proofs.history.checking import check
from proofs.history.clients import CLIENTS, HOT, LOOKS, PAUSE_SECONDS, PER_ORDER, Run, work
from proofs.history.told import History, Outcome, Shown
from proofs.invariants import violations

from returns_api.domain import ids

LEASE_SECONDS: Final = 12.0
BROUGHT_AT_ONCE: Final = 200
LEAST: Final = 3
"""Of each outcome so many a minute: with less, the run proves little."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    return finish(uvloop.run(_prove(options, seed)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked(
        "proof history", __doc__, seed="of the bank's faults, the kills and the clients", keep=True
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="of trouble")
    parser.add_argument("--chaos", type=float, default=0.3, help="share of calls that go wrong")
    parser.add_argument("--history", type=Path, help="where the notes are kept, as JSON lines")
    return parser.parse_args(arguments)


async def _prove(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    size = Size(apis=3, workers=3, lease_seconds=LEASE_SECONDS, preloaded=True)
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(keep=options.keep))
        lane = await stack.enter_async_context(stage.lane("history", size))
        one = await stack.enter_async_context(cell(lane, seed))
        orders = await _stock(one, options.minutes)
        run = Run(one, orders, time.monotonic() + options.minutes * 60)
        kills: Counter[str] = Counter()
        await one.bank.faults(seed=seed, **trouble(options.chaos))
        async with killing(lane, kills, Random(seed)):
            watch = asyncio.create_task(_watch(run, kills))
            await asyncio.gather(*(work(run, number, seed) for number in range(CLIENTS)))
            watch.cancel()
        await one.bank.faults()
        await at_rest(one, run.wrong)
        await reconcile(one, run.wrong)  # a late failure may have lost its webhook
        await at_rest(one, run.wrong)
        contradictions = check(run.history, await _stored(one))
        found = await violations(one.connection, await one.bank.ledger(), quiet=True)
        errors = lane.errors()
    if options.history is not None:
        run.history.save(options.history)
    return _figures(run, options, seed, kills) | {
        "contradictions": contradictions[:20],
        "violations": found[:20],
        "errors_logged": errors[:10],
        "ok": not (contradictions or found or errors or run.wrong)
        and _enough(run.history, options.minutes),
    }


async def _stock(one: Cell, minutes: float) -> list[Order]:
    """Orders for all that the clients can ask for, brought while everything is well."""
    asked = minutes * 60 * CLIENTS * (1 - LOOKS) / (sum(PAUSE_SECONDS) / 2)
    orders: list[Order] = []
    while len(orders) < (needed := round(asked / PER_ORDER) + HOT):
        many = min(BROUGHT_AT_ONCE, needed - len(orders))
        orders += await bring_orders(one.lane, one.client, one.bank, many)
        say(f"{len(orders)}/{needed} orders")
    return orders


async def _watch(run: Run, kills: Counter[str]) -> None:
    while True:
        await asyncio.sleep(20.0)
        left = max(run.end - time.monotonic(), 0)
        told, seen = len(run.history.writes), len(run.history.reads)
        say(f"{told} tries, {seen} looks, {kills.total()} kills, {left:.0f} s to go")


async def _stored(one: Cell) -> dict[str, Shown]:
    rows = await one.connection.fetch(
        "SELECT id, order_id, client_reference, amount_minor, sequence FROM refunds"
    )
    return {
        row["client_reference"]: Shown(
            ids.encode("ref", row["id"]),
            ids.encode("ord", row["order_id"]),
            row["amount_minor"],
            row["sequence"],
        )
        for row in rows
    }


def _figures(
    run: Run, options: argparse.Namespace, seed: int, kills: Counter[str]
) -> dict[str, Any]:
    outcomes = Counter(each.outcome.value for each in run.history.writes)
    return {
        "proof": "history",
        "seed": seed,
        **machine(),
        "minutes": options.minutes,
        "clients": CLIENTS,
        "tries": len(run.history.writes),
        "outcomes": dict(outcomes),
        "looks": len(run.history.reads),
        "shown": sum(len(each.shown) for each in run.history.reads),
        "kills": dict(kills),
        "answers": dict(run.answers),
        "wrong": run.wrong[:20],
    }


def _enough(history: History, minutes: float) -> bool:
    outcomes = Counter(each.outcome for each in history.writes)
    return all(outcomes[each] >= LEAST * minutes for each in Outcome)


if __name__ == "__main__":
    sys.exit(main())
