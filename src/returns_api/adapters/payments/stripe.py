"""Stripe refunds: sent, looked up, listed.

Owns the calls and nothing else: no retry, no state, no decision about money. Refuses to own formats
(``stripe_wire``), webhooks (``stripe_events``), amounts (``stripe_units``) and where a walk through
an account stands (``stripe_activity``). Every answer is compared with what was asked; one that
differs is ``OutcomeUnknown``, because money may have moved in a way nobody asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from returns_api.adapters import fields
from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments import stripe_activity
from returns_api.adapters.payments import stripe_wire as wire
from returns_api.adapters.payments.stripe_events import parse_event, verify_signature
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected
from returns_api.ports.payments import (
    ActivityPage,
    Capabilities,
    Listing,
    PaymentAccount,
    PaymentEvent,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

MAX_PAGES: Final = 20


class StripePayments:
    """``ports.payments.PaymentProvider`` for Stripe. Stateless apart from the pooled client."""

    name = "stripe"
    capabilities = Capabilities(
        idempotency_window=timedelta(hours=24),  # docs.stripe.com/api/idempotent_requests
        lookup_by_reference=True,
        listing=Listing.ACCOUNT,
    )

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def refund(self, account: PaymentAccount, request: RefundRequest) -> ProviderRefund:
        """Create the refund. Raises the three of ``ports.errors``, see ``wire.refuse``."""
        reply = await self._http.send(wire.build_refund(account, request))
        wire.refuse(reply)
        return wire.checked(reply.json_object(), request)

    async def look_up(
        self, account: PaymentAccount, request: RefundRequest, provider_refund_id: str | None
    ) -> ProviderRefund | None:
        """By Stripe's id when known, else by our reference among all refunds of the payment."""
        try:
            async with self._http.total_deadline():
                if provider_refund_id is not None:
                    reply = await self._http.send(wire.build_retrieve(account, provider_refund_id))
                    if reply.status != 404:
                        wire.refuse(reply)
                        return wire.checked(reply.json_object(), request)
                pages = await self._list(account, request.provider_payment_id)
        except ProviderRejected as error:
            # A payment that Stripe does not show us (say, another account's key) proves nothing.
            raise OutcomeUnknown(f"look-up refused: {error.code}") from error
        return _only_living(
            [each for each in pages if wire.reference_of(each) == request.reference], request
        )

    async def list_refunds(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> Sequence[ProviderRefund]:
        """Newest first. Raises ``OutcomeUnknown`` past ``MAX_PAGES`` pages."""
        async with self._http.total_deadline():
            found = await self._list(account, provider_payment_id)
        return [wire.parsed(each, provider_payment_id) for each in found]

    async def list_activity(
        self, account: PaymentAccount, since: datetime, cursor: str | None
    ) -> ActivityPage:
        """Refunds and then disputes made since, newest first: see ``stripe_activity``."""
        at = stripe_activity.place(cursor)
        path = stripe_activity.path_of(at, since)
        reply = await self._http.send(wire.build_page(account, path))
        wire.refuse(reply)
        answer = reply.json_object()
        try:
            found = fields.objects(answer, "data")
            read = wire.parse_refund if at.kind == stripe_activity.REFUNDS else wire.parse_dispute
            # A refund of a customer's balance names no payment, so it is none of ours.
            paid = [each for each in found if each.get("charge") or each.get("payment_intent")]
            facts = [read(each) for each in paid]
            following = stripe_activity.following(at, found, more=answer.get("has_more") is True)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable list: {error}") from error
        return ActivityPage(tuple(fact for fact in facts if fact is not None), following)

    async def _list(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> list[Mapping[str, object]]:
        found: list[Mapping[str, object]] = []
        for _ in range(MAX_PAGES):
            last = str(found[-1].get("id")) if found else None
            reply = await self._http.send(wire.build_list(account, provider_payment_id, last))
            wire.refuse(reply)
            answer = reply.json_object()
            try:
                page = fields.objects(answer, "data")
            except ValueError as error:
                raise OutcomeUnknown("the list of refunds is not readable") from error
            found.extend(page)
            if answer.get("has_more") is not True:
                return found
            if not page:
                break
        raise OutcomeUnknown("the list of refunds does not end")

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Stripe's v1 scheme, see ``stripe_events``."""
        return verify_signature(headers.get("stripe-signature", ""), body, secrets, now)

    def parse_event(self, body: bytes) -> PaymentEvent:
        """See ``stripe_events``."""
        return parse_event(body)


def _only_living(
    found: Sequence[Mapping[str, object]], request: RefundRequest
) -> ProviderRefund | None:
    """The one refund that holds money; a dead one only if there is no other."""
    refunds = [wire.checked(each, request) for each in found]
    dead = {RefundStatus.FAILED, RefundStatus.CANCELED}
    living = [each for each in refunds if each.status not in dead]
    if len(living) > 1:
        raise OutcomeUnknown(f"{len(living)} refunds carry the reference {request.reference}")
    return next(iter(living or refunds), None)
