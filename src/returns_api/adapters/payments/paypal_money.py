"""PayPal's decimal amounts in our ISO 4217 minor units and back, exactly or not at all.

Source: developer.paypal.com, "Currency codes": HUF and TWD take no decimals there, though ISO 4217
gives them two. All others agree with ISO 4217.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from returns_api.adapters import fields
from returns_api.domain.errors import Invalid
from returns_api.domain.money import exponent, format_minor, to_minor
from returns_api.ports.errors import ProviderRejected

_WITHOUT_DECIMALS: Final = frozenset({"HUF", "TWD"})


def to_paypal(amount_minor: int, currency: str) -> dict[str, str]:
    """A money object. Raises ``ProviderRejected`` when PayPal cannot move that amount exactly."""
    try:
        digits = exponent(currency)
        text = format_minor(amount_minor, currency)
    except Invalid as error:
        raise ProviderRejected("currency_unknown", "not an ISO 4217 currency") from error
    if currency in _WITHOUT_DECIMALS and digits:
        text, _, rest = text.partition(".")
        if rest.strip("0"):
            raise ProviderRejected("amount_too_fine", f"PayPal has no such amount of {currency}")
    return {"currency_code": currency, "value": text}


def from_paypal(money: Mapping[str, object]) -> tuple[int, str]:
    """Minor units and currency of a positive money object. Raises ``ValueError``."""
    currency = fields.text(money, "currency_code", longest=3)
    try:
        amount = to_minor(fields.text(money, "value", longest=32), currency)
    except Invalid as error:
        raise ValueError("not an exact amount of a known currency") from error
    if amount <= 0:
        raise ValueError("the amount is not positive")
    return amount, currency
