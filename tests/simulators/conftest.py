"""Simulators of their own for each test, since these tests kill them, and a client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from returns_api.adapters.http import HttpClient
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.recorder import Recorder


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    with Bank(tmp_path) as running:
        yield running


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[Carrier]:
    with Carrier(tmp_path) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(deadline_seconds=10.0)
    yield client
    await client.aclose()


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with Recorder() as server:
        yield server
