"""Amounts: integer minor units of an ISO 4217 currency, and how a whole is cut into parts.

Owns exact reading and printing of decimal text and the two sharing rules that every other module
uses: *largest remainder* for cutting a whole at once, *cumulative share* for giving it out step by
step. Refuses to own exchange rates, floats, ``Decimal`` and any knowledge of orders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iso4217 import Currency

from returns_api.domain.errors import Invalid

MAX_MINOR: Final = 10**15
"""Largest absolute amount read from outside. Sums of a thousand of them still fit a bigint."""

MAX_TEXT: Final = 40
"""Longest decimal text that is looked at; longer ones cannot be an amount below ``MAX_MINOR``."""

_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,20})(?:\.([0-9]{1,18}))?")

# Funds, metals and test codes have no minor unit in ISO 4217: money cannot be held in them.
_EXPONENTS: Final = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}


@dataclass(frozen=True, slots=True)
class Rounded:
    """An amount in minor units; ``exact`` is False when digits below the minor unit were lost."""

    minor: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Run:
    """``count`` consecutive units that all weigh, or all get, ``each``."""

    count: int
    each: int


def exponent(currency: str) -> int:
    """Digits after the point in ``currency``: EUR 2, JPY 0, KWD 3.

    Raises ``Invalid`` for a code that ISO 4217 does not list as money. Source: the ISO 4217 table
    in the ``iso4217`` package (not CLDR, whose digits are for display and differ).
    """
    found = _EXPONENTS.get(currency)
    if found is None:
        raise _invalid("The currency is not an ISO 4217 currency with a minor unit.", "currency")
    return found


def to_minor(text: str, currency: str) -> int:
    """Read a decimal text such as ``-12.50`` exactly, in minor units.

    Digits below the minor unit are allowed when they are zeros (platforms print ``1000.00`` JPY).
    Raises ``Invalid`` for everything else: signs other than ``-``, blanks, exponents, NaN, digits
    of other scripts, amounts above ``MAX_MINOR``.
    """
    rounded = to_minor_rounded(text, currency)
    if not rounded.exact:
        raise _invalid("The amount has more digits than its currency.", "amount")
    return rounded.minor


def to_minor_rounded(text: str, currency: str) -> Rounded:
    """Like ``to_minor``, but rounds lost digits half away from zero and says so.

    For net prices such as ``13.9563``: the certificate reconciles the residue to what was paid.
    Raises ``Invalid`` like ``to_minor``.
    """
    digits = exponent(currency)
    match = _DECIMAL.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        raise _invalid("The amount is not a plain decimal number.", "amount")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    kept, lost = fraction[:digits].ljust(digits, "0"), fraction[digits:] or "0"
    minor = int(whole + kept) + (lost[0] >= "5")
    if minor > MAX_MINOR:
        raise _invalid("The amount is too large.", "amount")
    return Rounded(-minor if sign else minor, exact=int(lost) == 0)


def format_minor(minor: int, currency: str) -> str:
    """Print ``minor`` as a decimal text with all digits of ``currency``; inverse of ``to_minor``.

    Raises ``Invalid`` for an unknown currency.
    """
    digits = exponent(currency)
    sign = "-" if minor < 0 else ""
    text = str(abs(minor)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"


def allocate(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Cut ``total`` in proportion to ``weights`` by the method of largest remainder.

    The parts sum to ``total`` exactly and each is within one minor unit of its exact share, so a
    zero weight gets nothing. Ties go to the earlier part; a negative total is cut like its
    opposite; when all weights are zero the parts are as equal as can be. Raises ``ValueError`` for
    a negative weight, or when there is nothing to give a non-zero total to. Source: Hamilton's
    method of apportionment.
    """
    runs = allocate_runs(total, [Run(1, weight) for weight in weights])
    return tuple(run.each for run in runs for _ in range(run.count))


def allocate_runs(total: int, weights: Sequence[Run]) -> tuple[Run, ...]:
    """``allocate`` over run-length encoded weights, in time proportional to the runs.

    Each run of weights becomes one or two runs of parts, in the same order; the result never merges
    runs of different weights. Raises ``ValueError`` like ``allocate``.
    """
    if any(run.each < 0 or run.count < 0 for run in weights):
        raise ValueError("weights and counts must not be negative")
    scale = sum(run.count * run.each for run in weights)
    if scale == 0:
        weights = [Run(run.count, 1) for run in weights]
        scale = sum(run.count for run in weights)
    if scale == 0:
        if total:
            raise ValueError("nothing to allocate to")
        return ()
    sign = -1 if total < 0 else 1
    if len(weights) == 1:
        base, extra = divmod(abs(total), weights[0].count)
        halves = Run(extra, sign * (base + 1)), Run(weights[0].count - extra, sign * base)
        return tuple(part for part in halves if part.count)
    shares = [divmod(abs(total) * run.each, scale) for run in weights]
    extras = _extras(abs(total), weights, shares)
    return tuple(
        part
        for run, (base, _), extra in zip(weights, shares, extras, strict=True)
        for part in (Run(extra, sign * (base + 1)), Run(run.count - extra, sign * base))
        if part.count
    )


def _extras(total: int, weights: Sequence[Run], shares: Sequence[tuple[int, int]]) -> list[int]:
    """How many units of each run get one minor unit more: largest remainder first, then earlier."""
    left = total - sum(run.count * base for run, (base, _) in zip(weights, shares, strict=True))
    extras = [0] * len(weights)
    for index in sorted(range(len(weights)), key=lambda i: (-shares[i][1], i)):
        extras[index] = min(left, weights[index].count)
        left -= extras[index]
    return extras


def cumulative_share(total: int, weight_done: int, weight_all: int) -> int:
    """What of ``total`` is due once ``weight_done`` of ``weight_all`` is done, rounded to zero.

    The differences between steps sum to ``total`` whatever the steps are, no step runs ahead of its
    exact share, and the result moves in one direction only. Raises ``ValueError`` unless
    ``0 <= weight_done <= weight_all`` and ``weight_all > 0``.
    """
    if not 0 <= weight_done <= weight_all or weight_all == 0:
        raise ValueError("the weight done must lie between zero and a positive whole")
    share = abs(total) * weight_done // weight_all
    return -share if total < 0 else share


def _invalid(detail: str, field: str) -> Invalid:
    return Invalid(detail, errors=[{"field": field, "message": detail}])
