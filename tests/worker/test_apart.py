"""A process of its own for what kills processes: however it ends, its caller is told."""

from __future__ import annotations

import asyncio
import multiprocessing
from uuid import UUID

import pytest

from returns_api.domain.errors import Unavailable
from returns_api.worker.apart import ProcessApart
from tests.support.dying import end
from tests.support.patience import PATIENCE

SHOP, MESSAGE = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("does its work", "ended with 0"),
        ("exits", "ended with 5"),
        ("is killed", "was ended by SIGKILL"),
        ("takes too much", "ended with 77"),
        ("waits", "took longer than 0.2 s"),
    ],
)
async def test_its_end_is_told(how: str, told: str) -> None:
    seconds = 0.2 if how == "waits" else 20.0
    assert await ProcessApart(end, how, seconds=seconds)(SHOP, MESSAGE, 5) == told


async def test_what_loops_is_ended_by_its_processor_time_unless_the_machine_is_too_busy() -> None:
    told = await ProcessApart(end, "loops", seconds=1.0)(SHOP, MESSAGE, 5)
    assert told in {"used up its processor time", "took longer than 1 s"}


async def test_there_is_one_at_a_time() -> None:
    apart = ProcessApart(end, "does its work")
    first = asyncio.create_task(apart(SHOP, MESSAGE, 1))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await apart(SHOP, MESSAGE, 2)
    assert await first == "ended with 0"
    assert await apart(SHOP, MESSAGE, 3) == "ended with 0"


async def test_a_worker_that_stops_takes_it_along() -> None:
    before = set(multiprocessing.active_children())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await ProcessApart(end, "waits", seconds=60.0)(SHOP, MESSAGE, 1)
    async with asyncio.timeout(PATIENCE):
        while set(multiprocessing.active_children()) - before:  # noqa: ASYNC110 - another thread ends it
            await asyncio.sleep(0.02)
