"""The three ways in which a bank is away: it refuses, it swallows, it answers with errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from proofs.harness.programs import Program
from proofs.harness.simulators import Bank

PHASES: Final = (("refuse", 3), ("black hole", 4), ("errors", 3))
"""Each with its share of the outage."""
SWALLOWED_SECONDS: Final = 60.0


@asynccontextmanager
async def trouble(program: Program, bank: Bank, what: str, seed: int) -> AsyncIterator[None]:
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
