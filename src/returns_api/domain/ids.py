"""Public identifiers: a short prefix and the UUIDv7 in 26 characters of Crockford's base 32.

``ret_01k9…`` reads as what it is, sorts by time and cannot be confused with another noun's id. The
form is that of the TypeID specification (https://github.com/jetify-com/typeid). A text that is not
exactly one valid id is *no such thing*, never a server error.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_LENGTH: Final = 26
_PAIRS: Final = tuple(high + low for high in ALPHABET for low in ALPHABET)
"""Ten bits at a time: half the divisions, and ids are written on every answer."""


def encode(prefix: str, value: UUID) -> str:
    """The public form of ``value``."""
    number = value.int
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(pairs)}"


def decode(prefix: str, text: str) -> UUID | None:
    """The UUID behind ``text``, or None when it is not an id with this prefix."""
    head, separator, body = text.partition("_")
    if head != prefix or not separator or len(body) != _LENGTH or body[0] > "7":
        return None
    number = 0
    for letter in body:
        digit = _VALUES.get(letter)
        if digit is None:
            return None
        number = number * 32 + digit
    return UUID(int=number)
