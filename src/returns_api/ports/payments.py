"""Payment providers as the house sees them: send a refund, ask about one, read their webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Listing(StrEnum):
    """How much of its books a provider shows by itself."""

    ACCOUNT = "account"
    """All that happened on the account since a moment: ``ActivityList``."""
    PAYMENT = "payment"
    """The refunds of one payment at a time."""
    NOTHING = "nothing"
    """Only a settlement file tells, which a person imports."""


class Naming(StrEnum):
    """By what a provider knows a payment."""

    PROVIDER = "provider"
    """Its own id, where the shop platform tells it; without it nobody can call for this payment."""
    PLATFORM = "platform"
    """The id that the shop platform itself gave it."""
    OURS = "ours"
    """Our own public id of it: there is nobody to be called."""


class RefundStatus(StrEnum):
    """What a provider says of one refund, in our words."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class PaymentAccount:
    """Where and as whom to call: one merchant account at one provider."""

    base_url: str
    secret: str = field(repr=False)
    account: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can promise; the use case plans retries from it."""

    idempotency_window: timedelta | None
    """How long the provider remembers our key; None when it has no keys."""
    lookup_by_reference: bool
    """Whether a refund can be found by *our* reference, without the provider's id."""
    partial: bool = True
    several_per_payment: bool = True
    synchronous: bool = True
    """False when the call only says "received" and the outcome comes by webhook."""
    listing: Listing = Listing.PAYMENT
    """What reconciliation can read there."""
    naming: Naming = Naming.PROVIDER
    tells: frozenset[str] = frozenset({"refund", "dispute"})
    """What others did that it tells by itself; the rest counts as the shop platform tells it."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """One movement of money back along the payment it came by.

    ``reference`` is our transfer id and is stored at the provider so that a lost answer can be
    found again; ``idempotency_key`` derives from it and never changes between tries.
    """

    reference: str
    idempotency_key: str
    provider_payment_id: str
    amount_minor: int
    currency: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """The provider's own evidence about one refund."""

    provider_refund_id: str
    provider_payment_id: str
    reference: str | None
    """Our reference as stored there; None for a refund that somebody made elsewhere."""
    status: RefundStatus
    amount_minor: int
    currency: str
    failure_code: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderDispute:
    """A chargeback: money taken, or about to be taken, by the buyer's bank."""

    provider_dispute_id: str
    provider_payment_id: str
    amount_minor: int
    currency: str
    open: bool
    """True while the money is withdrawn from the merchant; False once it was given back."""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """A page of what happened on an account; ``cursor`` asks for the next one, None at the end."""

    facts: tuple[ProviderRefund | ProviderDispute, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """One verified webhook: its id at the provider and the facts in it (none for other topics)."""

    event_id: str
    topic: str
    facts: tuple[ProviderRefund | ProviderDispute, ...]


class PaymentProvider(Protocol):
    """Raises ``ports.errors`` and nothing else; every call has a total deadline."""

    name: str
    capabilities: Capabilities

    async def refund(self, account: PaymentAccount, request: RefundRequest) -> ProviderRefund:
        """Move the money, at most once per ``idempotency_key`` inside the declared window."""
        ...

    async def look_up(
        self, account: PaymentAccount, request: RefundRequest, provider_refund_id: str | None
    ) -> ProviderRefund | None:
        """What became of ``request``; None when the provider certainly has no such refund."""
        ...

    async def list_refunds(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> Sequence[ProviderRefund]:
        """Every refund of a payment, ours and others', for sweeps and reconciliation."""
        ...

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Whether ``body`` was signed with one of ``secrets``; headers have lower-case names."""
        ...

    def parse_event(self, body: bytes) -> PaymentEvent:
        """The facts of a verified webhook. Raises ``ValueError`` when it is not one."""
        ...


@runtime_checkable
class ActivityList(Protocol):
    """What an adapter that declares ``Listing.ACCOUNT`` offers besides."""

    async def list_activity(
        self, account: PaymentAccount, since: datetime, cursor: str | None
    ) -> ActivityPage:
        """A page of the refunds and chargebacks that were made on the account since then.

        What happens while the pages are read may be missed; what was there before may not.
        """
        ...
