"""Proof: requests that race for the same money, key, unit or allowance (T01, T02, T04, T37).

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
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from secrets import randbits
from typing import Any, Final

import uvloop
from proofs.harness.client import Answer, Client
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders, in_parallel
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane, Size, staged
from proofs.invariants import violations

from returns_api.demo.platform import TOTAL_MINOR

ROOT: Final = Path(__file__).resolve().parents[1]
PATCH: Final = ROOT / "proofs" / "seeded" / "no_row_guard.patch"
QUIET_SECONDS: Final = 600.0
AMOUNTS: Final = (70, 650)
"""Of one refund: between 19 and 185 of them fit into an order."""
QUOTES_AT_ONCE: Final = 16
_ALONE_MINOR: Final = 1000
"""What the agent of T37 may refund of one order alone."""


@dataclass(slots=True)
class Tally:
    """What one of the tests saw."""

    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    duplicates: int = 0
    seconds: float = 0.0

    def add(self, answer: Answer) -> None:
        self.requests += 1
        replayed = " replayed" if "idempotent-replayed" in answer.headers else ""
        self.answers[f"{answer.status} {answer.code}".strip() + replayed] += 1
        if answer.status >= 500:
            self.wrong.append(f"{answer.status} {answer.body[:300]!r}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "answers": dict(self.answers),
            "wrong": len(self.wrong),
            "seconds": round(self.seconds, 1),
        }


@dataclass(slots=True)
class Race:
    """A running installation and who loads it."""

    lane: Lane
    client: Client
    bank: Bank
    connection: Any
    random: Random

    def key(self, role: str) -> str:
        return str(self.lane.demo["keys"][role])


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = randbits(32) if options.seed is None else options.seed
    say(f"seed {seed}")
    figures = uvloop.run(_prove(options, seed))
    return finish(figures, as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/proof races",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--orders", type=int, default=100, help="T01: orders")
    parser.add_argument("--refunds", type=int, default=200, help="T01: refunds at once on each")
    parser.add_argument("--keys", type=int, default=50, help="T02: keys")
    parser.add_argument("--repeats", type=int, default=200, help="T02: requests at once with each")
    parser.add_argument("--lines", type=int, default=50, help="T04: lines")
    parser.add_argument("--returns", type=int, default=100, help="T04: returns at once for each")
    parser.add_argument("--limits", type=int, default=20, help="T37: orders")
    parser.add_argument("--persons", type=int, default=50, help="T37: at once on each")
    parser.add_argument("--seed", type=int, help="replay a run")
    parser.add_argument("--without-guard", action="store_true", help="must fail, see above")
    parser.add_argument("--keep", action="store_true", help="keep logs and data")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser.parse_args(arguments)


async def _prove(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    tests = {"T01": _t01, "T02": _t02, "T04": _t04, "T37": _t37}
    if options.without_guard:
        tests = {"T01": _t01}
    sizes = {
        "T01": (options.orders, options.refunds),
        "T02": (options.keys, options.repeats),
        "T04": (options.lines, options.returns),
        "T37": (options.limits, options.persons),
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


async def _t01(race: Race, tally: Tally, orders: int, at_once: int) -> None:
    """Different keys, one order: exactly as many refunds as fit."""
    for order in await bring_orders(race.lane, race.client, race.bank, orders):
        amount = race.random.randint(*AMOUNTS)
        answers = await in_parallel(
            [
                partial(_refund, race, order, amount, f"t01-{order.external}-{n}")
                for n in range(at_once)
            ],
            at_once,
        )
        for answer in answers:
            tally.add(answer)
        accepted = sum(answer.status == 202 for answer in answers)
        fits = min(at_once, TOTAL_MINOR // amount)
        if accepted != fits:
            tally.wrong.append(f"{accepted} of {amount} accepted, {fits} fit into {TOTAL_MINOR}")
        refused = [a for a in answers if a.status != 202 and a.code != "nothing_left_to_refund"]
        tally.wrong += [f"refused with {a.status} {a.code}" for a in refused]


async def _t02(race: Race, tally: Tally, keys: int, at_once: int) -> None:
    """One key: one execution, and one answer for everybody."""
    for order in await bring_orders(race.lane, race.client, race.bank, keys):
        key = f"t02-{order.external}"
        answers = await in_parallel(
            [partial(_refund, race, order, 100, key) for _ in range(at_once)], at_once
        )
        for answer in answers:
            tally.add(answer)
        made = await race.connection.fetchval(
            "SELECT count(*) FROM refunds WHERE order_id = $1", order.id
        )
        tally.duplicates += max(0, made - 1)
        done = [answer for answer in answers if answer.status == 202]
        first = [answer for answer in done if "idempotent-replayed" not in answer.headers]
        if len(first) != 1:
            tally.wrong.append(f"{len(first)} first answers under one key")
        if len({answer.body for answer in done}) != 1:
            tally.wrong.append("replays differ from the first answer")
        others = {a.code for a in answers if a.status != 202} - {"idempotency_in_progress"}
        if others:
            tally.wrong.append(f"other answers under one key: {sorted(others)}")


async def _t04(race: Race, tally: Tally, lines: int, at_once: int) -> None:
    """The last unit of a line: one return gets it."""
    for order in await bring_orders(race.lane, race.client, race.bank, lines, delivered=True):
        line = await _jacket(race, order)
        quotes = await in_parallel(
            [partial(_quote, race, order, line) for _ in range(at_once)], QUOTES_AT_ONCE
        )
        answers = await in_parallel(
            [
                partial(_open, race, quote, f"t04-{order.external}-{n}")
                for n, quote in enumerate(quotes)
            ],
            at_once,
        )
        for answer in answers:
            tally.add(answer)
        opened = sum(answer.status == 201 for answer in answers)
        if opened != 1:
            tally.wrong.append(f"{opened} returns were opened for one unit")
        others = {a.code for a in answers if a.status != 201} - {"nothing_left_to_return"}
        if others:
            tally.wrong.append(f"refused with {sorted(others)}")


async def _t37(race: Race, tally: Tally, orders: int, at_once: int) -> None:
    """One limit and one approval: nobody gets around the first, the second happens once."""
    await race.connection.execute(
        "UPDATE shops SET refund_limits = jsonb_build_object("
        "'agent_per_order', $1::int, 'agent_per_day', null)",
        _ALONE_MINOR,
    )
    for order in await bring_orders(race.lane, race.client, race.bank, orders):
        amount = race.random.randint(70, TOTAL_MINOR // max(at_once, 2))
        answers = await in_parallel(
            [
                partial(_refund, race, order, amount, f"t37-{order.external}-{n}", "agent")
                for n in range(at_once)
            ],
            at_once,
        )
        for answer in answers:
            tally.add(answer)
        made = [answer.json() for answer in answers if answer.status == 202]
        alone = sum(refund["state"] == "queued" for refund in made)
        fits = min(at_once, _ALONE_MINOR // amount)
        if (len(made), alone) != (at_once, fits):
            tally.wrong.append(f"{alone} of {amount} passed alone, {fits} fit into {_ALONE_MINOR}")
        for refund in [each for each in made if each["state"] == "requested"][:1]:
            await _approve_at_once(race, tally, refund, at_once)


async def _approve_at_once(race: Race, tally: Tally, refund: dict[str, Any], at_once: int) -> None:
    path, body = f"/v1/refunds/{refund['refund']}/approve", refund["approval"]
    seen = {"binding": body["binding"]}
    persons = ("finance", "admin")
    answers = await in_parallel(
        [
            partial(
                race.client.send, "POST", path, race.key(persons[n % 2]), seen, key=f"{path}-{n}"
            )
            for n in range(at_once)
        ],
        at_once,
    )
    for answer in answers:
        tally.add(answer)
    done = sum(answer.status == 200 for answer in answers)
    if done != 1:
        tally.wrong.append(f"{done} approvals of one refund")
    others = {a.code for a in answers if a.status != 200} - {"action_not_allowed"}
    if others:
        tally.wrong.append(f"approvals were refused with {sorted(others)}")


async def _refund(race: Race, order: Order, amount: int, key: str, role: str = "finance") -> Answer:
    body = {"order": order.public, "amount": amount}
    return await race.client.send("POST", "/v1/refunds", race.key(role), body, key=key)


async def _jacket(race: Race, order: Order) -> str:
    answer = await race.client.send("GET", f"/v1/orders/{order.public}", race.key("agent"))
    lines = [line for line in answer.json()["lines"] if line["ordered"] == 1]
    return str(next(line["line"] for line in lines if line["kind"] == "goods"))


async def _quote(race: Race, order: Order, line: str) -> str:
    asked = {"line": line, "quantity": 1, "reason": "size_too_small"}
    body = {"order": order.public, "lines": [asked], "method": "post"}
    answer = await race.client.send("POST", "/v1/quotes", race.key("agent"), body)
    assert answer.status == 201, answer
    return str(answer.json()["quote"])


async def _open(race: Race, quote: str, key: str) -> Answer:
    body = {"quote": quote, "lines": []}
    return await race.client.send("POST", "/v1/returns", race.key("agent"), body, key=key)


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
