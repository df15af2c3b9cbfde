"""Simulators of their own for each test, since these tests kill them, and a client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from returns_api.adapters.http import HttpClient
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.recorder import Recorder


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    running = Bank(tmp_path).start(free_port())  # where it is after it was killed, too
    yield running
    running.stop()


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[Carrier]:
    running = Carrier(tmp_path).start(free_port())
    yield running
    running.stop()


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(deadline_seconds=PATIENCE)
    yield client
    await client.aclose()


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with Recorder() as server:
        yield server
