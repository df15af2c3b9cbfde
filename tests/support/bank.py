"""The bank simulator for tests: payments made, money counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments.stripe import StripePayments
from returns_api.ports.payments import PaymentAccount, ProviderRefund
from tests.support.patience import PATIENCE
from tests.support.simulator import Simulator

SECRET_KEY = "sk_test_bank"


class Bank(Simulator):
    """A running bank. Amounts in minor units."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__("bank", data_dir)

    @property
    def account(self) -> PaymentAccount:
        """Where and as whom to call it."""
        return PaymentAccount(self.base_url, SECRET_KEY, "bank")

    async def pay(self, amount: int, currency: str = "EUR", **more: Any) -> str:
        """Capture one payment; returns its id."""
        return (await self.pay_many(1, amount, currency, **more))[0]

    async def pay_many(
        self, count: int, amount: int, currency: str = "EUR", **more: Any
    ) -> list[str]:
        """Capture ``count`` payments at once; returns their ids."""
        wanted = {"count": count, "amount": amount, "currency": currency.lower(), **more}
        return list((await self.control("POST", "payments", wanted))["ids"])

    async def movements(self, reference: str) -> dict[str, Any]:
        """What the ledger says of one reference; zeros when it never heard of it."""
        found = await self.control("GET", f"ledger?reference={reference}")
        nothing = {"made": 0, "reversed": 0, "net": 0, "net_minor": 0}
        return dict(found["references"].get(reference, nothing))

    async def ledger(self, payment: str | None = None) -> dict[str, Any]:
        """Counts and sums per payment and per reference."""
        query = "" if payment is None else f"?payment={payment}"
        return await self.control("GET", f"ledger{query}")

    async def dashboard_refund(self, payment: str, amount: int) -> str:
        """A refund that somebody made in the bank's web pages; returns its id."""
        wanted = {"payment": payment, "amount": amount}
        return str((await self.control("POST", "dashboard_refunds", wanted))["id"])

    async def dispute(self, payment: str, amount: int) -> str:
        """A chargeback; returns its id."""
        wanted = {"payment": payment, "amount": amount}
        return str((await self.control("POST", "disputes", wanted))["id"])

    async def close_dispute(self, dispute: str, *, won: bool) -> None:
        """Decide a chargeback."""
        await self.control("POST", f"disputes/{dispute}/close", {"won": won})

    async def settle(self, refund: str, status: str) -> None:
        """Change a refund's state now."""
        await self.control("POST", "settle", {"refund": refund, "status": status})

    async def refunds_of(self, payment: str) -> Sequence[ProviderRefund]:
        """Its own word on every refund of a payment. A look of the test, not a call of the service:
        no deadline that a test gives the service cuts it short."""
        http = HttpClient(deadline_seconds=PATIENCE)
        try:
            return await StripePayments(http).list_refunds(self.account, payment)
        finally:
            await http.aclose()

    async def register_webhook(self, url: str, secret: str, **more: Any) -> None:
        """Where to announce events."""
        await self.control("POST", "webhooks", {"url": url, "secret": secret, **more})

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
