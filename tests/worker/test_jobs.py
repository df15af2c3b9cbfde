"""Jobs and sweeps: a wake-up that is lost, doubled, late or nonsense harms nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from returns_api.domain.errors import Unavailable
from returns_api.usecases.context import Context
from returns_api.worker import sweep
from returns_api.worker.jobs import KINDS, Kind, parse, payload
from tests.support.context import Clock, a_context

SHOP, KEY = UUID(int=1), UUID(int=2)


@pytest.fixture
async def ctx(app_database_url: str) -> AsyncIterator[Context]:
    async with a_context(app_database_url, Clock()) as context:
        yield context


def a_kind(due: list[tuple[UUID, UUID]], run: Callable[[UUID], Any]) -> Kind:
    async def listed(_ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
        return due[:limit]

    async def work(_ctx: Context, _shop: UUID, key: UUID) -> None:
        found = run(key)
        if asyncio.iscoroutine(found):
            await found

    return Kind(work, listed)


def test_a_payload_reads_back() -> None:
    assert parse(payload(SHOP, KEY)) == (SHOP, KEY)


@pytest.mark.parametrize(
    "raw", [None, b"", b"/", b"1/2", b"\xff\xfe", payload(SHOP, KEY) + b"/3", str(SHOP).encode()]
)
def test_nonsense_is_refused(raw: bytes | None) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - a malformed id or text, whichever comes first
        parse(raw)


@pytest.mark.parametrize("name", KINDS)
async def test_a_wake_up_for_nothing_does_nothing(ctx: Context, name: str) -> None:
    """For a shop or a row that does not exist (any more), twice."""
    for _ in range(2):
        await KINDS[name].run(ctx, SHOP, KEY)


@pytest.mark.parametrize("name", KINDS)
async def test_every_kind_lists_what_is_due(ctx: Context, name: str) -> None:
    assert await KINDS[name].due(ctx, 10) == []


async def test_an_empty_database_drains_at_once(ctx: Context) -> None:
    assert await sweep.drain(ctx) == 0


async def test_one_bad_row_does_not_stop_the_others(ctx: Context) -> None:
    due = [(SHOP, UUID(int=number)) for number in range(6)]
    done: list[int] = []

    def work(key: UUID) -> None:
        due.remove((SHOP, key))
        if key.int == 1:
            raise RuntimeError("a poisoned row")
        if key.int == 2:
            raise Unavailable("the database is away")
        done.append(key.int)

    assert await sweep.sweep(ctx, {"poison": a_kind(due, work)}) == 6
    assert sorted(done) == [0, 3, 4, 5]


async def test_a_row_that_stays_due_is_named_and_not_worked_on_for_ever(ctx: Context) -> None:
    tries: list[UUID] = []
    stuck = a_kind([(SHOP, KEY)], tries.append)
    with pytest.raises(RuntimeError, match=f"stuck.*{KEY}"):
        await sweep.drain(ctx, {"stuck": stuck})
    assert len(tries) == sweep.STUCK_ROUNDS + 1


async def test_what_becomes_due_by_the_work_is_drained_too(ctx: Context) -> None:
    due = [(SHOP, UUID(int=0))]

    def work(key: UUID) -> None:
        due.clear()
        if key.int < 300:
            due.append((SHOP, UUID(int=key.int + 1)))

    assert await sweep.drain(ctx, {"chain": a_kind(due, work)}) == 301


async def test_a_sweep_that_has_to_stop_finishes_what_it_began_and_begins_nothing(
    ctx: Context,
) -> None:
    stop, begun, ended = asyncio.Event(), list[UUID](), list[UUID]()

    async def work(key: UUID) -> None:
        begun.append(key)
        if len(begun) == sweep.AT_ONCE:
            stop.set()
        await stop.wait()
        await asyncio.sleep(0)
        ended.append(key)

    kind = a_kind([(SHOP, UUID(int=number)) for number in range(20)], work)
    await sweep.sweep(ctx, {"first": kind, "second": kind}, stop)
    assert len(begun) == len(ended) == sweep.AT_ONCE


async def test_few_rows_are_worked_on_at_once(ctx: Context) -> None:
    due = [(SHOP, UUID(int=number)) for number in range(20)]
    now, most = 0, 0

    async def work(_key: UUID) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    await sweep.sweep(ctx, {"many": a_kind(due, work)})
    assert most == sweep.AT_ONCE
