"""Amounts as vendors print them: minor units of ISO 4217 as decimal text and back. Pure."""

from __future__ import annotations

import re

_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3}
_DECIMAL = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?")


def to_text(minor: int, currency: str) -> str:
    """``1299`` EUR is ``12.99``, ``512`` JPY is ``512``."""
    digits = _DIGITS.get(currency.upper(), 2)
    text = str(minor).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


def to_minor(text: object, currency: str) -> int | None:
    """The inverse; None for what is no positive amount of that currency."""
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    digits = _DIGITS.get(currency.upper(), 2)
    if match is None or len((match[2] or "").rstrip("0")) > digits:
        return None
    return int(match[1] + (match[2] or "")[:digits].ljust(digits, "0")) or None
