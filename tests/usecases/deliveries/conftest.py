"""A shop with a receiver for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.context import Clock, a_context
from tests.support.listening import Shop, a_shop


@pytest.fixture
async def shop(app_database_url: str) -> AsyncIterator[Shop]:
    clock = Clock()
    async with a_context(app_database_url, clock) as ctx, a_shop(ctx, clock) as made:
        yield made
