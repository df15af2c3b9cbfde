"""What readers of several term values share."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

from returns_api.domain.policy.values import one_of

UNLIMITED: Final = "unlimited"

_E = TypeVar("_E", bound=StrEnum)


def one_member(kind: type[_E], raw: object, what: str) -> _E:
    """The member of ``kind`` that ``raw`` names. Raises ``BadValue``."""
    return kind(one_of(raw, tuple(member.value for member in kind), what))
