"""The simulators, one process each per test process, and clients with short deadlines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from returns_api.adapters.http import HttpClient
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.recorder import Recorder

DEADLINE = 1.0


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
    """A client that gives up after ``DEADLINE`` seconds: many tests here let it come to that."""
    client = HttpClient(deadline_seconds=DEADLINE)
    yield client
    await client.aclose()


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with Recorder() as server:
        yield server
