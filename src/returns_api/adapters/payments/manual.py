"""Refunds that a person pays by bank transfer: nothing is called, nothing is claimed.

Owns what the house may believe of such a refund: it is *pending* from the moment it was asked for
until finance says that it was paid, by a settlement file made of the bank statement. Refuses to own
that file. Cash has no id that anybody could name, so no payment needs one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from returns_api.adapters.http import HttpClient
from returns_api.ports.errors import ProviderUnavailable
from returns_api.ports.payments import (
    Capabilities,
    Listing,
    Naming,
    PaymentAccount,
    PaymentEvent,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)


class ManualPayments:
    """``ports.payments.PaymentProvider`` without a provider. Pure: every answer is its request's.

    Asking twice is asking once, since the reference is the refund's name in the export file too. So
    there is no key that anybody could forget, and a look-up always finds what was asked for.
    """

    name = "manual"
    capabilities = Capabilities(
        idempotency_window=None,
        lookup_by_reference=True,
        synchronous=False,
        listing=Listing.NOTHING,
        naming=Naming.OURS,
        tells=frozenset(),
    )

    def __init__(self, _http: HttpClient | None = None) -> None:
        """Every adapter is handed the shared client; this one calls nobody."""

    async def refund(self, account: PaymentAccount, request: RefundRequest) -> ProviderRefund:
        """Pending, whatever is asked; finance decides."""
        return pending(request)

    async def look_up(
        self, account: PaymentAccount, request: RefundRequest, provider_refund_id: str | None
    ) -> ProviderRefund | None:
        """Still pending: nobody outside knows more. Never None, so it is never asked for twice."""
        return pending(request)

    async def list_refunds(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> Sequence[ProviderRefund]:
        """Always raises ``ProviderUnavailable``: the bank statement is the only list there is."""
        raise ProviderUnavailable("bank transfers are in nobody's list but the bank statement")

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Never: nobody sends webhooks for these, so whoever does is not genuine."""
        return False

    def parse_event(self, body: bytes) -> PaymentEvent:
        """Always raises ``ValueError``: there are no events."""
        raise ValueError("manual bank transfers have no webhooks")


def pending(request: RefundRequest) -> ProviderRefund:
    """The refund as it was asked for, named by our own reference."""
    return ProviderRefund(
        provider_refund_id=request.reference,
        provider_payment_id=request.provider_payment_id,
        reference=request.reference,
        status=RefundStatus.PENDING,
        amount_minor=request.amount_minor,
        currency=request.currency,
    )
