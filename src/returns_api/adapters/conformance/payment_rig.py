"""What the payment checks stand on: the rig an author writes, and how checks say what they need.

Owns no check. ``payments`` is the module to import from.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from returns_api.adapters.conformance import Check, Fault
from returns_api.ports.errors import ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    PaymentProvider,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

MAX_LOOKS = 500
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Need(StrEnum):
    """What a check takes for granted. The first two follow from the adapter's capabilities."""

    KEYS = "keys"
    LOOK_UP = "look_up"
    NETWORK = "network"
    """There is a provider at all. Without: refunds that people pay."""
    LIST = "list"
    WEBHOOKS = "webhooks"
    LATER_WEBHOOKS = "later_webhooks"
    """It announces that a refund failed days later."""
    DISPUTES = "disputes"
    """It announces chargebacks, naming the payment."""
    SIGNED_BODY = "signed_body"
    """The signature covers the whole body; else some of its fields."""


PaymentCheck = Check["PaymentRig"]
NEEDS: dict[PaymentCheck, frozenset[Need]] = {}


def needs(*needs: Need) -> Callable[[PaymentCheck], PaymentCheck]:
    """Marks a check with what it takes for granted."""

    def mark(check: PaymentCheck) -> PaymentCheck:
        NEEDS[check] = frozenset(needs)
        return check

    return mark


@dataclass(frozen=True, slots=True)
class Signed:
    """A webhook as it arrives: headers with lower-case names, and the body."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Moved:
    """The provider's own books on one reference: movements made, and minor units still out."""

    made: int
    net_minor: int


class PaymentRig(Protocol):
    """An adapter and the provider behind it. Amounts in minor units."""

    @property
    def provider(self) -> PaymentProvider: ...

    account: PaymentAccount
    stranger: PaymentAccount
    """Same place, credentials that are not valid."""
    unreachable: PaymentAccount
    """A place where nothing listens."""
    deadline_seconds: float
    page_size: int
    secrets: tuple[str, str]
    """A webhook secret, and another one of the same form."""
    lacks: frozenset[Need]
    """What the provider does not offer; the same as was given to ``checks_for``."""

    async def pay(self, amount: int, currency: str) -> str:
        """Capture a payment; returns the provider's id of it."""
        ...

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        """Do this with the next refund, or with the next read."""
        ...

    async def be_strict(self) -> None:
        """From now on refuse to refund more than was paid."""
        ...

    async def moved(self, reference: str) -> Moved:
        """Read the provider's books."""
        ...

    async def refund_elsewhere(self, payment: str, amount: int) -> None:
        """Refund in the provider's own pages, without our reference."""
        ...

    async def become(self, provider_refund_id: str, status: RefundStatus) -> None:
        """Let a refund change, as it would days later."""
        ...

    async def dispute(self, payment: str, amount: int) -> str:
        """Open a chargeback; returns its id."""
        ...

    async def give_back(self, dispute: str) -> None:
        """Decide a chargeback for the merchant."""
        ...

    async def webhooks(self) -> Sequence[bytes]:
        """Bodies of the webhooks that were sent since the rig was made, all of them genuine."""
        ...

    def sign(self, secret: str, at: datetime) -> Signed:
        """A genuine webhook of the provider at ``at``, whatever it tells.

        Only the headers that its signature takes part in.
        """
        ...


def request_for(payment: str, amount: int, currency: str = "EUR") -> RefundRequest:
    """A refund that nobody asked for before."""
    reference = f"trf_{secrets.token_hex(10)}"
    return RefundRequest(reference, reference, payment, amount, currency)


async def settled(rig: PaymentRig, request: RefundRequest) -> ProviderRefund | None:
    """What became of an unknown refund, the way the adapter's capabilities allow."""
    if rig.provider.capabilities.lookup_by_reference:
        return await rig.provider.look_up(rig.account, request, None)
    return await until_sent(rig, request)


async def until_sent(rig: PaymentRig, request: RefundRequest) -> ProviderRefund:
    """Resend while the first try still holds the key there, at most a deadline long."""
    async with asyncio.timeout(10 * rig.deadline_seconds):
        while True:
            try:
                return await rig.provider.refund(rig.account, request)
            except ProviderUnavailable:
                await asyncio.sleep(0.05)


async def until_moved(rig: PaymentRig, request: RefundRequest) -> None:
    """Wait until the provider's books show the movement."""
    for _ in range(MAX_LOOKS):
        if (await rig.moved(request.reference)).made:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the provider never acted")


async def facts_told(rig: PaymentRig) -> list[ProviderRefund | ProviderDispute]:
    """Every fact of the webhooks that were sent."""
    parsed = [rig.provider.parse_event(body) for body in await rig.webhooks()]
    return [fact for event in parsed for fact in event.facts]


async def told_of(rig: PaymentRig, request: RefundRequest) -> list[ProviderRefund]:
    """What webhooks said of one refund of ours."""
    return [
        each
        for each in await facts_told(rig)
        if isinstance(each, ProviderRefund) and each.reference == request.reference
    ]


async def parse(rig: PaymentRig, body: bytes) -> object:
    """``parse_event`` as something that can be awaited."""
    return rig.provider.parse_event(body)
