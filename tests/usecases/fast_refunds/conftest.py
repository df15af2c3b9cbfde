"""A shop that lets money go out early."""

from __future__ import annotations

import pytest

from tests.support.early_money import FAST, with_policy


@pytest.fixture
def story_policy(request: pytest.FixtureRequest) -> str:
    """A shop that lets money go out early; a parameter gives other terms."""
    return with_policy(getattr(request, "param", FAST))
