"""Proof: requests that race for the same money, key, unit or allowance (T01, T02, T04, T37, T38).

``script/proof races --json`` starts PostgreSQL on disk, two API processes, a worker and a lenient
bank, which refuses nothing, so that only our own guards protect the money. Then, over HTTP:

- T01: 200 refunds at once on each of 100 orders, each with its own key. Accepted is the largest
  sum that fits, nothing more; the bank has moved exactly that in the end.
- T02: one refund asked 200 times at once under one key, 50 times over. It happens once; every other
  answer is "still running" or the first answer byte for byte.
- T04: 100 returns at once for the last unit of each of 50 lines: one is opened.
- T37: 50 refunds at once by an agent on each of 20 orders: as many pass alone as fit into the
  limit, to the minor unit, and the others wait. 50 approvals at once of one that waits, by two
  persons: one sets it free.
- T38: 200 returns at once whose money goes out on request, of one buyer and then on one day: as
  many go out as fit under the cap, the others wait; no counter is above its cap.

No answer is a 5xx, the database counts no deadlock, and the invariants N1-N8 hold. 429 and 503 with
Retry-After are waited out, as a real client does, and counted.

``--without-guard`` shows that the proof can fail: it runs T01 alone on a copy of the tree to which
``proofs/seeded/no_row_guard.patch`` was applied (no row lock, no condition in the reservation),
with the database's own guard dropped too. It must exit 1: more is accepted than there is. The
worker looks again before it sends, so the bank may still have moved less than that.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import uvloop
from proofs.harness.client import Client
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from proofs.harness.simulators import Bank
from proofs.harness.stage import Size, staged
from proofs.invariants import violations
from proofs.races.caps import CAPS, t38
from proofs.races.limits import t37
from proofs.races.racing import Race, Tally
from proofs.races.refunds import t01, t02
from proofs.races.units import t04

ROOT: Final = Path(__file__).resolve().parents[2]
PATCH: Final = ROOT / "proofs" / "seeded" / "no_row_guard.patch"
QUIET_SECONDS: Final = 600.0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    figures = uvloop.run(_prove(options, seed))
    return finish(figures, as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof races", __doc__, seed="replay a run", keep=True)
    parser.add_argument("--orders", type=int, default=100, help="T01: orders")
    parser.add_argument("--refunds", type=int, default=200, help="T01: refunds at once on each")
    parser.add_argument("--keys", type=int, default=50, help="T02: keys")
    parser.add_argument("--repeats", type=int, default=200, help="T02: requests at once with each")
    parser.add_argument("--lines", type=int, default=50, help="T04: lines")
    parser.add_argument("--returns", type=int, default=100, help="T04: returns at once for each")
    parser.add_argument("--limits", type=int, default=20, help="T37: orders")
    parser.add_argument("--persons", type=int, default=50, help="T37: at once on each")
    parser.add_argument(
        "--caps", type=int, default=len(CAPS), choices=range(len(CAPS) + 1), help="T38: rounds"
    )
    parser.add_argument("--fast", type=int, default=200, help="T38: returns at once")
    parser.add_argument("--without-guard", action="store_true", help="must fail, see above")
    return parser.parse_args(arguments)


async def _prove(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    tests = {"T01": t01, "T02": t02, "T04": t04, "T37": t37, "T38": t38}
    if options.without_guard:
        tests = {"T01": t01}
    sizes = {
        "T01": (options.orders, options.refunds),
        "T02": (options.keys, options.repeats),
        "T04": (options.lines, options.returns),
        "T37": (options.limits, options.persons),
        "T38": (options.caps, options.fast),
    }
    figures: dict[str, Any] = {"proof": "races", "ok": False, "seed": seed, **machine()}
    async with _racing(options, seed) as race:
        tallies = {}
        for name, test in tests.items():
            say(f"{name}: {sizes[name][1]} at once, {sizes[name][0]} times")
            tallies[name] = tally = Tally()
            begun = time.monotonic()
            await test(race, tally, *sizes[name])
            tally.seconds = time.monotonic() - begun
        figures |= {name: tally.as_dict() for name, tally in tallies.items()}
        figures |= await _reckon(race, tallies)
    figures["guard"] = "removed" if options.without_guard else "in place"
    figures["ok"] = not any(figures[name] for name in _MUST_BE_NONE)
    return figures


_OVER_ACCEPTED: Final = (
    "SELECT coalesce(sum(greatest(0, reserved + refunded - captured)), 0) FROM payments"
)
"""What was promised beyond the money there was, even where a later guard stopped it."""
_MUST_BE_NONE: Final = (
    "over_refunded_minor",
    "over_accepted_minor",
    "duplicate_executions",
    "answers_5xx",
    "deadlocks",
    "errors_logged",
    "wrong",
    "violations",
)


@asynccontextmanager
async def _racing(options: argparse.Namespace, seed: int) -> AsyncIterator[Race]:
    with tempfile.TemporaryDirectory(prefix="returns-api-seeded-") as folder:
        source = _without_guard(Path(folder)) if options.without_guard else None
        async with (
            staged(keep=options.keep) as stage,
            stage.lane("races", Size(apis=2, workers=1, source=source)) as lane,
            Client(lane.urls, seed) as client,
            Bank(lane.bank_url) as bank,
            lane.superuser() as connection,
        ):
            if options.without_guard:
                await connection.execute("DROP TRIGGER payments_growth ON payments")
            yield Race(lane, client, bank, connection, Random(seed))


def _without_guard(folder: Path) -> Path:
    """A copy of the tree with the seeded bug in it; returns its source folder."""
    for name in ("src", "migrations"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    command = ["patch", "--strip=1", "--directory", str(folder), "--input", str(PATCH)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "src"


async def _reckon(race: Race, tallies: dict[str, Tally]) -> dict[str, Any]:
    """Wait until the worker and the bank are done, then count everything that must be none."""
    say("waiting until all money has settled")
    unsettled = await _settle(race)
    ledger = await race.bank.ledger()
    payments = ledger["payments"].values()
    wrong = [f"{name}: {text}" for name, tally in tallies.items() for text in tally.wrong]
    if unsettled:
        wrong.append(f"{unsettled} transfers did not settle")
    return {
        "requests": sum(tally.requests for tally in tallies.values()),
        "over_refunded_minor": sum(
            max(0, each["refunded_minor"] - each["captured_minor"]) for each in payments
        ),
        "over_accepted_minor": int(await race.connection.fetchval(_OVER_ACCEPTED)),
        "duplicate_executions": sum(tally.duplicates for tally in tallies.values()),
        "answers_5xx": sum(n for status, n in race.client.seen.items() if status >= 500),
        "waited_out": dict(race.client.retried),
        "deadlocks": await race.connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ),
        "errors_logged": race.lane.errors()[:5],
        "bank_refunds": sum(each["refunds"] for each in payments),
        "wrong": wrong[:20],
        "violations": await violations(race.connection, ledger, quiet=not unsettled),
    }


async def _settle(race: Race) -> int:
    """Until nothing is in flight on either side; returns how many transfers still are."""
    end = time.monotonic() + QUIET_SECONDS
    while True:
        unsettled, messages = await race.connection.fetchrow(
            "SELECT (SELECT count(*) FROM transfers WHERE due_at IS NOT NULL OR state = 'sending'),"
            " (SELECT count(*) FROM inbox WHERE due_at IS NOT NULL)"
        )
        waiting = unsettled or messages or await race.bank.due_webhooks()
        if not waiting or time.monotonic() > end:
            return int(unsettled)
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
