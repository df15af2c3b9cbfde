"""A story for each test, see ``tests.support.stories``; or a shop that only hears its platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from returns_api.usecases.context import Context
from tests.support.context import Clock, a_context
from tests.support.intake import Intake, an_intake
from tests.support.postgres import PostgresForTests
from tests.support.stories import (
    bank,
    bank_process,
    begun_shops,
    carrier,
    carrier_process,
    story,
    story_clock,
    story_ctx,
    story_database,
    story_policy,
    story_shop,
)

__all__ = [
    "bank",
    "bank_process",
    "begun_shops",
    "carrier",
    "carrier_process",
    "story",
    "story_clock",
    "story_ctx",
    "story_database",
    "story_policy",
    "story_shop",
]


@pytest.fixture
async def ctx(app_database_url: str) -> AsyncIterator[Context]:
    async with a_context(app_database_url, Clock()) as context:
        yield context


@pytest.fixture
async def intake(ctx: Context) -> Intake:
    return await an_intake(ctx)


@pytest.fixture
async def owner(postgres: PostgresForTests, story_database: str) -> AsyncIterator[Any]:
    """Past what guards the tables."""
    made = await asyncpg.connect(postgres.url(story_database))
    await made.execute("SET session_replication_role = replica")
    yield made
    await made.close()
