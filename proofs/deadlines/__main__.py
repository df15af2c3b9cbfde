"""Proof: silence has each default outcome exactly once, however the sweep fares.

``script/proof deadlines --json`` has every deadline of every lifecycle table stand on objects of
its own, moves the clock beyond all of them and lets silence do its work three ways: swept by two
sweeps at once and then again; killed (SIGKILL) half way, again and again; and only
after a hundred days. Whatever the way, each deadline has passed once, its outcome was told once by
``system``, and a further sweep changes nothing. A deadline that no case covers is a failure, and so
is a run in which no sweep was killed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import asyncpg
from proofs.deadlines import (
    complaints,
    disputes,
    exchanges,
    orders,
    parcels,
    repairs,
    returns,
)
from proofs.deadlines.cases import NOTHING, STRICT_POLICY, Case
from proofs.deadlines.child import SILENCE, start
from proofs.harness.options import asked, seed_of
from proofs.harness.report import finish, machine, say
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.context import Clock, a_context
from tests.support.invariants import breaches
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import a_story

from returns_api.domain.lifecycle import MACHINES
from returns_api.logs import configure
from returns_api.usecases.context import Context
from returns_api.worker import sweep

BEYOND: Final = timedelta(days=40)
"""Later than every deadline that stands."""
LATE: Final = timedelta(days=100)
KILLS: Final = 8
NOUNS: Final = (returns, disputes, exchanges, parcels, complaints, orders, repairs)
MAKERS: Final = {name: make for noun in NOUNS for name, make in noun.MAKERS.items()}
"""Every outcome of every deadline, by name."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("proof deadlines", __doc__, seed="when the sweeps are killed")
    parser.add_argument("--copies", type=int, default=20, help="objects of each case and way")
    options = parser.parse_args(arguments)
    configure("warning")
    seed = seed_of(options)
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(_all_ways(Path(folder), options.copies, Random(seed)))
    figures |= {"seed": seed, "machine": machine()}
    return finish(figures, as_json=options.json)


async def _all_ways(folder: Path, copies: int, chance: Random) -> dict[str, Any]:
    started = time.monotonic()
    covered = {name.partition(",")[0] for name in MAKERS}
    named = {f"{each.name}.{timer.kind}" for each in MACHINES for timer in each.timers}
    findings = [f"no case for the deadline {kind}" for kind in sorted(named - covered)]
    postgres, ways = PostgresForTests().start(), {}
    try:
        with Bank(folder / "bank") as bank, Carrier(folder / "carrier") as carrier:
            for way in ("twice", "killed", "late"):
                say(f"{way}: {len(MAKERS)} cases, {copies} of each")
                run = Way(postgres, bank, carrier, copies, chance)
                ways[way], found = await run(way)
                findings += [f"{way}: {text}" for text in found]
    finally:
        postgres.stop()
    for text in findings[:20]:
        say(text)
    return {
        "ok": not findings and ways["killed"]["kills"] > 0,
        "deadline_kinds": len(named),
        "outcomes": len(MAKERS),
        "ways": ways,
        "passed": sum(way["passed"] for way in ways.values()),
        "wrong": len(findings),
        "seconds": round(time.monotonic() - started, 1),
    }


class Way:
    """One fresh shop, all cases, one way of sweeping."""

    def __init__(
        self, postgres: PostgresForTests, bank: Bank, carrier: Carrier, copies: int, chance: Random
    ) -> None:
        self.postgres, self.bank, self.carrier = postgres, bank, carrier
        self.copies, self.chance = copies, chance
        self.kills = 0

    async def __call__(self, way: str) -> tuple[dict[str, Any], list[str]]:
        await self.bank.reset()
        await self.carrier.reset()
        name = self.postgres.clone()
        url, owner = self.postgres.url(name, user=APP_ROLE), self.postgres.url(name)
        clock = Clock()
        async with a_context(url, clock) as ctx:
            cases = await self._make(ctx, clock)
            clock.now += LATE if way == "late" else BEYOND
            if way == "killed":
                await self._killed(url, clock)
            await asyncio.gather(sweep.drain(ctx, SILENCE), sweep.drain(ctx, SILENCE))
            before = await _told(owner)
            await sweep.drain(ctx, SILENCE)
        async with _connected(owner) as connection:
            states = await connection.fetch(
                "SELECT object_id, kind, state FROM deadlines"
                " UNION ALL SELECT object_id, kind, state FROM order_deadlines"
            )
        after = await _told(owner)
        found = _wrong(cases, after, {(r["object_id"], r["kind"]): r["state"] for r in states})
        found += ["a further sweep told something"] if after != before else []
        found += await breaches(owner, self.bank)
        return {"passed": len(cases), "kills": self.kills, "events": after.total()}, found

    async def _make(self, ctx: Context, clock: Clock) -> list[Case]:
        story = await a_story(ctx, clock, self.bank, self.carrier, STRICT_POLICY)
        return [await make(story) for make in MAKERS.values() for _ in range(self.copies)]

    async def _killed(self, url: str, clock: Clock) -> None:
        """Sweeps in processes that are killed somewhere in their work, each a little later."""
        for turn in range(1, KILLS + 1):
            child, until_begun = start(url, clock.now)
            await asyncio.to_thread(until_begun)
            await asyncio.to_thread(child.join, self.chance.uniform(0.0, 0.1) * turn)
            self.kills += child.is_alive()
            child.kill()
            await asyncio.to_thread(child.join)


def _wrong(
    cases: Sequence[Case],
    told: Counter[tuple[UUID, str]],
    states: dict[tuple[UUID, str], str],
) -> list[str]:
    """Every case whose outcome did not come exactly once."""
    found = []
    for case in cases:
        times = told[case.object_id, case.event]
        state = states[case.object_id, case.kind]
        if (times, state) != (0 if case.event == NOTHING else 1, "passed"):
            name = f"{case.machine} {case.object_id}, {case.kind}"
            found.append(f"{name}: {case.event} was told {times} times, the deadline is {state}")
    return found


async def _told(owner: str) -> Counter[tuple[UUID, str]]:
    """How often ``system`` told each event of each object."""
    async with _connected(owner) as connection:
        rows = await connection.fetch(
            "SELECT resource_id, type, count(*) AS times FROM events WHERE actor = 'system'"
            " GROUP BY resource_id, type"
        )
    return Counter({(row["resource_id"], row["type"]): row["times"] for row in rows})


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
