"""A story for each test, see ``tests.support.stories``."""

from tests.support.stories import (
    bank,
    bank_process,
    carrier,
    carrier_process,
    story,
    story_clock,
    story_ctx,
    story_database,
    story_policy,
)

__all__ = [
    "bank",
    "bank_process",
    "carrier",
    "carrier_process",
    "story",
    "story_clock",
    "story_ctx",
    "story_database",
    "story_policy",
]
