"""A shop whose adapters have moods, and its clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from returns_api.usecases.context import Context
from tests.support.context import Clock, a_context
from tests.support.intake import Intake, an_intake
from tests.support.messages_in import Moody


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(app_database_url: str, clock: Clock) -> AsyncIterator[Context]:
    async with a_context(app_database_url, clock) as context:
        yield replace(context, shops={**context.shops, "moody": Moody()})


@pytest.fixture
async def shop(ctx: Context) -> Intake:
    made = await an_intake(ctx)
    await made.connect("moody", "shop", "moody")
    return made
