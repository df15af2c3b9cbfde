"""Stripe's amounts in our ISO 4217 minor units and back, exactly or not at all.

Source: docs.stripe.com/currencies, "special cases" and "three-decimal currencies".
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.errors import Invalid
from returns_api.domain.money import exponent
from returns_api.ports.errors import ProviderRejected

# ISK and UGX have no minor unit in ISO 4217 but are written with two digits that must be 00; MGA
# has one there and none at Stripe. All others agree.
_STRIPE_EXPONENT: Final = {"ISK": 2, "UGX": 2, "MGA": 0}


def to_stripe_amount(amount_minor: int, currency: str) -> int:
    """Our minor units in Stripe's. Raises ``ProviderRejected`` when Stripe cannot move them.

    Three-decimal currencies must end in 0 there: 5.124 KWD is refused, never rounded.
    """
    try:
        iso = exponent(currency)
    except Invalid as error:
        raise ProviderRejected("currency_unknown", "not an ISO 4217 currency") from error
    amount, rest = _rescale(amount_minor, _STRIPE_EXPONENT.get(currency, iso) - iso)
    if rest or (iso == 3 and amount % 10):
        raise ProviderRejected("amount_too_fine", f"Stripe has no such amount of {currency}")
    return amount


def from_stripe_amount(amount: int, currency: str) -> int:
    """Stripe's units in our minor units. Raises ``ValueError`` when that is not exact."""
    try:
        iso = exponent(currency)
    except Invalid as error:
        raise ValueError("not an ISO 4217 currency") from error
    minor, rest = _rescale(amount, iso - _STRIPE_EXPONENT.get(currency, iso))
    if rest:
        raise ValueError(f"not a whole number of {currency} minor units")
    return minor


def _rescale(amount: int, digits: int) -> tuple[int, int]:
    """``amount`` moved by ``digits`` decimal places, and what did not fit."""
    factor = int("1" + "0" * abs(digits))
    return (amount * factor, 0) if digits >= 0 else divmod(amount, factor)
