"""A JSON reader that reports the position of every value and every duplicate key.

Owns RFC 8259 syntax with limits. Refuses to own numbers: their text goes to the caller, so that no
float ever exists. Used by ``tree`` because the standard reader knows no positions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from returns_api.domain.policy.findings import Path

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"', re.DOTALL)
_BARE: Final = re.compile(r"[-+0-9.A-Za-z_]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}


class JsonFault(Exception):
    """What is wrong at character ``at``."""

    def __init__(
        self, code: str, message: str, at: int, path: Path, suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.at = code, message, at
        self.path, self.suggestion = path, suggestion


@dataclass(slots=True)
class _Reader:
    text: str
    note: Callable[[Path, int], None]
    number: Callable[[str], Any]
    max_depth: int
    max_values: int
    max_scalar: int
    at: int = 0
    values: int = 0

    def skip(self) -> str:
        """Skip blanks; the next character, or nothing at the end."""
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
        return self.text[self.at : self.at + 1]

    def fault(self, code: str, message: str, path: Path, hint: str | None = None) -> JsonFault:
        return JsonFault(code, message, self.at, path, hint)

    def value(self, path: Path) -> Any:
        next_char = self.skip()
        self.note(path, self.at)
        self.values += 1
        if len(path) > self.max_depth:
            raise self.fault("too_deep", f"Values are nested deeper than {self.max_depth}.", path)
        if self.values > self.max_values:
            raise self.fault("too_large", f"More than {self.max_values} values.", path)
        if next_char == "{":
            return self.mapping(path)
        if next_char == "[":
            return self.items(path)
        return self.string(path) if next_char == '"' else self.bare(path)

    def string(self, path: Path) -> str:
        match = _STRING.match(self.text, self.at)
        if match is None:
            raise self.fault("syntax", "This is not JSON: a text in double quotes is due.", path)
        if len(match[0]) > self.max_scalar:
            raise self.fault("too_long", f"Longer than {self.max_scalar} characters.", path)
        try:
            found: str = json.loads(match[0])
        except ValueError:
            raise self.fault("syntax", "This is not JSON: a bad escape.", path) from None
        if _SURROGATE.search(found):
            raise self.fault("encoding", "Half a character (a lone surrogate).", path)
        self.at = match.end()
        return found

    def bare(self, path: Path) -> Any:
        match = _BARE.match(self.text, self.at)
        if match is None:
            raise self.fault("syntax", "This is not JSON: a value is due.", path)
        if match[0] in _WORDS:
            found: Any = _WORDS[match[0]]
        else:
            found = self.number(match[0])
            if found is None:
                hint = "Write digits and a point: 4.90."
                raise self.fault("number", f"“{match[0][:60]}” is not a plain number.", path, hint)
        self.at = match.end()
        return found

    def items(self, path: Path) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        if self.skip() == "]":
            self.at += 1
            return found
        while True:
            found.append(self.value((*path, len(found))))
            if self.separator("]", path):
                return found

    def mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        if self.skip() == "}":
            self.at += 1
            return found
        while True:
            self.skip()
            at_key = self.at
            key = self.string(path)
            here = (*path, key)
            if key in found:
                self.at = at_key
                raise self.fault("duplicate_key", f"“{key[:60]}” stands here a second time.", here,
                                 "Keep one.")  # fmt: skip
            if self.skip() != ":":
                raise self.fault("syntax", "This is not JSON: a colon is due.", here)
            self.at += 1
            found[key] = self.value(here)
            self.note(here, at_key)
            if self.separator("}", path):
                return found

    def separator(self, closing: str, path: Path) -> bool:
        """Take a comma or ``closing``; whether it was ``closing``."""
        next_char = self.skip()
        if next_char not in {",", closing} or not next_char:
            raise self.fault("syntax", f"This is not JSON: a comma or {closing} is due.", path)
        self.at += 1
        return next_char == closing


def read_json(
    text: str,
    note: Callable[[Path, int], None],
    *,
    number: Callable[[str], Any],
    max_depth: int,
    max_values: int,
    max_scalar: int,
) -> Any:
    """Read one JSON text; ``note(path, position)`` is called for every value.

    ``number`` turns the text of a number into a value, or None to refuse it. Raises ``JsonFault``.
    """
    reader = _Reader(text, note, number, max_depth, max_values, max_scalar)
    found = reader.value(())
    if reader.skip():
        raise reader.fault("syntax", "This is not JSON: something follows the document.", ())
    return found
