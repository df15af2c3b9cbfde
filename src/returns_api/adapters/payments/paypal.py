"""PayPal refunds over payments v2: tokens held, refunds sent, looked up, listed.

Owns the calls and the access tokens (the only state: one per account, until it expires). Refuses to
own formats (``paypal_wire``), amounts (``paypal_money``) and signatures (``paypal_signature``).

PayPal has no search for refunds. The one documented place that lists them is the order of the
capture, so a look-up by our reference reads capture, then order. Repeating the request under its
PayPal-Request-Id would tell too, but it would *make* the refund if there was none, and a second one
once PayPal has forgotten the id after 45 days; a look-up must not move money.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from returns_api.adapters.http import Call, HttpClient, Reply
from returns_api.adapters.payments import paypal_wire as wire
from returns_api.adapters.payments.paypal_signature import verify_signature
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    Capabilities,
    PaymentAccount,
    PaymentEvent,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

TOKEN_MARGIN_SECONDS: Final = 60
MAX_TOKENS: Final = 10_000
_DEAD: Final = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


class PayPalPayments:
    """``ports.payments.PaymentProvider`` for PayPal."""

    name = "paypal"
    capabilities = Capabilities(
        # "The server stores keys for 45 days": payments v2, parameter PayPal-Request-Id.
        idempotency_window=timedelta(days=45),
        lookup_by_reference=True,
    )

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._tokens: dict[PaymentAccount, tuple[str, float]] = {}

    async def refund(self, account: PaymentAccount, request: RefundRequest) -> ProviderRefund:
        """Create the refund. Raises the three of ``ports.errors``, see ``paypal_wire.refuse``.

        A token that could not be had is *unavailable*, however it failed: nothing was asked.
        """
        asked = False
        try:
            async with self._http.total_deadline():
                token = await self._token(account)
                call = wire.build_refund(account, token, request)
                asked = True
                reply = await self._send(account, call)
        except OutcomeUnknown as error:
            if asked:
                raise
            raise ProviderUnavailable(f"no access token: {error}") from error
        return _checked(_parsed(reply, request.provider_payment_id), request)

    async def look_up(
        self, account: PaymentAccount, request: RefundRequest, provider_refund_id: str | None
    ) -> ProviderRefund | None:
        """By PayPal's id when known, else by our reference among the refunds of the order."""
        try:
            async with self._http.total_deadline():
                if provider_refund_id is not None:
                    found = await self._by_id(account, request, provider_refund_id)
                    if found is not None:
                        return found
                listed = await self._list(account, request.provider_payment_id)
        except ProviderRejected as error:
            # A capture that PayPal does not show us proves nothing about its refunds.
            raise OutcomeUnknown(f"look-up refused: {error.code}") from error
        named = [each for each in listed if each.reference == request.reference]
        return _only_living([_checked(each, request) for each in named], request)

    async def list_refunds(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> Sequence[ProviderRefund]:
        """All refunds in the capture's order. Raises like ``look_up``."""
        async with self._http.total_deadline():
            return await self._list(account, provider_payment_id)

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Offline, against pinned keys: see ``paypal_signature``."""
        return verify_signature(headers, body, secrets, now)

    def parse_event(self, body: bytes) -> PaymentEvent:
        """See ``paypal_wire.parse_event``."""
        return wire.parse_event(body)

    async def _by_id(
        self, account: PaymentAccount, request: RefundRequest, ident: str
    ) -> ProviderRefund | None:
        token = await self._token(account)
        reply = await self._send(account, wire.build_get_refund(account, token, ident), known=404)
        if reply.status == 404:
            return None
        return _checked(_parsed(reply, request.provider_payment_id), request)

    async def _list(self, account: PaymentAccount, payment: str) -> list[ProviderRefund]:
        token = await self._token(account)
        reply = await self._send(account, wire.build_get_capture(account, token, payment))
        try:
            capture = wire.parse_capture(reply.json_object(), payment)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable capture: {error}") from error
        call = wire.build_get_order(account, token, capture.order_id)
        reply = await self._send(account, call)
        try:
            found = wire.parse_order(reply.json_object(), payment)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable order: {error}") from error
        if capture.refunded and not any(each.status not in _DEAD for each in found):
            raise OutcomeUnknown("the capture was refunded and its order shows no refund")
        return found

    async def _send(self, account: PaymentAccount, call: Call, *, known: int = 0) -> Reply:
        """The answer to ``call``; a 4xx other than ``known`` is raised."""
        reply = await self._http.send(call)
        if reply.status == 401:  # revoked early, so that the next call asks for a new one
            self._tokens.pop(account, None)
        if reply.status != known:
            wire.refuse(reply)
        return reply

    async def _token(self, account: PaymentAccount) -> str:
        now = asyncio.get_running_loop().time()
        value, until = self._tokens.get(account, ("", 0.0))
        if until > now:
            return value
        token = wire.parse_token(await self._http.send(wire.build_token(account)))
        if len(self._tokens) >= MAX_TOKENS:
            self._tokens.clear()
        self._tokens[account] = (token.value, now + token.seconds - TOKEN_MARGIN_SECONDS)
        return token.value


def _only_living(found: Sequence[ProviderRefund], request: RefundRequest) -> ProviderRefund | None:
    """The one refund that holds money; a dead one only if there is no other."""
    living = [each for each in found if each.status not in _DEAD]
    if len(living) > 1:
        raise OutcomeUnknown(f"{len(living)} refunds carry the reference {request.reference}")
    return next(iter(living or found), None)


def _checked(refund: ProviderRefund, request: RefundRequest) -> ProviderRefund:
    asked = (request.reference, request.amount_minor, request.currency)
    if (refund.reference, refund.amount_minor, refund.currency) != asked:
        raise OutcomeUnknown("the refund there is not the one that was asked for")
    return refund


def _parsed(reply: Reply, payment: str) -> ProviderRefund:
    try:
        return wire.parse_refund(reply.json_object(), payment)
    except ValueError as error:
        raise OutcomeUnknown(f"unreadable refund: {error}") from error
