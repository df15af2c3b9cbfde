"""A shop that refunds the shipping, too, and one order of a shirt and a coat."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from returns_api.usecases.audits import audit_shop
from tests.support.desk import a_desk
from tests.support.exchanging import COAT, SHIRT
from tests.support.exchanging_lines import LATE, SHIPPING, Case
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story
from tests.support.story_orders import freight, goods


@pytest.fixture
def story_policy() -> str:
    """Money of a refund comes with the outbound shipping; goods with the tag `late` cannot be
    refunded any more, only exchanged."""
    return (
        POLICY.replace("original_shipping: keep", "original_shipping: refund")
        .replace("  light: {tags: [light]}\n", "  light: {tags: [light]}\n  late: {tags: [late]}\n")
        .replace(
            "resolutions: {refund: 2 years}", "resolutions: {refund: 2 years, replacement: 2 years}"
        )
        .replace("  - id: house\n", LATE)
    )


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    lines = (goods("shirt", SHIRT), goods("coat", COAT), freight(SHIPPING))
    order = await story.order(*lines, paid=[30_00, 83_90])
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        yield Case(story, order, desk)
    audited = await audit_shop(story.ctx, story.shop)
    assert not audited.tally.counts
