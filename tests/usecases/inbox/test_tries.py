"""The tries of an inbox message: applied once, fenced, counted out, dead in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from returns_api.db import connections
from returns_api.db import inbox as rows
from returns_api.domain.errors import Unavailable
from returns_api.usecases import inbox
from returns_api.usecases._reading import Fact, ReaderTaken, Unread
from returns_api.usecases.inbox import MAX_FAILURES, look_again_in, retry_in
from tests.support.context import Clock
from tests.support.intake import SOURCE, Intake
from tests.support.messages_in import ORDER, put, run


async def test_a_message_is_applied_marked_and_emptied_together(shop: Intake) -> None:
    row = await run(shop, await put(shop, "orders/create", ORDER))
    assert (row["state"], row["attempt"], row["due_at"], row["body"]) == ("processed", 1, None, b"")
    assert row["processed_at"] == shop.ctx.clock()
    assert len((await shop.state())["orders"]) == 1


async def test_a_topic_without_facts_is_ignored_and_kept(shop: Intake) -> None:
    row = await run(shop, await put(shop, "moons/rise", b'{"a": 1}'))
    assert (row["state"], row["body"], row["error"]) == ("ignored", b'{"a": 1}', None)


async def test_a_finished_message_is_never_run_again(shop: Intake) -> None:
    message = await put(shop, "orders/create", ORDER)
    await run(shop, message)
    row = await run(shop, message)
    assert row["attempt"] == 1


async def test_a_message_that_fails_is_tried_eight_times_and_then_dead(
    shop: Intake, clock: Clock
) -> None:
    message = await put(shop, "any", b"value", source="moody")
    for number in range(1, MAX_FAILURES):
        row = await run(shop, message)
        assert (row["state"], row["attempt"]) == ("received", number)
        assert row["due_at"] == clock() + retry_in(number)
        early = await run(shop, message)
        assert early["attempt"] == number
        clock.forward(seconds=retry_in(number).total_seconds())
    row = await run(shop, message)
    assert (row["state"], row["error"]) == ("dead", "$.total is not an amount")
    assert row["body"] == b"value"


async def test_a_bug_is_recorded_without_its_words(shop: Intake) -> None:
    row = await run(shop, await put(shop, "any", b"bug", source="moody"))
    assert (row["state"], row["error"]) == ("received", "RuntimeError")


async def test_a_message_that_kills_its_worker_is_counted_out_too(
    shop: Intake, clock: Clock
) -> None:
    message = await put(shop, "orders/create", ORDER)
    for _ in range(MAX_FAILURES):
        async with shop.ctx.database.transaction(shop.shop) as tx:
            claimed = await rows.claim(tx, message, clock(), clock() + shop.ctx.lease)
        assert claimed is not None
        clock.forward(seconds=shop.ctx.lease.total_seconds())
    row = await run(shop, message)
    assert row["state"] == "dead"
    assert "died" in row["error"]


async def test_what_killed_two_workers_is_tried_apart(shop: Intake, clock: Clock) -> None:
    """Whatever the process does: what it leaves undone is a failure that its caller writes down."""
    told: list[int] = []

    async def dies(_shop: UUID, _message: UUID, attempt: int) -> str:
        told.append(attempt)
        return "ended with 3"

    async def goes_on(shop_id: UUID, message_id: UUID, attempt: int) -> str:
        await inbox.go_on(shop.ctx, shop_id, message_id, attempt)
        return "ended with 0"

    async def is_taken(*_: object) -> str:
        raise Unavailable("waits for a process of its own")

    message = await put(shop, "orders/create", ORDER)
    for _ in range(inbox.DEATHS_MAX):
        async with shop.ctx.database.transaction(shop.shop) as tx:
            assert await rows.claim(tx, message, clock(), clock() + shop.ctx.lease)
        clock.forward(seconds=shop.ctx.lease.total_seconds())
    row = await run(replace(shop, ctx=replace(shop.ctx, apart=dies)), message)
    assert (told, row["deaths"]) == ([3], 2)
    assert (row["state"], row["error"]) == ("received", "the process that tried it ended with 3")
    assert row["due_at"] == clock() + retry_in(3)
    clock.now = row["due_at"]
    row = await run(replace(shop, ctx=replace(shop.ctx, apart=is_taken)), message)
    assert (row["attempt"], row["waits"], row["deaths"]) == (4, 1, 2)
    assert row["due_at"] == clock() + inbox.APART_AGAIN
    clock.now = row["due_at"]
    row = await run(replace(shop, ctx=replace(shop.ctx, apart=goes_on)), message)
    assert (row["state"], row["error"]) == ("processed", None)
    assert len((await shop.state())["orders"]) == 1


async def test_an_installed_adapter_s_messages_are_read_elsewhere(
    shop: Intake, clock: Clock
) -> None:
    """No message fails for having waited for its reader; what failed there failed like here."""
    told: list[Exception | None] = [ReaderTaken(), Unread("its reader ended with 3"), None]

    async def read(topic: str, body: bytes) -> Sequence[Fact]:
        failure = told.pop(0)
        if failure is not None:
            raise failure
        return shop.ctx.shops["shopify"].parse(topic, body)

    elsewhere = replace(shop, ctx=replace(shop.ctx, readers={("shop", "moody"): read}))
    message = await put(shop, "orders/create", ORDER, source="moody")
    row = await run(elsewhere, message)
    assert (row["attempt"], row["waits"], row["error"]) == (1, 1, "waits for its reader")
    assert row["due_at"] == clock() + inbox.READER_AGAIN
    clock.now = row["due_at"]
    row = await run(elsewhere, message)
    assert (row["attempt"], row["waits"], row["error"]) == (2, 1, "its reader ended with 3")
    assert row["due_at"] == clock() + retry_in(1)
    clock.now = row["due_at"]
    assert (await run(elsewhere, message))["state"] == "processed"
    await run(elsewhere, await put(shop, "orders/create", ORDER))
    assert not told  # one of a built-in adapter was read here


async def test_a_reader_that_exits_is_a_failure_like_any_other(shop: Intake) -> None:
    row = await run(shop, await put(shop, "any", b"exit", source="moody"))
    assert (row["state"], row["error"]) == ("received", "SystemExit")


async def test_a_leased_message_is_left_alone_until_the_lease_ends(
    shop: Intake, clock: Clock
) -> None:
    message = await put(shop, "orders/create", ORDER)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        await rows.claim(tx, message, clock(), clock() + shop.ctx.lease)
    assert (await run(shop, message))["attempt"] == 1
    assert message not in [m for _, m in await inbox.due_inbox(shop.ctx, 1000)]
    clock.forward(seconds=shop.ctx.lease.total_seconds())
    assert (shop.shop, message) in await inbox.due_inbox(shop.ctx, 1000)
    row = await run(shop, message)
    assert (row["state"], row["waits"], row["deaths"]) == ("received", 1, 1)
    assert row["due_at"] == clock() + inbox.spread(message, shop.ctx.lease)
    assert row["due_at"] < clock() + shop.ctx.lease / 4
    clock.now = row["due_at"]
    assert (await run(shop, message))["state"] == "processed"


async def test_a_worker_that_wakes_up_late_changes_nothing(shop: Intake, clock: Clock) -> None:
    message = await put(shop, "orders/create", ORDER)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        zombie = await rows.claim(tx, message, clock(), clock() + shop.ctx.lease)
        connection = await connections.find(tx, SOURCE)
    assert zombie is not None
    clock.forward(seconds=shop.ctx.lease.total_seconds())
    clock.now = (await run(shop, message))["due_at"]
    await run(shop, message)
    held = inbox._Held(zombie, connection)
    with pytest.raises(inbox._Lost):
        await inbox._process(shop.ctx, shop.shop, held)
    (row,) = await shop.rows("SELECT attempt, state FROM inbox WHERE id = $1", message)
    assert (row["attempt"], row["state"]) == (3, "processed")


async def test_many_workers_at_once_apply_a_message_once(shop: Intake) -> None:
    message = await put(shop, "orders/create", ORDER)
    await asyncio.gather(*(run(shop, message) for _ in range(10)))
    (row,) = await shop.rows("SELECT attempt, state FROM inbox WHERE id = $1", message)
    assert (row["attempt"], row["state"]) == (1, "processed")
    assert len(await shop.rows("SELECT 1 FROM events WHERE type = 'order.received'")) == 1


def test_waits_grow_and_have_an_end() -> None:
    assert [retry_in(n).total_seconds() for n in range(1, 9)] == [
        10,
        30,
        90,
        270,
        810,
        2430,
        7290,
        10800,
    ]
    assert sum((retry_in(n) for n in range(1, MAX_FAILURES)), timedelta()) < timedelta(hours=4)
    assert [look_again_in(n).total_seconds() for n in (0, 1, 9, 10, 500)] == [
        5,
        10,
        2560,
        3600,
        3600,
    ]
