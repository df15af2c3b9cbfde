"""The shop platform's own refund call, so that Shopify's books agree with the money.

Owns the calls. Refuses to own formats (``shopify_wire``), the webhook (``shopify_events``) and
everything about orders (``adapters.shops.shopify``, which also reads this platform's disputes).

``refundCreate`` needs the order, which the payment's transaction names: so each refund reads first,
and a refund that already carries our reference is answered instead of made again, also after
Shopify has forgotten the key (24 hours).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments import shopify_wire as wire
from returns_api.adapters.payments.shopify_events import parse_event
from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    Capabilities,
    Naming,
    PaymentAccount,
    PaymentEvent,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

_DEAD: Final = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


class ShopifyPayments:
    """``ports.payments.PaymentProvider`` for payments that Shopify itself can refund.

    The account's ``base_url`` is the shop's, its secret an Admin API access token with
    ``write_orders``. A payment is named by its transaction, as a number or a global id.
    """

    name = "shopify"
    capabilities = Capabilities(
        # "Shopify tracks idempotency keys for 24 hours": shopify.dev, "Implementing idempotency".
        idempotency_window=timedelta(hours=24),
        lookup_by_reference=True,
        naming=Naming.PLATFORM,
        tells=frozenset({"refund"}),
    )

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._shop = ShopifyShop()

    async def refund(self, account: PaymentAccount, request: RefundRequest) -> ProviderRefund:
        """Create the refund, or answer the one that is there. Raises the three of ``ports.errors``.

        A read that fails is *unavailable*, however it failed: nothing was asked for yet.
        """
        read = False
        try:
            async with self._http.total_deadline():
                payment = await self._read(account, request.provider_payment_id)
                read = True
                there = _living(payment, request)
                if there is not None:
                    return _checked(there, request)
                call = wire.build_refund(account, request, payment)
                data = wire.answer(await self._http.send(call))
        except OutcomeUnknown as error:
            if read:
                raise
            raise ProviderUnavailable(f"the payment could not be read: {error}") from error
        try:
            return _checked(wire.parse_created(data, request.provider_payment_id), request)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable refund: {error}") from error

    async def look_up(
        self, account: PaymentAccount, request: RefundRequest, provider_refund_id: str | None
    ) -> ProviderRefund | None:
        """By the movement's id when known, else by our reference in the note of its refund."""
        try:
            payment = await self._read(account, request.provider_payment_id)
        except ProviderRejected as error:
            # A payment that Shopify does not show us (another shop's token) proves nothing.
            raise OutcomeUnknown(f"look-up refused: {error.code}") from error
        named = [r for r in payment.refunds if r.provider_refund_id == provider_refund_id]
        found = named[0] if named else _living(payment, request) or _dead(payment, request)
        return None if found is None else _checked(found, request)

    async def list_refunds(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> Sequence[ProviderRefund]:
        """In Shopify's order. Raises ``OutcomeUnknown`` from ``wire.MAX_REFUNDS`` refunds on."""
        return (await self._read(account, provider_payment_id)).refunds

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """The shop adapter's: Shopify signs all webhooks alike, and without a time."""
        return self._shop.verify(headers, body, secrets, now)

    def parse_event(self, body: bytes) -> PaymentEvent:
        """See ``shopify_events``."""
        return parse_event(body)

    async def _read(self, account: PaymentAccount, payment_id: str) -> wire.Payment:
        data = wire.answer(await self._http.send(wire.build_read(account, payment_id)))
        try:
            payment = wire.parse_payment(data, payment_id)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable payment: {error}") from error
        if payment is None:
            raise ProviderRejected("payment_unknown", "Shopify has no such transaction")
        return payment


def _living(payment: wire.Payment, request: RefundRequest) -> ProviderRefund | None:
    """The one refund with our reference that holds money."""
    found = [each for each in _ours(payment, request) if each.status not in _DEAD]
    if len(found) > 1:
        raise OutcomeUnknown(f"{len(found)} refunds carry the reference {request.reference}")
    return next(iter(found), None)


def _dead(payment: wire.Payment, request: RefundRequest) -> ProviderRefund | None:
    return next(iter(_ours(payment, request)), None)


def _ours(payment: wire.Payment, request: RefundRequest) -> list[ProviderRefund]:
    return [each for each in payment.refunds if each.reference == request.reference]


def _checked(refund: ProviderRefund, request: RefundRequest) -> ProviderRefund:
    asked = (request.reference, request.amount_minor, request.currency)
    if (refund.reference, refund.amount_minor, refund.currency) != asked:
        raise OutcomeUnknown("the refund there is not the one that was asked for")
    return refund
