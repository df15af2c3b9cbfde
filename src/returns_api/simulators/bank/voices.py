"""In which vendor's words the events of a payment are told, and how they are signed.

A payment remembers its vendor in its own notes; without one it is Stripe's. Owns the choice only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import orjson

from ..kit.store import Row
from . import adyen_wire, plain_wire, shopify_wire, wire
from .paypal_wire import PayPalVoice
from .words import Message

VENDOR = "vendor"


class Voice(Protocol):
    """One vendor's identifiers and events."""

    def new_payment_id(self) -> str: ...

    def new_refund_id(self) -> str: ...

    def refund_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        """What the bank's ``topic`` is called there; None when that vendor keeps silent."""
        ...

    def dispute_event(self, topic: str, row: Row, payment: Row) -> Message | None: ...

    def is_mine(self, body: bytes) -> bool:
        """Whether an event's body is of this vendor."""
        ...

    def sign(self, secret: str, body: bytes) -> Mapping[str, str]: ...

    def seal(self, secret: str, body: bytes) -> bytes: ...


class Voices:
    """All vendors but Stripe, whose words are in ``wire``."""

    def __init__(self, data_dir: Path) -> None:
        self.paypal = PayPalVoice(data_dir)
        self._by_name: dict[str, Voice] = {
            "paypal": self.paypal,
            "adyen": adyen_wire.AdyenVoice(),
            "shopify": shopify_wire.ShopifyVoice(),
            "plain": plain_wire.PlainVoice(),
        }

    def named(self, vendor: str) -> Voice | None:
        """None for Stripe. Raises ``KeyError`` for an unknown vendor."""
        return None if vendor == "stripe" else self._by_name[vendor]

    def of(self, payment: Row) -> Voice | None:
        """The voice of a payment; None for Stripe."""
        return self.named(orjson.loads(payment["metadata"]).get(VENDOR, "stripe"))

    def sign(self, secret: str, body: bytes) -> Mapping[str, str]:
        """The signature headers of an event, whoever's it is."""
        voice = self._speaker(body)
        return wire.sign(secret, body) if voice is None else voice.sign(secret, body)

    def seal(self, secret: str, body: bytes) -> bytes:
        """The body with its signature in it, for vendors who sign so."""
        voice = self._speaker(body)
        return body if voice is None else voice.seal(secret, body)

    def _speaker(self, body: bytes) -> Voice | None:
        return next((each for each in self._by_name.values() if each.is_mine(body)), None)
