"""The live server and its two shops, for tests that need a row in every table; and stories."""

from tests.support.living import server, world
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
    "server",
    "story",
    "story_clock",
    "story_ctx",
    "story_database",
    "story_policy",
    "story_shop",
    "world",
]
