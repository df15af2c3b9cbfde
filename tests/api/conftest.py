"""The app and two shops in it; the second one is there to see nothing of the first."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from tests.support.api import Tenant, a_tenant, an_app
from tests.support.context import Clock
from tests.support.living import server, world
from tests.support.receiver import Receiver, receiving

__all__ = ["app", "clock", "server", "stranger", "tenant", "world"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def app(app_database_url: str, clock: Clock) -> AsyncIterator[FastAPI]:
    async with an_app(app_database_url, clock) as running:
        yield running


@pytest.fixture
async def tenant(app: FastAPI) -> AsyncIterator[Tenant]:
    async with a_tenant(app) as made:
        yield made


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[Tenant]:
    async with a_tenant(app, "Another Shop") as made:
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running
