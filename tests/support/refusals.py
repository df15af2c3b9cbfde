"""What a refusal lists in its context, for tests to look into.

The context of an error is open by design (``domain/errors.py``): whoever reads it says what is
expected there.
"""

from __future__ import annotations

from typing import Any, TypeVar

import pytest

from returns_api.domain.errors import ReturnsError

E = TypeVar("E", bound=ReturnsError)


def listed(refused: pytest.ExceptionInfo[E], name: str) -> list[Any]:
    """A member of the refusal's context that has to be a list."""
    found = refused.value.context[name]
    assert isinstance(found, list), f"{name} is {found!r}"
    return found
