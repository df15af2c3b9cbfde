"""A context, an app and two shops; the second one is there to see nothing of the first."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from returns_api.usecases.context import Context
from tests.support.api import Tenant, a_tenant, an_app
from tests.support.context import Clock, a_context


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(app_database_url: str, clock: Clock) -> AsyncIterator[Context]:
    async with a_context(app_database_url, clock) as context:
        yield context


@pytest.fixture
def app(ctx: Context) -> FastAPI:
    return an_app(ctx)


@pytest.fixture
async def tenant(ctx: Context, app: FastAPI) -> AsyncIterator[Tenant]:
    async with a_tenant(ctx, app) as made:
        yield made


@pytest.fixture
async def stranger(ctx: Context, app: FastAPI) -> AsyncIterator[Tenant]:
    async with a_tenant(ctx, app, "Another Shop") as made:
        yield made
