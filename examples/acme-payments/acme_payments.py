"""Acme Pay refunds for returns-api: requests built, answers and webhooks read, signatures checked.

Owns Acme's wire format and nothing else: no retry, no state, no decision about money.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from returns_api.adapters import fields
from returns_api.adapters.http import Call, HttpClient, Reply
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    Capabilities,
    PaymentAccount,
    PaymentEvent,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

MAX_PAGES = 50
MAX_MINOR = 10**13
DEAD = {RefundStatus.FAILED, RefundStatus.CANCELED}


class AcmePayments:
    """``returns_api.ports.payments.PaymentProvider`` for Acme Pay."""

    name = "acme"
    capabilities = Capabilities(
        idempotency_window=timedelta(hours=24),  # what Acme's documentation promises, not more
        lookup_by_reference=True,
    )

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def refund(self, account: PaymentAccount, request: RefundRequest) -> ProviderRefund:
        reply = await self._http.send(build_refund(account, request))
        refuse(reply)
        return checked(reply.json_object(), request)

    async def look_up(
        self, account: PaymentAccount, request: RefundRequest, provider_refund_id: str | None
    ) -> ProviderRefund | None:
        try:
            async with self._http.total_deadline():
                if provider_refund_id is not None:
                    reply = await self._http.send(build_read(account, provider_refund_id))
                    if reply.status != 404:
                        refuse(reply)
                        return checked(reply.json_object(), request)
                found = await self._list(account, request.provider_payment_id)
        except ProviderRejected as error:  # a payment that is not shown to us proves nothing
            raise OutcomeUnknown(f"look-up refused: {error.code}") from error
        ours = [each for each in found if each.get("reference") == request.reference]
        refunds = [checked(each, request) for each in ours]
        living = [each for each in refunds if each.status not in DEAD]
        if len(living) > 1:
            raise OutcomeUnknown("several refunds carry our reference")
        return next(iter(living or refunds), None)

    async def list_refunds(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> Sequence[ProviderRefund]:
        async with self._http.total_deadline():
            found = await self._list(account, provider_payment_id)
        return [parsed(each, provider_payment_id) for each in found]

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Acme signs the body with HMAC-SHA256, in hex, and names no time."""
        given = headers.get("x-signature", "").encode("ascii", "replace")
        right = [
            hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
            for secret in secrets
            if secret
        ]
        return any([hmac.compare_digest(given, each) for each in right])  # noqa: C419

    def parse_event(self, body: bytes) -> PaymentEvent:
        return parse_event(body)

    async def _list(self, account: PaymentAccount, payment: str) -> list[Mapping[str, object]]:
        found: list[Mapping[str, object]] = []
        for _ in range(MAX_PAGES):
            after = str(found[-1].get("id")) if found else None
            reply = await self._http.send(build_list(account, payment, after))
            refuse(reply)
            page = reply.json_object()
            try:
                found.extend(fields.objects(page, "refunds"))
            except ValueError as error:
                raise OutcomeUnknown("the list is not readable") from error
            if page.get("more") is not True:
                return found
        raise OutcomeUnknown("the list does not end")


def build_refund(account: PaymentAccount, request: RefundRequest) -> Call:
    """POST /plain/refunds: our reference is stored there, our key makes it happen once."""
    content = {
        "payment": request.provider_payment_id,
        "amount": request.amount_minor,
        "currency": request.currency,
        "reference": request.reference,
    }
    headers = {**_headers(account), "idempotency-key": request.idempotency_key}
    return Call("POST", _url(account, ""), headers, json.dumps(content).encode())


def build_read(account: PaymentAccount, provider_refund_id: str) -> Call:
    return Call("GET", _url(account, f"/{quote(provider_refund_id, safe='')}"), _headers(account))


def build_list(account: PaymentAccount, payment: str, after: str | None) -> Call:
    query = {"payment": payment} | ({"after": after} if after else {})
    return Call("GET", _url(account, f"?{urlencode(query)}"), _headers(account))


def refuse(reply: Reply) -> None:
    """A 4xx as one of the three errors. 5xx, 3xx and 429 never get here: see ``HttpClient``."""
    if reply.status < 400:
        return
    try:
        code = fields.text(reply.json_object(), "code")
    except ValueError as error:  # somebody in between answered
        raise OutcomeUnknown(f"answer {reply.status} is not Acme's") from error
    if reply.status in {401, 403}:  # not looked at: may be sent again once that is mended
        raise ProviderUnavailable(f"credentials refused: {code}")
    if reply.status == 409:  # our key is in use: this request did not act
        raise ProviderUnavailable(f"busy: {code}", reply.retry_after)
    if code == "key_used_differently":  # something may have moved under it
        raise OutcomeUnknown("the key was used with other content")
    raise ProviderRejected(code, f"Acme answered {reply.status}")


def parse_refund(source: Mapping[str, object]) -> ProviderRefund:
    """A refund as evidence. Raises ``ValueError``."""
    return ProviderRefund(
        provider_refund_id=fields.text(source, "id"),
        provider_payment_id=fields.text(source, "payment"),
        reference=fields.optional_text(source, "reference"),
        status=RefundStatus(fields.text(source, "status")),
        amount_minor=fields.integer(source, "amount", least=1, most=MAX_MINOR),
        currency=fields.text(source, "currency", longest=3),
        created_at=fields.timestamp(source, "created_at"),
    )


def parse_event(body: bytes) -> PaymentEvent:
    """The facts of a webhook. Raises ``ValueError`` for what is no event of Acme's."""
    try:
        event = json.loads(body)
    except RecursionError as error:
        raise ValueError("the event is nested too deeply") from error
    if not isinstance(event, dict):
        raise ValueError("not an object")
    ident, topic = fields.text(event, "event"), fields.text(event, "topic")
    data = fields.mapping(event, "data")
    if topic == "refund":
        return PaymentEvent(ident, topic, (parse_refund(data),))
    if topic == "dispute":
        dispute = ProviderDispute(
            provider_dispute_id=fields.text(data, "id"),
            provider_payment_id=fields.text(data, "payment"),
            amount_minor=fields.integer(data, "amount", least=1, most=MAX_MINOR),
            currency=fields.text(data, "currency", longest=3),
            open=data.get("won") is not True,
        )
        return PaymentEvent(ident, topic, (dispute,))
    return PaymentEvent(ident, topic, ())


def parsed(source: Mapping[str, object], payment: str) -> ProviderRefund:
    """A refund of ``payment``; anything else is unknown, because money may have moved."""
    try:
        refund = parse_refund(source)
    except ValueError as error:
        raise OutcomeUnknown(f"unreadable refund: {error}") from error
    if refund.provider_payment_id != payment:
        raise OutcomeUnknown("the refund belongs to another payment")
    return refund


def checked(source: Mapping[str, object], request: RefundRequest) -> ProviderRefund:
    """The refund that was asked for: an answer about another one is unknown."""
    refund = parsed(source, request.provider_payment_id)
    asked = (request.reference, request.amount_minor, request.currency)
    if (refund.reference, refund.amount_minor, refund.currency) != asked:
        raise OutcomeUnknown("the refund there is not the one that was asked for")
    return refund


def _headers(account: PaymentAccount) -> dict[str, str]:
    return {"authorization": f"Bearer {account.secret}", "content-type": "application/json"}


def _url(account: PaymentAccount, rest: str) -> str:
    return f"{account.base_url.rstrip('/')}/plain/refunds{rest}"
