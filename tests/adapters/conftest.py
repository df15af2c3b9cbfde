"""The simulators, one process each per test process, and clients that wait for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from returns_api.adapters.http import HttpClient
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.patience import PATIENCE
from tests.support.recorder import Recorder
from tests.support.simulator import until_one_hangs


@pytest.fixture(scope="session")
def bank_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with Bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture
async def bank(bank_process: Bank) -> Bank:
    """An empty bank without faults."""
    await bank_process.reset()
    return bank_process


@pytest.fixture(scope="session")
def carrier_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    with Carrier(tmp_path_factory.mktemp("carrier")) as carrier:
        yield carrier


@pytest.fixture
async def carrier(carrier_process: Carrier) -> Carrier:
    """An empty carrier without faults."""
    await carrier_process.reset()
    return carrier_process


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    """A client that gives up nothing but what a simulator lets hang."""
    client = HttpClient(deadline_seconds=PATIENCE, timeout=until_one_hangs)
    yield client
    await client.aclose()


@pytest.fixture
async def hasty() -> AsyncIterator[HttpClient]:
    """A client that gives up soon, for whom nobody answers."""
    client = HttpClient(deadline_seconds=1.0)
    yield client
    await client.aclose()


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with Recorder() as server:
        yield server
