"""The reader of an installed adapter: whatever ends its process, the next message is read."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
from collections.abc import Callable
from datetime import datetime
from multiprocessing.process import BaseProcess
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.config import Settings
from returns_api.domain import allocation
from returns_api.domain.orders import Observation
from returns_api.ports.carriers import TrackingScan, TrackingStatus
from returns_api.usecases._reading import Fact, ReaderTaken, Unread
from returns_api.worker import reader
from returns_api.worker.reader import ReaderProcess
from tests.support import shopify
from tests.support.patience import PATIENCE
from tests.support.reading import read_in_a_mood

TOPIC, ORDER = "orders/create", shopify.fixture("order_card")
FACTS: tuple[Observation, ...] = ShopifyShop().parse(TOPIC, ORDER)
HOW = {
    "bug": "KeyError",
    "exit": "SystemExit",
    "take": "MemoryError",
    "nonsense": "its reader gave what is no fact",
    "end": "its reader ended with 3",
    "crash": "its reader was ended by SIGSEGV",
    "loop": "its reader (used up its processor time|took longer than 10 s)",
}
"""The last one's second answer is of a machine that is busy with others."""


async def only(before: set[BaseProcess]) -> None:
    async with asyncio.timeout(PATIENCE):
        while set(multiprocessing.active_children()) - before:  # noqa: ASYNC110 - the system ends it
            await asyncio.sleep(0.02)


async def test_the_next_message_is_read_however_the_one_before_ended() -> None:
    before = set(multiprocessing.active_children())
    read = ReaderProcess(read_in_a_mood, busy_seconds=0.4)
    assert await read(TOPIC, ORDER) == FACTS
    with pytest.raises(ValueError, match=r"^\$\.total is not an amount$"):
        await read("value", b"")
    for topic, told in HOW.items():
        with pytest.raises(Unread, match=f"^{told}$"):
            await read(topic, b"anna@example.com")
        assert await read(TOPIC, ORDER) == FACTS
    read.close()  # ended by somebody, while it had nothing in hand
    await only(before)
    assert await read(TOPIC, ORDER) == FACTS
    read.close()


async def test_messages_are_read_in_turn_and_a_worker_that_stops_waits_for_none() -> None:
    before = set(multiprocessing.active_children())
    read = ReaderProcess(read_in_a_mood, wait_seconds=0.2)
    first, second = [asyncio.create_task(read(topic, ORDER)) for topic in ("wait", TOPIC)]
    with pytest.raises(ReaderTaken):
        await second
    while not set(multiprocessing.active_children()) - before:  # noqa: ASYNC110 - a thread begins it
        await asyncio.sleep(0.02)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await only(before)


@pytest.mark.parametrize("kind", get_args(Fact))
@given(data=st.data())
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_kind_of_fact_comes_through(kind: type[Fact], data: st.DataObject) -> None:
    fact = data.draw(st.from_type(kind))
    assert [fact] == reader._understood(reader._answer(lambda *_: [fact], TOPIC, b""))


def test_times_of_a_zone_come_through() -> None:
    at = datetime(2026, 3, 29, 3, tzinfo=ZoneInfo("Europe/Berlin"))
    zoned = [TrackingScan("EZ1", None, TrackingStatus.DELIVERED, at)]
    assert zoned == reader._understood(reader._answer(lambda *_: zoned, TOPIC, b""))


class Making:
    """What a pickle that a stranger wrote would have its reader call."""

    def __init__(self, called: Callable[..., object], *given: object) -> None:
        self._made = called, given

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._made


@pytest.mark.parametrize(
    "making",
    [
        Making(os.getpid),
        Making(getattr, ZoneInfo, "clear_cache"),
        Making(getattr, TrackingScan, "__init__"),
        Making(allocation.certify, None),
    ],
)
def test_an_answer_makes_nothing_but_facts(making: Making) -> None:
    with pytest.raises(Unread, match=r"^its reader gave what is no fact$"):
        reader._understood(pickle.dumps(("facts", [making])))


@pytest.mark.parametrize("name", [b"os.system", b"certify"])
def test_a_name_that_a_module_of_ours_only_uses_is_not_ours(name: bytes) -> None:
    written = b"creturns_api.domain.allocation.certify\n" + name + b"\n."
    with pytest.raises(Unread, match=r"^its reader gave what is no fact$"):
        reader._understood(written)


def test_it_is_given_up_before_another_takes_over() -> None:
    lease = Settings.model_fields["lease_seconds"].default
    assert lease > reader.WAIT_SECONDS + reader.SECONDS + reader.MARGIN_SECONDS
