"""A shop that also replaces, and one order of two shirts and a coat."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.desk import a_desk
from tests.support.exchanging import COAT, SHIRT, Case
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods


@pytest.fixture
def story_policy() -> str:
    """Faulty goods can be replaced, too."""
    return POLICY.replace(
        "resolutions: {refund: 2 years}", "resolutions: {refund: 2 years, replacement: 2 years}"
    )


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    order = await story.order(goods("shirt", SHIRT, 2), goods("coat", COAT), paid=[30_00, 100_00])
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        yield Case(story, order, desk)
