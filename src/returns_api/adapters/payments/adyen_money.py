"""Adyen's minor units in our ISO 4217 minor units and back, exactly or not at all.

Source: docs.adyen.com/development-resources/currency-codes: CLP and ISK are written with two digits
there though ISO 4217 gives them none, CVE and IDR with none though it gives them two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from returns_api.adapters import fields
from returns_api.domain.errors import Invalid
from returns_api.domain.money import exponent
from returns_api.ports.errors import ProviderRejected

MAX_AMOUNT: Final = 10**13
_ADYEN_EXPONENT: Final = {"CLP": 2, "ISK": 2, "CVE": 0, "IDR": 0}


def to_adyen(amount_minor: int, currency: str) -> dict[str, object]:
    """An amount object. Raises ``ProviderRejected`` when Adyen cannot move that exactly."""
    try:
        iso = exponent(currency)
    except Invalid as error:
        raise ProviderRejected("currency_unknown", "not an ISO 4217 currency") from error
    value, rest = _rescale(amount_minor, _ADYEN_EXPONENT.get(currency, iso) - iso)
    if rest:
        raise ProviderRejected("amount_too_fine", f"Adyen has no such amount of {currency}")
    return {"currency": currency, "value": value}


def from_adyen(amount: Mapping[str, object]) -> tuple[int, str]:
    """Minor units and currency of a positive amount object. Raises ``ValueError``."""
    currency = fields.text(amount, "currency", longest=3)
    value = fields.integer(amount, "value", least=1, most=MAX_AMOUNT)
    try:
        iso = exponent(currency)
    except Invalid as error:
        raise ValueError("not an ISO 4217 currency") from error
    minor, rest = _rescale(value, iso - _ADYEN_EXPONENT.get(currency, iso))
    if rest:
        raise ValueError(f"not a whole number of {currency} minor units")
    return minor, currency


def _rescale(amount: int, digits: int) -> tuple[int, int]:
    """``amount`` moved by ``digits`` decimal places, and what did not fit."""
    factor = int("1" + "0" * abs(digits))
    return (amount * factor, 0) if digits >= 0 else divmod(amount, factor)
