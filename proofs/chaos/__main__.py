"""Proof: refunds through half an hour of trouble, each moved once, none lost, none stuck (T07).

``script/proof chaos --minutes 30 --json`` starts PostgreSQL on disk, three API processes, three
workers and the bank, and then, for so long, all at once:

- clients ask for refunds under Idempotency-Keys, ``--rate`` a minute, and repeat until they have a
  final answer (where the machine is slower, the trouble lasts until all are asked for);
- one process, API or worker, is killed every 0.5 to 3 seconds and started again;
- 30 % of the bank's calls go wrong (reset, error, hang, drip, 429, key in use, each before or after
  it acted), refunds pend, fail and fail late, webhooks are lost, doubled, shuffled or early;
- somebody refunds in the bank's own pages, buyers open chargebacks and some are won by the shop.

Then the trouble ends, what is due settles (the promised waits of unknown and pending transfers pass
at once and are counted as ``waits_skipped``), the books are reconciled twice, and it is counted:
``double`` transfers that the bank moved more than once, or keys that made two refunds; ``lost``
answers of 202 without a refund, or succeeded refunds without a movement; ``stuck`` refunds without
an end. The bank's ledger equals ours (N3, N4), N1-N8 hold, the second reconciliation finds nothing,
every fault fired at least ``--fired`` times. Exits 1 on any shortfall.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count
from random import Random
from typing import Any, Final

import uvloop
from proofs.chaos.clients import PER_ORDER, Seen, asking
from proofs.chaos.elsewhere import elsewhere
from proofs.chaos.figures import figures_of
from proofs.harness.crashing import Cell, cell
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.stage import Size, staged
from proofs.harness.storm import MUST_FIRE, at_rest, killing, reconcile, trouble
from proofs.invariants import violations

LEASE_SECONDS: Final = 12.0
CLIENTS: Final = 32
BROUGHT_AT_ONCE: Final = 200
RATE: Final = 700
"""Refunds a minute: 21 000 in half an hour."""
CHECK_SECONDS: Final = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    return finish(uvloop.run(_prove(options, seed)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof chaos", __doc__, seed="of the bank's faults and of the kills", keep=True)
    parser.add_argument("--minutes", type=float, default=30.0, help="of trouble")
    parser.add_argument("--rate", type=int, default=RATE, help="refunds a minute")
    parser.add_argument("--chaos", type=float, default=0.3, help="share of calls that go wrong")
    parser.add_argument("--fired", type=int, default=30, help="each fault so often, at least")
    parser.add_argument("--lease", type=float, default=LEASE_SECONDS, help="seconds")
    return parser.parse_args(arguments)


async def _prove(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    wanted = round(options.rate * options.minutes)
    size = Size(
        apis=3,
        workers=3,
        lease_seconds=options.lease,
        preloaded=True,
        more={"worker_concurrency": 40},
    )
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(keep=options.keep))
        lane = await stack.enter_async_context(stage.lane("chaos", size))
        one = await stack.enter_async_context(cell(lane, seed))
        figures = await _through(one, options, seed, wanted)
        errors = lane.errors()
    about = {"proof": "chaos", "ok": False, **machine(), "minutes": options.minutes, "seed": seed}
    figures = about | figures | {"asked_for": wanted, "errors_logged": errors[:10]}
    return figures | {"ok": _fine(figures, wanted)}


async def _through(
    one: Cell, options: argparse.Namespace, seed: int, wanted: int
) -> dict[str, Any]:
    """The storm, what settles after it, the books reconciled twice, and what became of it all."""
    seen, orders = Seen(), await _stock(one, wanted)
    begun = time.monotonic()
    await _storm(one, seen, orders, options, seed)
    seconds = time.monotonic() - begun
    fired = await one.bank.fired()
    say(f"{len(seen.accepted)} refunds in {seconds:.0f} s; now it has to settle")
    settled = await at_rest(one, seen.wrong)
    reports = [await reconcile(one, seen.wrong), await reconcile(one, seen.wrong)]
    await at_rest(one, seen.wrong)
    return await figures_of(one, seen, fired) | {
        "seconds": round(seconds, 1),
        "settled_seconds": round(settled, 1),
        "waits_skipped": one.waits_skipped,
        "reconciled": reports[0],
        "reconciled_again": reports[1],
        "fired_too_rarely": [name for name in MUST_FIRE if fired[name] < options.fired],
    }


_MUST_BE_NONE: Final = (
    "double",
    "lost",
    "stuck",
    "reconciled_again",
    "fired_too_rarely",
    "violations",
    "wrong",
    "errors_logged",
)


def _fine(figures: dict[str, Any], wanted: int) -> bool:
    return figures["refunds"] >= wanted and not any(figures[name] for name in _MUST_BE_NONE)


async def _stock(one: Cell, wanted: int) -> list[Order]:
    """Orders for all refunds, brought while everything is well."""
    orders: list[Order] = []
    needed = wanted // PER_ORDER + CLIENTS
    while len(orders) < needed:
        many = min(BROUGHT_AT_ONCE, needed - len(orders))
        orders += await bring_orders(one.lane, one.client, one.bank, many)
        say(f"{len(orders)}/{needed} orders")
    return orders


async def _storm(
    one: Cell, seen: Seen, orders: list[Order], options: argparse.Namespace, seed: int
) -> None:
    await one.bank.faults(seed=seed, **trouble(options.chaos))
    numbers, end = count(), time.monotonic() + options.minutes * 60
    pace = 60 * CLIENTS / options.rate
    wanted = round(options.rate * options.minutes)
    async with killing(one.lane, seen.kills, Random(seed)), elsewhere(one, seen, orders, seed):
        clients = [
            asyncio.create_task(
                asking(one, seen, orders, numbers, Random(seed + n), pace, end, wanted)
            )
            for n in range(CLIENTS)
        ]
        watch = asyncio.create_task(_watch(one, seen, wanted))
        await asyncio.gather(*clients)
        watch.cancel()
    await one.bank.faults()


async def _watch(one: Cell, seen: Seen, wanted: int) -> None:
    """Says how far it is; looks meanwhile for what may never be, not even for a moment."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        found = await violations(one.connection, quiet=False)
        moved = (await one.bank.ledger())["references"]
        found += [f"N3 {name} moved twice" for name, each in moved.items() if each["made"] > 1]
        seen.wrong += [text for text in found if text not in seen.wrong][:5]
        kills = sum(seen.kills.values())
        say(f"{len(seen.accepted)}/{wanted} accepted, {len(moved)} moved, {kills} kills")


if __name__ == "__main__":
    sys.exit(main())
