"""Scalar values of the policy language: durations, amounts, percentages, and how they are written.

Owns the one way each value is read from a document and printed back; what is printed is read as the
same value again, so that the canonical form of a document is itself a document. Refuses to own
YAML, positions and sentences. Amounts stay exact decimal text until a currency is known; nothing
here is ever a float.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from returns_api.domain.calendars import MAX_BUSINESS_DAYS, Unit
from returns_api.domain.errors import Invalid
from returns_api.domain.money import exponent, to_minor
from returns_api.domain.policy.vocabulary import PPM

MAX_COUNT: Final = 10_000
"""Most units a duration may have; ten thousand days are 27 years."""

MAX_AMOUNT: Final = Decimal(10) ** 9
"""Largest amount in major units that a policy may name."""

_SECONDS: Final = {Unit.HOURS: 3_600, Unit.DAYS: 86_400, Unit.WEEKS: 604_800}
_DURATION: Final = re.compile(
    r"([0-9]{1,6}) ?(hour|day|business day|working day|week|month|year)s?"
)
_UNITS: Final = {
    "hour": Unit.HOURS,
    "day": Unit.DAYS,
    "business day": Unit.BUSINESS_DAYS,
    "working day": Unit.BUSINESS_DAYS,
    "week": Unit.WEEKS,
    "month": Unit.MONTHS,
    "year": Unit.YEARS,
}
_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))? ?%")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadValue(ValueError):
    """A value that cannot be read; ``suggestion`` is what the author probably meant."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


def closest(word: str, known: list[str] | tuple[str, ...]) -> str | None:
    """The known word that ``word`` probably was meant to be."""
    found = get_close_matches(word[:80], known, n=1, cutoff=0.6)
    return found[0] if found else None


def one_of(word: object, known: list[str] | tuple[str, ...], what: str) -> str:
    """``word`` when it is one of ``known``; raises ``BadValue`` with the closest word otherwise."""
    if isinstance(word, str) and word in known:
        return word
    guess = closest(str(word).lower(), known)
    suggestion = f"Write {guess}." if guess else f"Write one of: {', '.join(known)}."
    raise BadValue(f"{_show(word)} is not {what}.", suggestion)


def _show(raw: object) -> str:
    """A raw value in a message: short, and never a wall of text."""
    text = str(raw)
    return f"“{text[:60]}…”" if len(text) > 60 else f"“{text}”"


@dataclass(frozen=True, slots=True)
class Duration:
    """A period such as ``30 days``, ``10 business days`` or ``48 hours``."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.amount} {self.unit if self.amount != 1 else self.unit.value[:-1]}"

    @property
    def seconds(self) -> int:
        """Elapsed seconds. Raises ``ValueError`` for units that have no fixed length."""
        if self.unit not in _SECONDS:
            raise ValueError(f"{self.unit} have no fixed length")
        return self.amount * _SECONDS[self.unit]


def read_duration(raw: object) -> Duration:
    """Read ``30 days``. Raises ``BadValue``."""
    if isinstance(raw, Duration):
        return raw
    if isinstance(raw, int) and not isinstance(raw, bool):
        raise BadValue(f"{raw} has no unit.", f'Write "{raw} days".')
    match = _DURATION.fullmatch(raw.strip().lower()) if isinstance(raw, str) else None
    if match is None:
        units = "hours, days, business days, weeks, months or years"
        raise BadValue(f"{_show(raw)} is not a period.", f'Write a number and {units}: "30 days".')
    amount, unit = int(match[1]), _UNITS[match[2]]
    most = MAX_BUSINESS_DAYS if unit is Unit.BUSINESS_DAYS else MAX_COUNT
    if amount > most:
        raise BadValue(f"{_show(raw)} is too long.", f"At most {most} {unit}.")
    return Duration(amount, unit)


def read_elapsed(raw: object) -> Duration:
    """Read a period of fixed length: hours, days or weeks. Raises ``BadValue``."""
    duration = read_duration(raw)
    if duration.unit not in _SECONDS:
        raise BadValue(
            f"{_show(raw)} has no fixed length.", "Write it in hours, days or weeks here."
        )
    return duration


def read_ppm(raw: object) -> int:
    """Read ``12.5%`` as parts per million, 0 to 100 %. Raises ``BadValue``."""
    match = _PERCENT.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None:
        number = str(raw) if isinstance(raw, int | Decimal) and not isinstance(raw, bool) else "30"
        hint = f'Write "{number}%"; a percentage is 0% to 100%.'
        raise BadValue(f"{_show(raw)} is not a percentage.", hint)
    ppm = int(match[1]) * 10_000 + int((match[2] or "").ljust(4, "0"))
    if ppm > PPM:
        raise BadValue(f"{_show(raw)} is more than everything.", "A percentage is 0% to 100%.")
    return ppm


def write_ppm(ppm: int) -> str:
    """``125000`` as ``12.5%``; inverse of ``read_ppm``."""
    whole, rest = divmod(ppm, 10_000)
    fraction = f"{rest:04d}".rstrip("0")
    return f"{whole}.{fraction}%" if fraction else f"{whole}%"


def read_date(raw: object) -> date:
    """Read ``2026-11-01``. Raises ``BadValue``, also for a day that does not exist."""
    if isinstance(raw, str) and _DATE.fullmatch(raw):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            message = f"{_show(raw)} is not a day of the calendar."
            raise BadValue(message, f"Write {_nearest_day(raw)}.") from None
    raise BadValue(f"{_show(raw)} is not a date.", "Write year-month-day: 2026-11-01.")


def _nearest_day(raw: str) -> date:
    """The existing day that is closest to what was meant."""
    year, month = max(int(raw[:4]), 1), min(max(int(raw[5:7]), 1), 12)
    return date(year, month, min(max(int(raw[8:]), 1), monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money: one for every currency of the policy, or one for each.

    A single amount counts only in the policy's first currency; zero counts in all.
    """

    single: Decimal | None
    by_currency: tuple[tuple[str, Decimal], ...] = ()

    def minor(self, currency: str, home: str) -> int | None:
        """Minor units in ``currency``, or None where the document names no amount for it."""
        for code, value in self.by_currency:
            if code == currency:
                return _minor(value, currency)
        if self.single is None:
            return None
        if self.single == 0:
            return 0
        return _minor(self.single, currency) if currency == home else None

    def problem(self, home: str) -> str | None:
        """Why this amount cannot be money of its currencies, or None."""
        pairs = self.by_currency or ((home, self.single or Decimal(0)),)
        for code, value in pairs:
            try:
                _minor(value, code)
            except Invalid:
                return f"{value} has more digits than {code} has ({exponent(code)})."
        return None

    def written(self) -> str | dict[str, str]:
        """As an author writes it."""
        if self.single is not None:
            return str(self.single)
        return {code: str(value) for code, value in self.by_currency}


def _minor(value: Decimal, currency: str) -> int:
    return to_minor(f"{value:f}", currency)


def _decimal(raw: object) -> Decimal:
    text = str(raw) if isinstance(raw, int | Decimal | str) and not isinstance(raw, bool) else ""
    if not _AMOUNT.fullmatch(text):
        suggestion = "Amounts are not negative." if text.startswith("-") else "Write 4.90."
        raise BadValue(f"{_show(raw)} is not an amount.", suggestion)
    value = Decimal(text)
    if value > MAX_AMOUNT:
        raise BadValue(f"{_show(raw)} is too large.", f"At most {MAX_AMOUNT}.")
    return value


def read_currency(raw: object) -> str:
    """Read an ISO 4217 code. Raises ``BadValue``."""
    code = raw if isinstance(raw, str) else ""
    try:
        exponent(code)
    except Invalid:
        guess = code.upper() if code.upper() != code else "EUR"
        raise BadValue(f"{_show(raw)} is not an ISO 4217 currency.", f"Write {guess}.") from None
    return code


def read_amount(raw: object) -> Amount:
    """Read ``4.90`` or ``{EUR: 4.90, GBP: 4.50}``. Raises ``BadValue``."""
    if isinstance(raw, Amount):
        return raw
    if not isinstance(raw, Mapping):
        return Amount(_decimal(raw))
    if not raw:
        raise BadValue("The amount is empty.", "Write 4.90.")
    pairs = sorted((read_currency(code), _decimal(value)) for code, value in raw.items())
    return Amount(None, tuple(pairs))
