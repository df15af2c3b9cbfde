"""What a model runs on: PostgreSQL, bank and carrier once, and for each sequence a shop of its own.

Owns resources and the checks after a step. Refuses to own what happens in a step (``play``).
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from proofs.invariants import violations
from proofs.model.play import Play
from structlog.testing import capture_logs
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.context import Clock, a_context
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import a_story

LATER_SECONDS: Final = 10**6
"""The bank decides pending refunds when a step says so, never by itself."""


@dataclass(slots=True)
class Tally:
    """What all sequences did. ``rules`` counts by name and outcome: done, refused, idle."""

    sequences: int = 0
    steps: int = 0
    checks: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    until: float = float("inf")
    """Monotonic time after which steps do nothing any more."""

    @property
    def over(self) -> bool:
        return time.monotonic() > self.until


@dataclass(frozen=True, slots=True)
class Scene:
    """The processes; ``play`` in it as often as wanted."""

    postgres: PostgresForTests
    bank: Bank
    carrier: Carrier


@contextmanager
def scene() -> Iterator[Scene]:
    """Starts and ends all of it."""
    postgres = PostgresForTests()
    try:
        postgres.start()
        with tempfile.TemporaryDirectory(prefix="returns-api-model-") as folder:
            places = [Path(folder, name) for name in ("bank", "carrier")]
            for place in places:
                place.mkdir()
            with Bank(places[0]) as bank, Carrier(places[1]) as carrier:
                yield Scene(postgres, bank, carrier)
    finally:
        postgres.stop()


class Sequence:
    """One sequence of steps in a fresh database, on an event loop of its own."""

    def __init__(self, scene: Scene, tally: Tally) -> None:
        self.scene, self.tally = scene, tally
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._database = scene.postgres.clone()
        self._owner: Any = None
        self.play: Play
        self._runner.run(self._open())
        tally.sequences += 1

    async def _open(self) -> None:
        await self.scene.bank.reset()
        await self.scene.carrier.reset()
        await self.scene.bank.control("PUT", "faults", {"life_seconds": LATER_SECONDS})
        url = self.scene.postgres.url(self._database, user=APP_ROLE)
        clock = Clock()
        ctx = await self._stack.enter_async_context(a_context(url, clock))
        self._owner = await asyncpg.connect(self.scene.postgres.url(self._database))
        self._stack.push_async_callback(self._owner.close)
        self.play = Play(await a_story(ctx, clock, self.scene.bank, self.scene.carrier))
        await self.play.begin()

    def step(self, name: str, **values: Any) -> None:
        """One step by the name of a method of ``Play``, then every invariant."""
        if not self.tally.over:
            self._runner.run(self._step(name, values))

    async def _step(self, name: str, values: dict[str, Any]) -> None:
        with capture_logs() as logged:
            outcome = await self.play.do(name, values)
        self.tally.rules[f"{name} {outcome}"] += 1
        self.tally.steps += 1
        await self._check(quiet=False)
        errors = [str(entry) for entry in logged if entry["log_level"] in {"error", "critical"}]
        assert not errors, f"{name} logged an error: {errors[:3]}"

    async def _check(self, *, quiet: bool) -> None:
        ledger = await self.scene.bank.ledger()
        found = await violations(self._owner, ledger, quiet=quiet)
        if found and not quiet:
            earlier = {**ledger, "references": {**ledger["references"], **self.play.untold}}
            before = {
                _subject(each) for each in await violations(self._owner, earlier, quiet=quiet)
            }
            found = [each for each in found if _subject(each) in before]
        self.tally.checks += 1
        assert not found, found[:5]

    async def _end(self) -> None:
        with capture_logs():
            await self.play.settle()
        await self._check(quiet=True)
        self.tally.faults.update(await self.scene.bank.fired())

    def close(self, *, whole: bool) -> None:
        """Let everything settle and compare the books (``whole``), then clear away."""
        try:
            if whole:
                self._runner.run(self._end())
        finally:
            self._runner.run(self._stack.aclose())
            self._runner.close()
            self.scene.postgres.drop(self._database)


def _subject(finding: str) -> tuple[str, ...]:
    """Invariant and transfer of a finding about the bank (N3); the whole of any other."""
    return tuple(finding.split()[:2]) if finding.startswith("N3") else (finding,)
