"""Rigs that join the built-in payment adapters to the bank simulator, one per vendor's face."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

import orjson

from returns_api.adapters.conformance import Fault
from returns_api.adapters.conformance.payments import Moved, Need, Signed
from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments.adyen import AdyenPayments
from returns_api.adapters.payments.paypal import PayPalPayments
from returns_api.adapters.payments.shopify import ShopifyPayments
from returns_api.adapters.payments.stripe import StripePayments
from returns_api.adapters.payments.stripe_activity import PAGE_SIZE
from returns_api.ports.payments import PaymentAccount, PaymentProvider, RefundStatus
from tests.support import vendor_signatures as signatures
from tests.support.bank import Bank
from tests.support.patience import PATIENCE
from tests.support.recorder import Recorder
from tests.support.stripe_signature import stripe_signature

HANG_SECONDS = 4.0
REFUND_BODY = {
    "id": 8_000_000_000_001,
    "order_id": 5_000_000_000_001,
    "note": "trf_00000000000000000001",
    "created_at": "2026-03-01T12:00:00Z",
    "refund_line_items": [],
    "transactions": [
        {
            "id": 7_000_000_000_001,
            "kind": "refund",
            "status": "success",
            "amount": "12.99",
            "currency": "EUR",
            "parent_id": 6_000_000_000_001,
        }
    ],
}


class OnBank(ABC):
    """``PaymentRig`` but for what differs by vendor; see there."""

    adapter: ClassVar[type[StripePayments | PayPalPayments | AdyenPayments | ShopifyPayments]]
    vendor: ClassVar[str]
    hook_secret = "whsec_test"
    deadline_seconds = PATIENCE
    page_size = 5
    secrets = ("right", "wrong")
    lacks: frozenset[Need] = frozenset()

    def __init__(self, bank: Bank, http: HttpClient, recorder: Recorder) -> None:
        self.provider: PaymentProvider = self.adapter(http)
        self.account: PaymentAccount = replace(bank.account, account="TestMerchant")
        self.stranger = replace(self.account, secret="")
        self.unreachable = replace(self.account, base_url="http://127.0.0.1:9")
        self.bank = bank
        self._recorder = recorder

    async def listen(self) -> None:
        """Let the bank announce events to the recorder."""
        await self.bank.register_webhook(f"{self._recorder.url}/hooks", self.hook_secret)

    async def pay(self, amount: int, currency: str) -> str:
        return await self.bank.pay(amount, currency, vendor=self.vendor)

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        on = "read" if reading else "refund"
        await self.bank.script({"fault": fault.value, "on": on, "seconds": HANG_SECONDS})

    async def be_strict(self) -> None:
        await self.bank.control("PUT", "faults", {"lenient": False})

    async def moved(self, reference: str) -> Moved:
        row = await self.bank.movements(reference)
        return Moved(row["made"], row["net_minor"])

    async def refund_elsewhere(self, payment: str, amount: int) -> None:
        await self.bank.dashboard_refund(payment, amount)

    async def become(self, provider_refund_id: str, status: RefundStatus) -> None:
        await self.bank.settle(provider_refund_id, status.value)

    async def dispute(self, payment: str, amount: int) -> str:
        return await self.bank.dispute(payment, amount)

    async def give_back(self, dispute: str) -> None:
        await self.bank.close_dispute(dispute, won=True)

    async def webhooks(self) -> Sequence[bytes]:
        await self.bank.quiet()
        return [each.body for each in self._recorder.requests]

    @abstractmethod
    def sign(self, secret: str, at: datetime) -> Signed: ...


class StripeOnBank(OnBank):
    adapter = StripePayments
    vendor = "stripe"
    page_size = PAGE_SIZE

    def sign(self, secret: str, at: datetime) -> Signed:
        body = b'{"id":"evt_1","n":1}'
        signature = stripe_signature(secret, body, int(at.timestamp()))
        return Signed({"stripe-signature": signature}, body)


class PayPalOnBank(OnBank):
    adapter = PayPalPayments
    vendor = "paypal"
    hook_secret = "WHBANK"
    lacks = frozenset({Need.LATER_WEBHOOKS})

    def __init__(self, bank: Bank, http: HttpClient, recorder: Recorder) -> None:
        super().__init__(bank, http, recorder)
        self.secrets = (
            signatures.paypal_secret("WHRIGHT", signatures.paypal_key("right").public_key()),
            signatures.paypal_secret("WHRIGHT", signatures.paypal_key("wrong").public_key()),
        )

    def sign(self, secret: str, at: datetime) -> Signed:
        key = signatures.paypal_key("right" if secret == self.secrets[0] else "wrong")
        body = b'{"id":"WH-1","event_type":"OTHER","resource":{}}'
        return Signed(signatures.paypal_headers("WHRIGHT", key, body, at), body)


class AdyenOnBank(OnBank):
    adapter = AdyenPayments
    vendor = "adyen"
    hook_secret = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
    secrets = ("44" * 32, "45" * 32)
    lacks = frozenset({Need.LIST, Need.SIGNED_BODY})

    def sign(self, secret: str, at: datetime) -> Signed:
        return Signed({}, signatures.adyen_body(signatures.adyen_item(secret)))


class ShopifyOnBank(OnBank):
    adapter = ShopifyPayments
    vendor = "shopify"
    lacks = frozenset({Need.LATER_WEBHOOKS, Need.DISPUTES})

    def sign(self, secret: str, at: datetime) -> Signed:
        body = orjson.dumps(REFUND_BODY)
        return Signed(signatures.shopify_headers(secret, body), body)


RIGS: tuple[type[StripeOnBank | PayPalOnBank | AdyenOnBank | ShopifyOnBank], ...] = (
    StripeOnBank,
    PayPalOnBank,
    AdyenOnBank,
    ShopifyOnBank,
)
