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
import secrets
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import uvloop
from proofs.harness.client import Client
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane, Size, another_bank, staged
from proofs.invariants import violations
from proofs.outage.figures import AWAY, OTHER, RECOVERY_SECONDS, Times, figures_of
from proofs.outage.load import PER_ORDER, Load, asking
from proofs.outage.trouble import PHASES, trouble

RATE: Final = 4.0
CALM_SECONDS: Final = 120.0
BROUGHT_AT_ONCE: Final = 200
DONE_SHARE: Final = 0.95
P99_RATIO: Final = 1.2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    return finish(uvloop.run(_prove(options, seed)), as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof outage", __doc__, seed="of amounts and the bank's errors", keep=True)
    parser.add_argument("--minutes", type=float, default=10.0, help="of outage")
    parser.add_argument("--calm", type=float, default=CALM_SECONDS, help="seconds before and after")
    parser.add_argument("--rate", type=float, default=RATE, help="refunds a second, each account")
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
        figures = await figures_of(connection, loads, times)
        ledgers = [await away.ledger(), await other.ledger()]
        whole = {name: {**ledgers[0][name], **ledgers[1][name]} for name in ledgers[0]}
        quiet = not figures["open_after_recovery"]
        figures["violations"] = (await violations(connection, whole, quiet=quiet))[:20]
        figures["errors_logged"] = lane.errors()[:10]
        assert not program.ended()
    about = {"proof": "outage", "ok": _fine(figures), **machine(), "minutes": options.minutes}
    return about | figures | {"seed": seed}


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
        asyncio.create_task(asking(lane, client, load, options.rate, Random(seed + n)))
        for n, load in enumerate(loads)
    ]
    say(f"{options.calm:.0f} s with both banks well")
    await asyncio.sleep(options.calm)
    phases: dict[str, datetime] = {}
    for what, parts in PHASES:
        phases[what] = datetime.now(UTC)
        seconds = options.minutes * 60 * parts / sum(parts for _, parts in PHASES)
        say(f"{seconds:.0f} s {what}")
        async with trouble(lane.bank, away, what, seed):
            await asyncio.sleep(seconds)
    recovery = datetime.now(UTC)
    await _recover(connection, recovery)
    calm = datetime.now(UTC)
    say(f"{options.calm:.0f} s with both banks well again")
    await asyncio.sleep(options.calm)
    for load in loads:
        load.over = True
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            loads[0].wrong.append(f"the load ended: {ended!r}")
    return Times(phases, recovery, calm)


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


if __name__ == "__main__":
    sys.exit(main())
