"""Owns which adapters exist: the built-in ones and those of installed packages.

A package adds one by an entry point in ``returns_api.payments``, ``.carriers``, ``.shops`` or
``.notifiers`` (see docs/adapters.md). Nothing is imported before it is asked for. Which adapter a
shop uses is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from returns_api.adapters.http import HttpClient


class Kind(StrEnum):
    """What an adapter is for; the value is the last part of its entry point group."""

    PAYMENTS = "payments"
    CARRIERS = "carriers"
    SHOPS = "shops"
    NOTIFIERS = "notifiers"


_BUILT_IN: dict[Kind, dict[str, str]] = {
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
        "smtp": "returns_api.adapters.notifiers.smtp:SmtpMessenger",
    },
}

Factory = Callable[..., Any]
"""Gives an object of the port's Protocol. Called with the shared ``HttpClient``; of a notifier,
whose server a shop names by itself, with ``allow_loopback`` alone."""


class UnknownAdapter(LookupError):
    """No adapter has this name, or two have it."""


def names(kind: Kind) -> tuple[str, ...]:
    """Every adapter of ``kind`` that could be loaded, sorted."""
    return tuple(sorted({*_BUILT_IN[kind], *(each.name for each in _installed(kind))}))


def load(kind: Kind, name: str) -> Factory:
    """The factory called ``name``.

    Raises ``UnknownAdapter`` when there is none, and when a package uses a name that is taken: an
    adapter that moves money must never be replaced by installing something.
    """
    places = {each.value for each in _installed(kind) if each.name == name}
    if name in _BUILT_IN[kind]:
        places.add(_BUILT_IN[kind][name])
    if len(places) != 1:
        found = "no adapter" if not places else f"{len(places)} adapters"
        raise UnknownAdapter(f"{found} called {name!r} for {kind}; known: {', '.join(names(kind))}")
    module, _, attribute = places.pop().partition(":")
    factory: Factory = getattr(import_module(module), attribute)
    return factory


def build(kind: Kind, name: str, http: HttpClient) -> Any:
    """The adapter itself, over ``http``. Raises like ``load``."""
    return load(kind, name)(http)


def build_notifier(name: str, *, allow_loopback: bool) -> Any:
    """A notifier; ``allow_loopback`` is for development only. Raises like ``load``."""
    return load(Kind.NOTIFIERS, name)(allow_loopback=allow_loopback)


def _installed(kind: Kind) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=f"returns_api.{kind}"))
