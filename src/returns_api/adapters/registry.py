"""Owns which adapters exist: the built-in ones and those of installed packages.

A package adds one by an entry point in ``returns_api.payments``, ``.carriers``, ``.shops`` or
``.notifiers`` (see docs/adapters.md). Nothing is imported before it is asked for. Which adapter a
shop uses is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final


class Kind(StrEnum):
    """What an adapter is for; the value is the last part of its entry point group."""

    PAYMENTS = "payments"
    CARRIERS = "carriers"
    SHOPS = "shops"
    NOTIFIERS = "notifiers"


BUILT_IN: Final[dict[Kind, dict[str, str]]] = {
    Kind.PAYMENTS: {
        "adyen": "returns_api.adapters.payments.adyen:AdyenPayments",
        "manual": "returns_api.adapters.payments.manual:ManualPayments",
        "paypal": "returns_api.adapters.payments.paypal:PayPalPayments",
        "shopify": "returns_api.adapters.payments.shopify:ShopifyPayments",
        "stripe": "returns_api.adapters.payments.stripe:StripePayments",
    },
    Kind.CARRIERS: {
        "dhl_returns": "returns_api.adapters.carriers.dhl_returns:DhlReturnsCarrier",
        "easypost": "returns_api.adapters.carriers.easypost:EasyPostCarrier",
        "shippo": "returns_api.adapters.carriers.shippo:ShippoCarrier",
    },
    Kind.SHOPS: {
        "shopify": "returns_api.adapters.shops.shopify:ShopifyShop",
        "woocommerce": "returns_api.adapters.shops.woocommerce:WooCommerceShop",
    },
    Kind.NOTIFIERS: {
        "onesignal": "returns_api.adapters.notifiers.onesignal:OneSignalMessenger",
        "smtp": "returns_api.adapters.notifiers.smtp:SmtpMessenger",
        "twilio": "returns_api.adapters.notifiers.twilio:TwilioMessenger",
    },
}

Factory = Callable[..., Any]
"""Gives an object of the port's Protocol. Called with the shared ``HttpClient``; of a notifier,
whose server a shop names by itself, with ``allow_loopback``, too."""


class UnknownAdapter(LookupError):
    """No adapter has this name, or two have it."""


def factories(kind: Kind) -> dict[str, Factory]:
    """Every adapter of ``kind`` by name. Raises ``UnknownAdapter`` when two have one name."""
    known = _places(kind)
    return {name: _factory(kind, name, known) for name in sorted(known)}


def load(kind: Kind, name: str) -> Factory:
    """The factory called ``name``.

    Raises ``UnknownAdapter`` when there is none, and when a package uses a name that is taken: an
    adapter that moves money must never be replaced by installing something.
    """
    return _factory(kind, name, _places(kind))


def _places(kind: Kind) -> dict[str, set[str]]:
    """Where the adapter of each name is said to be. Reads what every installed package declares,
    so it is called once for all of a kind."""
    places = {name: {place} for name, place in BUILT_IN[kind].items()}
    for declared in entry_points(group=f"returns_api.{kind}"):
        places.setdefault(declared.name, set()).add(declared.value)
    return places


def _factory(kind: Kind, name: str, known: Mapping[str, set[str]]) -> Factory:
    places = known.get(name, set())
    if len(places) != 1:
        found = "no adapter" if not places else f"{len(places)} adapters"
        raise UnknownAdapter(
            f"{found} called {name!r} for {kind}; known: {', '.join(sorted(known))}"
        )
    (place,) = places
    module, _, attribute = place.partition(":")
    factory: Factory = getattr(import_module(module), attribute)
    return factory
