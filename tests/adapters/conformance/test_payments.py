"""The shipped payment checks, for the Stripe adapter on the bank simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from returns_api.adapters.conformance import Check, Fault
from returns_api.adapters.conformance.payments import CHECKS, Moved, PaymentRig
from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments.stripe import PAGE_SIZE, StripePayments
from returns_api.ports.payments import RefundStatus
from tests.adapters.conftest import DEADLINE
from tests.support.bank import Bank
from tests.support.recorder import Recorder
from tests.support.stripe_signature import stripe_signature

HANG_SECONDS = 1.5


class StripeOnBank:
    """``PaymentRig``; see there."""

    deadline_seconds = DEADLINE
    page_size = PAGE_SIZE

    def __init__(self, bank: Bank, http: HttpClient, recorder: Recorder) -> None:
        self.provider = StripePayments(http)
        self.account = bank.account
        self.stranger = replace(bank.account, secret="")
        self.unreachable = replace(bank.account, base_url="http://127.0.0.1:9")
        self._bank = bank
        self._recorder = recorder

    async def pay(self, amount: int, currency: str) -> str:
        return await self._bank.pay(amount, currency)

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        on = "read" if reading else "refund"
        await self._bank.script({"fault": fault.value, "on": on, "seconds": HANG_SECONDS})

    async def be_strict(self) -> None:
        await self._bank.control("PUT", "faults", {"lenient": False})

    async def moved(self, reference: str) -> Moved:
        row = await self._bank.movements(reference)
        return Moved(row["made"], row["net_minor"])

    async def refund_elsewhere(self, payment: str, amount: int) -> None:
        await self._bank.dashboard_refund(payment, amount)

    async def become(self, provider_refund_id: str, status: RefundStatus) -> None:
        await self._bank.settle(provider_refund_id, status.value)

    async def dispute(self, payment: str, amount: int) -> str:
        return await self._bank.dispute(payment, amount)

    async def give_back(self, dispute: str) -> None:
        await self._bank.close_dispute(dispute, won=True)

    async def webhooks(self) -> Sequence[bytes]:
        await self._bank.quiet()
        return [each.body for each in self._recorder.requests]

    def sign(self, secret: str, body: bytes, at: datetime) -> Mapping[str, str]:
        return {"stripe-signature": stripe_signature(secret, body, int(at.timestamp()))}


@pytest.fixture
async def rig(bank: Bank, http: HttpClient, recorder: Recorder) -> StripeOnBank:
    await bank.register_webhook(f"{recorder.url}/hooks", "whsec_test")
    return StripeOnBank(bank, http, recorder)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_stripe_on_the_bank(check: Check[PaymentRig], rig: StripeOnBank) -> None:
    await check(rig)
