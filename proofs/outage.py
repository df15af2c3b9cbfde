"""Proof: a provider that is away delays its own refunds, fails none and holds up nobody else.

``script/proof outage --json`` starts PostgreSQL on disk, an API process, two workers and two banks,
each behind a payment account of the same shop, asks both for refunds at a steady pace, and then
takes one bank away for ``--minutes`` (10): for 3 of 10 parts it refuses connections, for 4 it
swallows every call, for 3 it answers every call with an error, half of them after it acted. Then it
is well again, and the proof waits up to five minutes for what was held up. Both are asked all the
time, also for a while before and after, when all is calm. It counts

- ``failed_by_outage``: refunds of that bank that ended otherwise than succeeded: 0;
- ``done_in_time``: the share of the refunds asked for before the bank's return that had arrived
  five minutes after it: at least 95 %;
- ``others_p99_ratio``: how long the other bank's refunds took from the request to the provider's
  yes, the 99th percentile during the outage over that in the calm before and after it: at most 1.2.

Money moved at most once (N3), both banks' ledgers equal ours (N4). A speed figure means nothing
without the machine's load, so that is told too. Exits 1 on any shortfall.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from secrets import randbits
from typing import Any, Final

import uvloop
from proofs.harness.client import Client, GaveUp
from proofs.harness.programs import Program
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane, Size, another_bank, staged
from proofs.invariants import violations

OTHER: Final = "steady"
"""Slug, and gateway, of the account whose bank stays well."""
AWAY: Final = "stripe"
PHASES: Final = (("refuse", 3), ("black hole", 4), ("errors", 3))
PER_ORDER: Final = 20
AMOUNTS: Final = (1, 600)
RATE: Final = 4.0
CALM_SECONDS: Final = 120.0
RECOVERY_SECONDS: Final = 300.0
BROUGHT_AT_ONCE: Final = 200
DONE_SHARE: Final = 0.95
P99_RATIO: Final = 1.2
SWALLOWED_SECONDS: Final = 60.0


@dataclass(slots=True)
class Load:
    """Refunds asked of one account at a steady pace. ``accepted`` has public ids."""

    source: str
    orders: list[Order]
    accepted: dict[str, datetime] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Times:
    """When what happened, UTC."""

    phases: dict[str, datetime]
    """When each part of the outage began."""
    recovery: datetime
    calm: datetime
    """From then on nothing of the outage was left."""

    @property
    def outage(self) -> datetime:
        return min(self.phases.values())

    def part(self, at: datetime) -> str:
        """Into which part of the proof a moment falls."""
        if at < self.outage or at >= self.calm:
            return "calm"
        if at >= self.recovery:
            return "return"
        return max((begun, name) for name, begun in self.phases.items() if begun <= at)[1]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = randbits(31) if options.seed is None else options.seed
    say(f"seed {seed}")
    return finish(uvloop.run(_prove(options, seed)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/proof outage",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="of outage")
    parser.add_argument("--calm", type=float, default=CALM_SECONDS, help="seconds before and after")
    parser.add_argument("--rate", type=float, default=RATE, help="refunds a second, each account")
    parser.add_argument("--seed", type=int, help="of amounts and the bank's errors")
    parser.add_argument("--keep", action="store_true", help="keep logs and data")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser.parse_args(arguments)


async def _prove(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(keep=options.keep))
        lane = await stack.enter_async_context(stage.lane("outage", Size(apis=1, workers=2)))
        client = await stack.enter_async_context(Client(lane.urls, seed))
        away = await stack.enter_async_context(Bank(lane.bank_url))
        program, url = await stack.enter_async_context(another_bank(lane, OTHER))
        other = await stack.enter_async_context(Bank(url))
        connection = await stack.enter_async_context(lane.superuser())
        key = await _connect(lane, client, url)
        count = _orders_needed(options)
        loads = [
            Load(AWAY, await _bring(lane, client, away, count)),
            Load(OTHER, await _bring(lane, client, other, count, gateway=OTHER, account=key)),
        ]
        times = await _run(lane, client, away, connection, loads, options, seed)
        await _recover(connection, datetime.now(UTC))
        figures = await _figures(connection, loads, times, options)
        ledgers = [await away.ledger(), await other.ledger()]
        whole = {name: {**ledgers[0][name], **ledgers[1][name]} for name in ledgers[0]}
        quiet = not figures["open_after_recovery"]
        figures["violations"] = (await violations(connection, whole, quiet=quiet))[:20]
        figures["errors_logged"] = lane.errors()[:10]
        assert not program.ended()
    return figures | {"seed": seed, "ok": _fine(figures)}


def _fine(figures: dict[str, Any]) -> bool:
    none = ("failed_by_outage", "violations", "wrong", "errors_logged")
    return (
        not any(figures[name] for name in none)
        and figures["done_in_time"] >= DONE_SHARE
        and figures["others_p99_ratio"] <= P99_RATIO
        and figures["others_failed"] == 0
    )


def _orders_needed(options: argparse.Namespace) -> int:
    seconds = options.minutes * 60 + 2 * options.calm + RECOVERY_SECONDS + 10
    return int(seconds * options.rate / PER_ORDER) + 2


async def _connect(lane: Lane, client: Client, url: str) -> str:
    """A second payment account of the shop, behind a gateway of its own; returns its key."""
    key = f"sk_{secrets.token_hex(8)}"
    body = {
        "kind": "payments",
        "adapter": "stripe",
        "account": "acct_steady",
        "base_url": url,
        "gateways": [OTHER],
        "secret": key,
        "webhook_secrets": ["whsec_steady"],
    }
    path = f"/v1/admin/connections/{OTHER}"
    answer = await client.send("PUT", path, lane.demo["keys"]["admin"], body)
    assert answer.status in {200, 201}, answer
    return key


async def _bring(lane: Lane, client: Client, bank: Bank, count: int, **more: Any) -> list[Order]:
    orders: list[Order] = []
    while len(orders) < count:
        many = min(BROUGHT_AT_ONCE, count - len(orders))
        orders += await bring_orders(lane, client, bank, many, **more)
    return orders


async def _run(
    lane: Lane,
    client: Client,
    away: Bank,
    connection: Any,
    loads: Sequence[Load],
    options: argparse.Namespace,
    seed: int,
) -> Times:
    """Calm, outage, the bank's return, calm again; the load goes on all the time."""
    tasks = [
        asyncio.create_task(_load(lane, client, load, options.rate, Random(seed + n)))
        for n, load in enumerate(loads)
    ]
    say(f"{options.calm:.0f} s with both banks well")
    await asyncio.sleep(options.calm)
    phases: dict[str, datetime] = {}
    for what, parts in PHASES:
        phases[what] = datetime.now(UTC)
        seconds = options.minutes * 60 * parts / sum(parts for _, parts in PHASES)
        say(f"{seconds:.0f} s {what}")
        async with _trouble(lane.bank, away, what, seed):
            await asyncio.sleep(seconds)
    recovery = datetime.now(UTC)
    await _recover(connection, recovery)
    calm = datetime.now(UTC)
    say(f"{options.calm:.0f} s with both banks well again")
    await asyncio.sleep(options.calm)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            loads[0].wrong.append(f"the load ended: {ended!r}")
    return Times(phases, recovery, calm)


@asynccontextmanager
async def _trouble(program: Program, bank: Bank, what: str, seed: int) -> AsyncIterator[None]:
    """The bank is away in one way until the block ends."""
    if what == "refuse":
        await asyncio.to_thread(program.kill)
        yield
        program.start()
        while True:
            with contextlib.suppress(Exception):
                await bank.faults()
                return
            await asyncio.sleep(0.1)
    rates = (
        {"hang_before": 1.0}
        if what == "black hole"
        else dict.fromkeys(("error_before", "error_after"), 0.5)
    )
    await bank.faults(seed=seed, rates=rates, hang_seconds=[SWALLOWED_SECONDS] * 2)
    yield
    await bank.faults()


async def _load(lane: Lane, client: Client, load: Load, rate: float, chance: Random) -> None:
    """Ask at a steady pace, whatever becomes of the requests before."""
    finance, number, following = lane.demo["keys"]["finance"], 0, time.monotonic()
    async with asyncio.TaskGroup() as group:
        while number < len(load.orders) * PER_ORDER:
            order = load.orders[number // PER_ORDER]
            amount = chance.randint(*AMOUNTS)
            group.create_task(_ask(client, finance, load, order, amount, number))
            number += 1
            following += 1 / rate
            await asyncio.sleep(max(0.0, following - time.monotonic()))


async def _ask(
    client: Client, token: str, load: Load, order: Order, amount: int, number: int
) -> None:
    body, at = {"order": order.public, "amount": amount}, datetime.now(UTC)
    try:
        answer = await client.send(
            "POST", "/v1/refunds", token, body, key=f"{load.source}-{number}"
        )
    except GaveUp as gave_up:
        load.wrong.append(str(gave_up))
        return
    if answer.status == 202:
        load.accepted[answer.json()["refund"]] = at
    else:
        load.wrong.append(f"{load.source}-{number}: {answer}")


_WAITING: Final = (
    "SELECT count(*) FROM transfers WHERE created_at < $1"
    " AND state IN ('queued', 'sending', 'unknown', 'pending')"
)


async def _recover(connection: Any, since: datetime) -> None:
    """Until nothing that was asked for before waits any more, or the promised time is over."""
    end = since + timedelta(seconds=RECOVERY_SECONDS)
    while datetime.now(UTC) < end:
        left = await connection.fetchval(_WAITING, since)
        if not left:
            return
        say(f"{left} transfers wait, {(end - datetime.now(UTC)).total_seconds():.0f} s are left")
        await asyncio.sleep(5)


_TRANSFERS: Final = (
    "SELECT t.state, t.account, r.created_at, t.updated_at, t.attempt FROM transfers t"
    " JOIN refunds r ON r.shop_id = t.shop_id AND r.id = t.refund_id"
)


async def _figures(
    connection: Any, loads: Sequence[Load], times: Times, options: argparse.Namespace
) -> dict[str, Any]:
    rows = await connection.fetch(_TRANSFERS)
    gone = [row for row in rows if row["account"] == AWAY]
    steady = [row for row in rows if row["account"] == OTHER]
    held = [row for row in gone if row["created_at"] < times.recovery]
    limit = times.recovery + timedelta(seconds=RECOVERY_SECONDS)
    done = [row for row in held if row["state"] == "succeeded" and row["updated_at"] <= limit]
    late = sorted(
        (row["updated_at"] - times.recovery).total_seconds()
        for row in done
        if row["created_at"] >= times.outage
    )
    parts = {
        part: _took(row for row in steady if times.part(row["created_at"]) == part)
        for part in ("calm", *times.phases, "return")
    }
    calm, during = parts["calm"], sorted(s for name in times.phases for s in parts[name])
    waiting = ("queued", "sending", "unknown", "pending", "requires_action")
    return {
        "proof": "outage",
        "ok": False,
        **machine(),
        "minutes": options.minutes,
        "refunds": {load.source: len(load.accepted) for load in loads},
        "failed_by_outage": sum(row["state"] not in (*waiting, "succeeded") for row in gone),
        "done_in_time": round(len(done) / max(len(held), 1), 4),
        "done_seconds_after_return": {
            "median": round(_quantile(late, 0.5), 1),
            "p95": round(_quantile(late, 0.95), 1),
            "max": round(max(late, default=0.0), 1),
        },
        "open_after_recovery": sum(row["state"] in waiting for row in rows),
        "states": dict(Counter(f"{row['account']} {row['state']}" for row in rows)),
        "tries_most": max((row["attempt"] for row in gone), default=0),
        "others_failed": sum(row["state"] not in (*waiting, "succeeded") for row in steady),
        "others_seconds": {
            name: {
                "n": len(took),
                **{f"p{q}": round(_quantile(took, q / 100), 3) for q in (50, 99)},
            }
            for name, took in (*parts.items(), ("outage", during))
        },
        "others_p99_ratio": round(_quantile(during, 0.99) / (_quantile(calm, 0.99) or 1.0), 3),
        "wrong": [text for load in loads for text in load.wrong][:20],
    }


def _took(rows: Any) -> list[float]:
    """Seconds from the request to the provider's yes, sorted."""
    return sorted(
        (row["updated_at"] - row["created_at"]).total_seconds()
        for row in rows
        if row["state"] == "succeeded"
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


if __name__ == "__main__":
    sys.exit(main())
