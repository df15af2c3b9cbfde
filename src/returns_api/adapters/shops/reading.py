"""Reading the JSON of a shop platform: every failure names the place, no number becomes a float.

Owns the strict decoding of a webhook's body and typed access to its members. Refuses to own any
platform's names and any meaning. Values never stand in an error: they may be personal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn

from returns_api.domain.errors import Invalid
from returns_api.domain.money import exponent, to_minor_rounded

MAX_TEXT: Final = 500
"""Longer texts (titles, names) are cut: they are shown, never compared."""
MAX_ITEMS: Final = 5_000
MAX_COUNT: Final = 1_000_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2199

# PostgreSQL cannot store NUL, and UTF-8 has no form for lone surrogates.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_OFFSET: Final = re.compile(r"(Z|[+-][0-9]{2}:?[0-9]{2})\Z")
_DIGITS: Final = re.compile(r"[0-9]{1,20}")
_GLOBAL_ID: Final = re.compile(r"gid://[A-Za-z]+/[A-Za-z]+/([0-9]{1,20})(?:\?.*)?", re.DOTALL)


class Unreadable(ValueError):
    """A body that is not what its topic promises; the text starts with the JSON path."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value somewhere in a body. Missing members read as null, as platforms mix the two."""

    value: object
    path: str = "$"

    def __getitem__(self, name: str) -> Node:
        """A member of an object; null has no members, anything else is refused."""
        if self.value is None:
            return Node(None, f"{self.path}.{name}")
        if not isinstance(self.value, dict):
            self.refuse("is not an object")
        return Node(self.value.get(name), f"{self.path}.{name}")

    def __iter__(self) -> Iterator[Node]:
        """The items of a list; null is an empty one."""
        items = [] if self.value is None else self.value
        if not isinstance(items, list) or len(items) > MAX_ITEMS:
            self.refuse(f"is not a list of at most {MAX_ITEMS}")
        return (Node(item, f"{self.path}[{index}]") for index, item in enumerate(items))

    def __bool__(self) -> bool:
        """Whether there is anything: null, "" and empty lists and objects are nothing."""
        return self.value not in (None, "", [], {})

    def refuse(self, why: str) -> NoReturn:
        raise Unreadable(f"{self.path} {why}")

    def text(self) -> str | None:
        """A text that can be stored, cut to ``MAX_TEXT``; None when null or blank."""
        if self.value is None:
            return None
        if not isinstance(self.value, str):
            self.refuse("is not a text")
        return _UNSTORABLE.sub("\ufffd", self.value[:MAX_TEXT]).strip() or None

    def flag(self) -> bool:
        """A boolean; null is False."""
        if self.value is not None and not isinstance(self.value, bool):
            self.refuse("is not true or false")
        return self.value is True

    def count(self) -> int:
        """A whole number from 0 to ``MAX_COUNT``; null is 0."""
        found = 0 if self.value is None else self.value
        if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= MAX_COUNT:
            self.refuse(f"is not a whole number from 0 to {MAX_COUNT}")
        return found

    def time(self) -> datetime:
        """A time with an offset, as aware UTC."""
        found = self.optional_time()
        return self.refuse("is missing") if found is None else found

    def optional_time(self) -> datetime | None:
        if self.value is None:
            return None
        try:
            found = datetime.fromisoformat(str(self.value))
            if found.tzinfo is not None and _FIRST_YEAR <= found.year <= _LAST_YEAR:
                return found.astimezone(UTC)
        except ValueError:
            pass
        why = f"is not a time with an offset between {_FIRST_YEAR} and {_LAST_YEAR}"
        return self.refuse(why)

    def gmt(self) -> datetime | None:
        """A time that says by its name that it is GMT and may leave the offset out; None when null
        or empty."""
        text = self.text()
        if text is None:
            return None
        return Node(text if _OFFSET.search(text) else f"{text}+00:00", self.path).time()

    def identifier(self) -> str:
        """An id as decimal text, exact whatever its size, from a number, a text or a global id."""
        found = self.optional_identifier()
        return self.refuse("is missing") if found is None else found

    def optional_identifier(self) -> str | None:
        if self.value is None:
            return None
        plain = isinstance(self.value, int | str) and not isinstance(self.value, bool)
        text = str(self.value) if plain else ""
        if _DIGITS.fullmatch(text):
            return text
        match = _GLOBAL_ID.fullmatch(text)
        return match[1] if match else self.refuse("is not an id")

    def currency(self) -> str:
        """An ISO 4217 code that money can be held in."""
        code = self.value if isinstance(self.value, str) else ""
        try:
            exponent(code)
        except Invalid as error:
            raise Unreadable(f"{self.path} is not a currency") from error
        return code

    def amount(self, currency: str) -> int:
        """A decimal number, as text or as number, in minor units; digits below are rounded."""
        plain = isinstance(self.value, int | str) and not isinstance(self.value, bool)
        try:
            return to_minor_rounded(str(self.value) if plain else "", currency).minor
        except Invalid as error:
            raise Unreadable(f"{self.path} is not an amount") from error


def read_body(body: bytes) -> Node:
    """The body as a tree in which fractions are still text.

    Raises ``Unreadable`` for anything but one UTF-8 JSON object without repeated names, NaN or
    nesting beyond what Python reads.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_float=str,
            parse_constant=_refuse_constant,
            object_pairs_hook=_members,
        )
    except RecursionError as error:
        raise Unreadable("$ is nested too deep") from error
    except Unreadable:
        raise
    except ValueError as error:
        raise Unreadable("$ is not UTF-8 JSON") from error
    if not isinstance(value, dict):
        raise Unreadable("$ is not an object")
    return Node(value)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unreadable("$ has an object that repeats a name")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise Unreadable("$ has a number that is not finite")
