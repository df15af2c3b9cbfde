"""Every story, by family."""

from __future__ import annotations

from typing import Final

from returns_api.demo.stories import (
    cancelling,
    exchanges,
    law,
    money,
    repairs,
    silence,
    talks,
    transport,
    trust,
    warehouse,
)
from returns_api.demo.stories.telling import Story

STORIES: Final[tuple[Story, ...]] = (
    *money.STORIES,
    *trust.STORIES,
    *silence.STORIES,
    *warehouse.STORIES,
    *transport.STORIES,
    *exchanges.STORIES,
    *repairs.STORIES,
    *cancelling.STORIES,
    *talks.STORIES,
    *law.STORIES,
)
