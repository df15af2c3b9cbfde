"""Trouble from all sides: processes that are killed again and again, a bank that misbehaves."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final

from proofs.harness.crashing import UNNOTED, Cell
from proofs.harness.stage import Lane

KILL_SECONDS: Final = (0.5, 3.0)
TRANSPORT: Final = (
    "reset_before",
    "reset_after",
    "error_before",
    "error_after",
    "hang_before",
    "hang_after",
    "drip",
    "rate_limited",
    "key_in_use",
)
RATES: Final = {
    "pending": 0.08,
    "pending_fails": 0.05,
    "fails_late": 0.05,
    "webhook_lost": 0.1,
    "webhook_duplicate": 0.15,
    "webhook_shuffled": 0.15,
    "webhook_first": 0.1,
}
MUST_FIRE: Final = (*TRANSPORT, *RATES)

QUIET_SECONDS: Final = 900.0
_OPEN: Final = (
    "SELECT (SELECT count(*) FROM transfers WHERE due_at IS NOT NULL OR state IN"
    " ('queued', 'sending', 'unknown', 'pending')) AS transfers,"
    " (SELECT count(*) FROM inbox WHERE state = 'received') AS messages,"
    " (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')) AS deliveries,"
    " (SELECT count(*) FROM reconciliations WHERE due_at IS NOT NULL) AS reconciliations,"
    f" ({UNNOTED}) AS notes"
)


def trouble(share: float) -> dict[str, Any]:
    """The bank's faults: ``share`` of its calls go wrong on the way, the refunds as ``RATES``."""
    return {
        "rates": {**dict.fromkeys(TRANSPORT, share / len(TRANSPORT)), **RATES},
        "hang_seconds": [0.0, 12.0],
        "life_seconds": 2.0,
        "shuffle_seconds": 3.0,
    }


@asynccontextmanager
async def killing(lane: Lane, kills: Counter[str], chance: Random) -> AsyncIterator[None]:
    """A process dies every 0.5 to 3 seconds and is started again at once; counted by its name."""

    async def kill() -> None:
        while True:
            await asyncio.sleep(chance.uniform(*KILL_SECONDS))
            program = chance.choice([*lane.apis, *lane.workers])
            await asyncio.to_thread(program.kill)
            kills[program.name] += 1
            program.start()

    task = asyncio.create_task(kill())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for program in (*lane.apis, *lane.workers):
            if program.ended():
                program.start()
        await lane.ready()


async def at_rest(one: Cell, wrong: list[str]) -> float:
    """Seconds until nothing is under way any more; after ``QUIET_SECONDS`` it says what is."""
    begun = time.monotonic()
    while True:
        busy = dict(await one.connection.fetchrow(_OPEN))
        busy["webhooks"] = await one.bank.due_webhooks()
        if not any(busy.values()):
            return time.monotonic() - begun
        waited = time.monotonic() - begun
        if waited > QUIET_SECONDS:
            wrong.append(f"still under way after {waited:.0f} s: {busy}")
            return waited
        await one.let_pass()
        await asyncio.sleep(1.0)


async def reconcile(one: Cell, wrong: list[str]) -> dict[str, int]:
    """Compare the books as finance would; how many differences of each kind there were."""
    run = await one.call("POST", "/v1/reconciliations", "finance", {"source": "stripe"})
    end = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < end:
        now = await one.call("GET", f"/v1/reconciliations/{run['id']}", "finance")
        if now["state"] in {"succeeded", "failed"}:
            break
        await asyncio.sleep(0.5)
    if now["state"] != "succeeded":
        wrong.append(f"reconciliation: {now['state']} {now['failure']}")
    found: Counter[str] = Counter()
    for each in now["report"]:
        found[f"{each['subject']} {each['kind']}"] += each["count"]
    return dict(found)
