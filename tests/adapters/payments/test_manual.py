"""Manual bank transfers: nothing is called, and nothing is believed but what was asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from returns_api.adapters.conformance import Fault
from returns_api.adapters.conformance.payments import (
    Moved,
    Need,
    PaymentCheck,
    Signed,
    checks_for,
    request_for,
)
from returns_api.adapters.payments.manual import ManualPayments
from returns_api.ports.errors import ProviderUnavailable
from returns_api.ports.payments import PaymentAccount, RefundStatus

ACCOUNT = PaymentAccount("https://nowhere.invalid", "-", "finance")
LACKS = frozenset(set(Need) - {Need.LOOK_UP, Need.KEYS})


class NoProvider:
    """``PaymentRig`` where there is nobody: what needs a provider cannot be done."""

    provider = ManualPayments()
    account = stranger = unreachable = ACCOUNT
    deadline_seconds = 0.1
    page_size = 1
    secrets = ("right", "wrong")
    lacks = LACKS

    async def pay(self, amount: int, currency: str) -> str:
        return f"cash-{amount}-{currency}"

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        raise NotImplementedError

    async def be_strict(self) -> None:
        raise NotImplementedError

    async def moved(self, reference: str) -> Moved:
        raise NotImplementedError

    async def refund_elsewhere(self, payment: str, amount: int) -> None:
        raise NotImplementedError

    async def become(self, provider_refund_id: str, status: RefundStatus) -> None:
        raise NotImplementedError

    async def dispute(self, payment: str, amount: int) -> str:
        raise NotImplementedError

    async def give_back(self, dispute: str) -> None:
        raise NotImplementedError

    async def webhooks(self) -> list[bytes]:
        raise NotImplementedError

    def sign(self, secret: str, at: datetime) -> Signed:
        raise NotImplementedError


@pytest.mark.parametrize(
    "check",
    checks_for(ManualPayments.capabilities, lacks=LACKS),
    ids=lambda check: check.__name__,
)
async def test_conformance_without_a_provider(check: PaymentCheck) -> None:
    await check(NoProvider())


async def test_it_is_pending_until_finance_says_otherwise() -> None:
    manual, request = ManualPayments(None), request_for("cash", 1_299)
    asked = await manual.refund(ACCOUNT, request)
    assert asked.status is RefundStatus.PENDING
    assert asked.provider_refund_id == request.reference
    again: list[Any] = [
        await manual.refund(ACCOUNT, request),
        await manual.look_up(ACCOUNT, request, None),
        await manual.look_up(ACCOUNT, request, asked.provider_refund_id),
    ]
    assert again == [asked] * 3


async def test_it_has_no_list_to_compare_with() -> None:
    with pytest.raises(ProviderUnavailable):
        await ManualPayments().list_refunds(ACCOUNT, "cash")


def test_what_it_declares() -> None:
    can = ManualPayments.capabilities
    assert can.idempotency_window is None
    assert can.lookup_by_reference
    assert not can.synchronous
