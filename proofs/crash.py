"""Proof: a process killed at any named point loses no money and moves none twice (T06).

``script/proof crash --json --seeds 10`` starts PostgreSQL on disk and two whole installations, and
then, for each of the crash points A1-A4, W1-W8, I1-I4, O1-O3, U1-U2 and each seed, one round: arm
the process that has the point, ask for refunds (or open a return, or send a photo) under
Idempotency-Keys while the bank misbehaves at 30 %, see the process die, start it again, and check:

- the point really fired: the process ended by SIGKILL, or stood still by SIGSTOP for W8, which is
  continued after twice its lease, when another worker has finished its work;
- all settled within 60 s of the restart, 95 % of the rounds within 30 s; money moved exactly once
  (N3, N4), N1-N8 hold;
- the client's retry under the same key got the same refund, and one more gets the same bytes;
- every event reached the merchant, signed, and no other event did;
- each photo is there once, and no file is there that no row knows.

What the promises make wait on purpose (the next try after some failures, a look-up a minute after
an unknown outcome, the sweep over pending refunds) is let pass at once and counted as
``waits_skipped``; leases run in real time, at ``--lease`` seconds. Exits 1 on any shortfall.
``--only W3 --seed N --seeds 1`` replays one round.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Any, Final

import uvloop
from proofs.harness.client import GaveUp
from proofs.harness.crashing import CHAOS, Cell, NotFired, cell
from proofs.harness.drives import (
    REFUND,
    RETURN,
    Asked,
    Drive,
    ask,
    ask_refunds,
    hooked,
    open_returns,
    same,
    send_hooks,
    send_photos,
)
from proofs.harness.options import asked, seed_of
from proofs.harness.programs import Program
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order
from proofs.harness.stage import Size, staged
from proofs.invariants import violations

API: Final = ("A1", "A2", "A3", "A4", "I1", "I2", "U1", "U2")
WORKER: Final = ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "I3", "I4", "O1", "O2", "O3")
POINTS: Final = (*API, *WORKER)
REFUNDS: Final = 3
"""Asked at once in a round; the crash comes at the first, second or third of them."""
LANES: Final = 2
LEASE_SECONDS: Final = 2.0
ZOMBIE_SECONDS: Final = 0.5
"""For what happens elsewhere meanwhile: the dead one's request at the bank, the zombie's write."""
SOON_SECONDS: Final = 30.0
SOON_SHARE: Final = 0.95
"""Of the rounds, killed as they were, this share has settled that soon after the restart (S12)."""
ONLY_UNKNOWN: Final = {"error_after": 1.0, "webhook_lost": 1.0}
"""W7 needs transfers whose outcome nobody told."""
RETRIED: Final = '"event":"Flush failed, requeuing %d items","module":"pgqueuer"'
"""A process that W8 stopped for longer than a statement may take finds the deadline of its own
passed when it goes on; the queue library calls that an error, and writes its log of jobs again."""


@dataclass(slots=True)
class Results:
    """What all rounds together saw."""

    fired: Counter[str] = field(default_factory=Counter)
    settled: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refunds: int = 0
    returns: int = 0
    acted_before_restart: int = 0

    def soon(self) -> float:
        """The share of rounds that settled within ``SOON_SECONDS``."""
        within = sum(seconds <= SOON_SECONDS for seconds in self.settled)
        return within / max(len(self.settled), 1)


@dataclass(frozen=True, slots=True)
class Round:
    """One kill: where, at which hit, under which seed."""

    point: str
    seed: int

    @property
    def hit(self) -> int:
        return 1 + self.seed % REFUNDS

    def __str__(self) -> str:
        return f"{self.point} seed {self.seed}"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    base = seed_of(options)
    return finish(uvloop.run(_prove(options, base)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof crash", __doc__, seed="the first seed; replays a run", keep=True)
    parser.add_argument("--seeds", type=int, default=10, help="kills at each point")
    parser.add_argument("--only", nargs="+", choices=POINTS, help="only these points")
    parser.add_argument("--lease", type=float, default=LEASE_SECONDS, help="seconds")
    parser.add_argument("--lanes", type=int, default=LANES, help="installations at once")
    return parser.parse_args(arguments)


async def _prove(options: argparse.Namespace, base: int) -> dict[str, Any]:
    points = options.only or POINTS
    rounds = [Round(point, base + n) for n in range(options.seeds) for point in points]
    # Neighbours in time differ, so that the two lanes do not do the same work.
    Random(base).shuffle(rounds)
    waiting, results, begun = iter(rounds), Results(), time.monotonic()
    skipped, errors = 0, []
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(keep=options.keep))
        size = Size(apis=1, workers=2, lease_seconds=options.lease, preloaded=True)
        lanes = [
            await stack.enter_async_context(stage.lane(f"crash{n}", size))
            for n in range(min(options.lanes, len(rounds)))
        ]
        cells = [
            await stack.enter_async_context(cell(lane, base + n)) for n, lane in enumerate(lanes)
        ]
        for each in lanes:
            each.workers[1].kill()  # the stand-in of W8, needed only there
        await asyncio.gather(*(_work(each, waiting, results, len(rounds)) for each in cells))
        skipped = sum(each.waits_skipped for each in cells)
        errors = [line for lane in lanes for line in lane.errors() if RETRIED not in line]
    return _figures(points, rounds, results, base, time.monotonic() - begun) | {
        "lease_seconds": options.lease,
        "waits_skipped": skipped,
        "errors_logged": errors[:10],
        "ok": not results.wrong
        and not errors
        and sum(results.fired.values()) == len(rounds)
        and results.soon() >= SOON_SHARE,
    }


def _figures(
    points: Sequence[str], rounds: Sequence[Round], results: Results, base: int, seconds: float
) -> dict[str, Any]:
    return {
        "proof": "crash",
        "ok": False,
        "seed": base,
        **machine(),
        "rounds": len(rounds),
        "kills": sum(results.fired.values()),
        "fired": {point: results.fired[point] for point in points},
        "refunds": results.refunds,
        "returns": results.returns,
        "bank_acted_before_w3_restart": results.acted_before_restart,
        "settled_seconds_median": round(median(results.settled or [0.0]), 2),
        "settled_seconds_max": round(max(results.settled, default=0.0), 2),
        "settled_within_30_s": round(results.soon(), 4),
        "seconds": round(seconds, 1),
        "wrong": results.wrong[:20],
    }


async def _work(cell_: Cell, waiting: Any, results: Results, whole: int) -> None:
    """Take rounds until none is left; a round that goes wrong is told, the next one goes on."""
    for round_ in waiting:
        begun = time.monotonic()
        try:
            found = await _round(cell_, round_, results)
        except (NotFired, GaveUp, TimeoutError, AssertionError) as failure:
            found = [f"{type(failure).__name__}: {failure}", *cell_.fallen()]
            await _mend(cell_)
        results.wrong += [f"{round_}: {text}" for text in found]
        done = sum(results.fired.values())
        say(f"{done}/{whole} {round_} {time.monotonic() - begun:.1f} s {'; '.join(found)}")


async def _round(cell_: Cell, round_: Round, results: Results) -> list[str]:
    """One kill; returns what was wrong."""
    orders = await cell_.orders(REFUNDS)
    program = cell_.lane.apis[0] if round_.point in API else cell_.lane.workers[0]
    chaos = ONLY_UNKNOWN if round_.point == "W7" else CHAOS
    await cell_.bank.faults(seed=round_.seed, rates=chaos, life_seconds=0.3, shuffle_seconds=0.5)
    await cell_.arm(program, round_.point, round_.hit)
    drive = _driver(round_)(cell_, f"{round_.point}-{round_.seed}", Random(round_.seed), orders)
    work = asyncio.create_task(drive)
    try:
        await _until_fired(cell_, round_, program)
        results.fired[round_.point] += 1
        if round_.point == "W3":
            results.acted_before_restart += await _acted(cell_, orders)
        restarted = time.monotonic()
        settled = await _come_back(cell_, round_, program)
        asked = await work
        await cell_.settle()
        results.settled.append((settled or time.monotonic()) - restarted)
    finally:
        work.cancel()
    results.refunds += sum(each.path == REFUND for each in asked)
    results.returns += sum(each.path == RETURN for each in asked)
    return await _check(cell_, round_, orders, asked)


def _driver(round_: Round) -> Drive:
    if round_.point.startswith("I"):
        return send_hooks
    if round_.point.startswith("U"):
        return send_photos
    if round_.point.startswith("A") and round_.seed % 2:
        return open_returns
    return ask_refunds


async def _until_fired(cell_: Cell, round_: Round, program: Program) -> None:
    """Until the process is dead (or stands still). Raises ``NotFired``."""
    if round_.point == "W7":
        await cell_.until_unknown(REFUNDS)
        await cell_.bank.faults()  # now the provider can be asked
        await cell_.let_pass()
    await cell_.fired(program, round_.point)


async def _come_back(cell_: Cell, round_: Round, program: Program) -> float | None:
    """Start the process again; W8: let another worker do its work, then wake the zombie.

    Returns when all had settled, where that is known already.
    """
    if round_.point != "W8":
        await cell_.restart(program)
        return None
    stand_in = cell_.lane.workers[1]
    stand_in.start()
    begun = time.monotonic()
    await cell_.settle()
    settled = time.monotonic()
    await asyncio.sleep(2 * cell_.lane.settings.lease_seconds - (settled - begun))
    program.send(signal.SIGCONT)
    await asyncio.sleep(ZOMBIE_SECONDS)
    await asyncio.to_thread(stand_in.stop)
    return settled


async def _acted(cell_: Cell, orders: Sequence[Order]) -> int:
    """1 when the bank moved money of this round although its caller is dead."""
    await asyncio.sleep(ZOMBIE_SECONDS)
    ledger = await cell_.bank.ledger()
    return int(any(ledger["payments"][order.payment]["refunds"] for order in orders))


async def _check(cell_: Cell, round_: Round, orders: list[Order], asked: list[Asked]) -> list[str]:
    """Everything that must hold once the round is over; a sentence for each that does not."""
    found = []
    for each in asked:
        again = await ask(cell_, each.path, each.role, each.body, each.key)
        if each.answer.status not in {201, 202} or not same(each.answer, again.answer):
            found.append(f"{each.path}: {each.answer} and then {again.answer}")
    for table in {each.path.rpartition("/")[2] for each in asked}:
        made = await cell_.made(table, orders)
        if made != len(asked):
            found.append(f"{made} {table} for {len(asked)} keys")
    if round_.point.startswith("I"):
        told = await cell_.known(hooked(orders))
        if told != 1:
            found.append(f"the platform's order is there {told} times")
    labels = (await cell_.carrier.call("GET", "ledger"))["references"]
    found += [f"{name} bought {n['bought']} times" for name, n in labels.items() if n["bought"] > 1]
    await cell_.settle()  # what came a second time is dropped
    found += await violations(cell_.connection, await cell_.bank.ledger(), quiet=True)
    return found + await cell_.untold() + await cell_.unknown_files()


async def _mend(cell_: Cell) -> None:
    """After a round that went wrong: everything runs unarmed, so that the next round can."""
    for program in (*cell_.lane.apis, *cell_.lane.workers):
        program.kill()
    for program in (*cell_.lane.apis, cell_.lane.workers[0]):
        program.start()
    await cell_.lane.ready()
    await cell_.bank.faults()
    with contextlib.suppress(TimeoutError):
        await cell_.settle()


if __name__ == "__main__":
    sys.exit(main())
