"""Adyen refunds over Checkout v71: requested here, told by webhook.

Owns Adyen's refund request and its answer. Refuses to own webhooks (``adyen_events``) and amounts
(``adyen_money``).

Adyen only ever answers "received", and has no call that says what became of a refund. So a refund
that was accepted is *pending*, and a look-up always raises: nothing here may be taken for "there is
no such refund". An unknown outcome is settled by sending the same request under the same
Idempotency-Key while Adyen surely knows it, which gives the first answer again, and afterwards by
the webhook or by a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson

from returns_api.adapters import fields
from returns_api.adapters.http import Call, HttpClient, Reply
from returns_api.adapters.payments import adyen_events as events
from returns_api.adapters.payments.adyen_money import from_adyen, to_adyen
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    Capabilities,
    Listing,
    PaymentAccount,
    PaymentEvent,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

VERSION: Final = "v71"
MAX_KEY: Final = 64
IN_PROGRESS: Final = "704"
_PAYMENT_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_REASONS: Final = {
    "duplicate": "DUPLICATE",
    "fraudulent": "FRAUD",
    "requested_by_customer": "CUSTOMER REQUEST",
}


class AdyenPayments:
    """``ports.payments.PaymentProvider`` for Adyen. Stateless apart from the pooled client.

    The account's name is the merchant account, its secret the API key, its ``base_url`` ends before
    the version: ``https://checkout-test.adyen.com`` or
    ``https://<prefix>-checkout-live.adyenpayments.com/checkout``.
    """

    name = "adyen"
    capabilities = Capabilities(
        # "Valid for a minimum of 7 days": docs.adyen.com/development-resources/api-idempotency.
        idempotency_window=timedelta(days=7),
        lookup_by_reference=False,
        synchronous=False,
        listing=Listing.NOTHING,
    )

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def refund(self, account: PaymentAccount, request: RefundRequest) -> ProviderRefund:
        """Request the refund; pending when it was received. Raises as ``refuse`` says."""
        reply = await self._http.send(build_refund(account, request))
        refuse(reply)
        try:
            return parse_received(reply.json_object(), account, request)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable answer: {error}") from error

    async def look_up(
        self, account: PaymentAccount, request: RefundRequest, provider_refund_id: str | None
    ) -> ProviderRefund | None:
        """Always raises ``OutcomeUnknown``: nobody can be asked, and silence is no evidence."""
        raise OutcomeUnknown("Adyen tells what became of a refund by webhook only")

    async def list_refunds(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> Sequence[ProviderRefund]:
        """Always raises ``ProviderUnavailable``: Adyen's list is its settlement report."""
        raise ProviderUnavailable("Adyen has no call that lists the refunds of a payment")

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """By the HMAC in the body, which names no time: see ``adyen_events``."""
        return events.verify_webhook(headers, body, secrets)

    def parse_event(self, body: bytes) -> PaymentEvent:
        """See ``adyen_events.parse_event``."""
        return events.parse_event(body)


def build_refund(account: PaymentAccount, request: RefundRequest) -> Call:
    """POST /v71/payments/{pspReference}/refunds.

    Raises ``ProviderRejected`` for what Adyen could never accept.
    """
    if not _PAYMENT_ID.fullmatch(request.provider_payment_id):
        raise ProviderRejected("payment_unknown", "not a payment of Adyen")
    if len(request.idempotency_key) > MAX_KEY:  # cut off there, so that two could become one
        raise ProviderRejected("key_too_long", f"Adyen takes keys of at most {MAX_KEY}")
    content: dict[str, object] = {
        "merchantAccount": account.account,
        "amount": to_adyen(request.amount_minor, request.currency),
        "reference": request.reference,
    }
    if request.reason in _REASONS:
        content["merchantRefundReason"] = _REASONS[str(request.reason)]
    headers = {
        "x-api-key": account.secret,
        "content-type": "application/json",
        "idempotency-key": request.idempotency_key,
    }
    path = f"/{VERSION}/payments/{request.provider_payment_id}/refunds"
    return Call("POST", account.base_url.rstrip("/") + path, headers, orjson.dumps(content))


def refuse(reply: Reply) -> None:
    """Turn a 4xx into one of the three port errors; pass for 2xx.

    - 401, 403: the refund was not looked at; it may be sent once the account is mended.
    - error 704, or the header ``transient-error: true``: our key is being used. This request did
      not act.
    - a 4xx without Adyen's ``errorCode``: somebody in between answered. Unknown.
    - every other 4xx: rejected, with Adyen's code.
    """
    if reply.status < 400:
        return
    try:
        error = reply.json_object()
        code = fields.text(error, "errorCode", longest=100)
    except ValueError as unreadable:
        raise OutcomeUnknown(f"answer {reply.status} is not Adyen's") from unreadable
    if reply.status in {401, 403}:
        raise ProviderUnavailable(f"credentials refused: {code}")
    if code == IN_PROGRESS or reply.headers.get("transient-error", "").lower() == "true":
        raise ProviderUnavailable(f"busy: {code}", reply.retry_after)
    # Adyen's own message can quote what was sent, so it goes no further than here.
    raise ProviderRejected(code, f"Adyen answered {reply.status}")


def parse_received(
    source: Mapping[str, object], account: PaymentAccount, request: RefundRequest
) -> ProviderRefund:
    """The answer "received", compared with what was asked. Raises ``ValueError``."""
    amount, currency = from_adyen(fields.mapping(source, "amount"))
    told = (
        fields.text(source, "status"),
        fields.text(source, "merchantAccount"),
        fields.text(source, "paymentPspReference"),
        fields.text(source, "reference"),
        amount,
        currency,
    )
    asked = (
        "received",
        account.account,
        request.provider_payment_id,
        request.reference,
        request.amount_minor,
        request.currency,
    )
    if told != asked:
        raise ValueError("it is not the refund that was asked for")
    return ProviderRefund(
        provider_refund_id=fields.text(source, "pspReference", longest=255),
        provider_payment_id=request.provider_payment_id,
        reference=request.reference,
        status=RefundStatus.PENDING,
        amount_minor=amount,
        currency=currency,
    )
