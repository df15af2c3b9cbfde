"""Owns reading single members out of JSON that a stranger wrote. Knows no vendor.

Every reader raises ``ValueError`` naming the member, never its value: values may be personal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

MAX_TEXT = 500
MAX_ITEMS = 1_000


def text(source: Mapping[str, object], name: str, *, longest: int = MAX_TEXT) -> str:
    """A non-empty string of at most ``longest`` characters, without NUL or lone surrogates."""
    value = source.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\0" in value:
        raise ValueError(f"{name} is not a usable text")
    return value


def optional_text(
    source: Mapping[str, object], name: str, *, longest: int = MAX_TEXT
) -> str | None:
    """Like ``text``; None when the member is missing, null or empty."""
    return None if source.get(name) in (None, "") else text(source, name, longest=longest)


def integer(source: Mapping[str, object], name: str, *, least: int, most: int) -> int:
    """A JSON integer within bounds; ``true`` and ``1.0`` are not integers."""
    value = source.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is not an integer between {least} and {most}")
    return value


def mapping(source: Mapping[str, object], name: str) -> Mapping[str, object]:
    """A JSON object."""
    value = source.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def objects(source: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    """A JSON array of objects, at most ``MAX_ITEMS`` long."""
    value = source.get(name)
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise ValueError(f"{name} is not a list of at most {MAX_ITEMS}")
    if not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{name} holds something that is not an object")
    return value


def epoch(source: Mapping[str, object], name: str) -> datetime:
    """Seconds since 1970, between 2000 and 2200, as an aware UTC time."""
    return datetime.fromtimestamp(
        integer(source, name, least=946_684_800, most=7_258_118_400), tz=UTC
    )


def timestamp(source: Mapping[str, object], name: str) -> datetime:
    """An ISO 8601 time with an offset, as an aware UTC time."""
    raw = text(source, name, longest=40)
    value = datetime.fromisoformat(raw)
    if value.tzinfo is None or not 2000 <= value.year < 2200:
        raise ValueError(f"{name} is not a time with an offset between 2000 and 2200")
    return value.astimezone(UTC)
