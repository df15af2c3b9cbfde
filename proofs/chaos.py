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
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random
from secrets import randbits
from typing import Any, Final

import uvloop
from proofs.harness.client import Answer, GaveUp
from proofs.harness.crashing import Cell, cell
from proofs.harness.drives import REFUND, ask
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.stage import Size, staged
from proofs.harness.storm import MUST_FIRE, at_rest, killing, reconcile, trouble
from proofs.invariants import violations

from returns_api.domain import ids

LEASE_SECONDS: Final = 12.0
CLIENTS: Final = 32
PER_ORDER: Final = 6
"""Refunds on one order; with what is done elsewhere they stay below what was captured."""
AMOUNTS: Final = (1, 1200)
ELSEWHERE: Final = (1, 300)
CHARGEBACKS: Final = (1, 500)
BROUGHT_AT_ONCE: Final = 200
ELSEWHERE_PER_MINUTE: Final = 40.0
RATE: Final = 700
"""Refunds a minute: 21 000 in half an hour."""
CHECK_SECONDS: Final = 20.0
_ENDED: Final = ("succeeded", "failed", "canceled", "reversed")


@dataclass(slots=True)
class Seen:
    """What the storm did and what the clients were told."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Refund by key."""
    answers: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = randbits(31) if options.seed is None else options.seed
    say(f"seed {seed}")
    return finish(uvloop.run(_prove(options, seed)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/proof chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="of trouble")
    parser.add_argument("--rate", type=int, default=RATE, help="refunds a minute")
    parser.add_argument("--chaos", type=float, default=0.3, help="share of calls that go wrong")
    parser.add_argument("--fired", type=int, default=30, help="each fault so often, at least")
    parser.add_argument("--lease", type=float, default=LEASE_SECONDS, help="seconds")
    parser.add_argument("--seed", type=int, help="of the bank's faults and of the kills")
    parser.add_argument("--keep", action="store_true", help="keep logs and data")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser.parse_args(arguments)


async def _prove(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    wanted = round(options.rate * options.minutes)
    seen = Seen()
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(keep=options.keep))
        size = Size(
            apis=3,
            workers=3,
            lease_seconds=options.lease,
            preloaded=True,
            more={"worker_concurrency": 40},
        )
        lane = await stack.enter_async_context(stage.lane("chaos", size))
        one = await stack.enter_async_context(cell(lane, seed))
        orders = await _stock(one, wanted)
        begun = time.monotonic()
        await _storm(one, seen, orders, options, seed)
        seconds = time.monotonic() - begun
        fired = await one.bank.fired()
        say(f"{len(seen.accepted)} refunds in {seconds:.0f} s; now it has to settle")
        settled = await at_rest(one, seen.wrong)
        reports = [await reconcile(one, seen.wrong), await reconcile(one, seen.wrong)]
        await at_rest(one, seen.wrong)
        figures = await _figures(one, seen, fired, options)
        errors = lane.errors()
    fell_short = [name for name in MUST_FIRE if fired[name] < options.fired]
    figures |= {
        "seed": seed,
        "asked_for": wanted,
        "seconds": round(seconds, 1),
        "settled_seconds": round(settled, 1),
        "waits_skipped": one.waits_skipped,
        "reconciled": reports[0],
        "reconciled_again": reports[1],
        "fired_too_rarely": fell_short,
        "errors_logged": errors[:10],
    }
    return figures | {"ok": _fine(figures, wanted)}


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
    async with killing(one.lane, seen.kills, Random(seed)), _elsewhere(one, seen, orders, seed):
        clients = [
            asyncio.create_task(
                _client(one, seen, orders, numbers, Random(seed + n), pace, end, wanted)
            )
            for n in range(CLIENTS)
        ]
        watch = asyncio.create_task(_watch(one, seen, wanted))
        await asyncio.gather(*clients)
        watch.cancel()
    await one.bank.faults()


async def _client(
    one: Cell,
    seen: Seen,
    orders: list[Order],
    numbers: Any,
    chance: Random,
    pace: float,
    end: float,
    wanted: int,
) -> None:
    """Asks for one refund after the other, at a steady pace, each until there is an answer."""
    following = time.monotonic() + chance.random() * pace
    while (now := time.monotonic()) < end or len(seen.accepted) < wanted:
        await asyncio.sleep(max(0.0, following - now))
        following += pace
        number = next(numbers)
        if number >= len(orders) * PER_ORDER:
            return
        order = orders[number // PER_ORDER]
        body = {"order": order.public, "amount": chance.randint(*AMOUNTS)}
        try:
            asked = await ask(one, REFUND, "finance", body, f"chaos-{number}")
        except GaveUp as gave_up:
            seen.wrong.append(str(gave_up))
            continue
        _note(seen, f"chaos-{number}", asked.answer)


def _note(seen: Seen, key: str, answer: Answer) -> None:
    seen.answers[f"{answer.status} {answer.code}".strip()] += 1
    if answer.status == 202:
        seen.accepted[key] = answer.json()["refund"]
    else:
        seen.wrong.append(f"{key}: {answer}")


@asynccontextmanager
async def _elsewhere(one: Cell, seen: Seen, orders: list[Order], seed: int) -> AsyncIterator[None]:
    """Refunds in the bank's own pages, chargebacks, and chargebacks that the shop wins."""
    chance = Random(seed + 1_000)
    disputes: list[str] = []

    async def act() -> None:
        while True:
            await asyncio.sleep(chance.expovariate(ELSEWHERE_PER_MINUTE / 60))
            order = chance.choice(orders)
            what = chance.choice(["dashboard_refund", "chargeback", "chargeback_won"])
            if what == "dashboard_refund":
                wanted = {"payment": order.payment, "amount": chance.randint(*ELSEWHERE)}
                await one.bank.call("POST", "dashboard_refunds", wanted)
            elif what == "chargeback" or not disputes:
                what, amount = "chargeback", chance.randint(*CHARGEBACKS)
                wanted = {"payment": order.payment, "amount": amount}
                disputes.append((await one.bank.call("POST", "disputes", wanted))["id"])
            else:
                won = disputes.pop(chance.randrange(len(disputes)))
                await one.bank.call("POST", f"disputes/{won}/close", {"won": True})
            seen.elsewhere[what] += 1

    task = asyncio.create_task(act())
    try:
        yield
    finally:
        task.cancel()
        for failed in await asyncio.gather(task, return_exceptions=True):
            if isinstance(failed, Exception):
                seen.wrong.append(f"what happens elsewhere ended: {failed!r}")


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


async def _figures(
    one: Cell, seen: Seen, fired: dict[str, int], options: argparse.Namespace
) -> dict[str, Any]:
    """Everything counted from the tables, the bank's ledger and the clients' own notes."""
    ledger = await one.bank.ledger()
    rows = await one.connection.fetch(
        "SELECT r.id, r.state, count(t.*) AS transfers,"
        " bool_and(t.state = ANY ($1)) AS ended FROM refunds r JOIN transfers t"
        " ON t.shop_id = r.shop_id AND t.refund_id = r.id GROUP BY r.shop_id, r.id, r.state",
        list(_ENDED),
    )
    stored = {ids.encode("ref", row["id"]) for row in rows}
    told = list(seen.accepted.values())
    twice = sum(each["made"] > 1 for each in ledger["references"].values())
    found = await violations(one.connection, ledger, quiet=True)
    return {
        "proof": "chaos",
        "ok": False,
        **machine(),
        "minutes": options.minutes,
        "refunds": len(told),
        "double": twice + len(told) - len(set(told)) + len(stored - set(told)),
        "lost": len(set(told) - stored) + sum("succeeded over" in text for text in found),
        "stuck": sum(not row["ended"] for row in rows),
        "states": dict(Counter(row["state"] for row in rows)),
        "kills": dict(seen.kills),
        "elsewhere": dict(seen.elsewhere),
        "fired": {name: fired[name] for name in MUST_FIRE},
        "answers": dict(seen.answers),
        "retried": dict(one.client.retried),
        "violations": found[:20],
        "wrong": seen.wrong[:20],
    }


if __name__ == "__main__":
    sys.exit(main())
