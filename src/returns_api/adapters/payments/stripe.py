"""Stripe refunds: requests built, answers and webhooks parsed, signatures checked.

Owns Stripe's wire format and nothing else (one vendor, one file, hence its length): no retry, no
state, no decision about money. Written against API version 2023-08-16. Every answer is compared
with what was asked; one that differs is ``OutcomeUnknown``, because money may have moved in a way
nobody asked for.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

import orjson

from returns_api.adapters import fields
from returns_api.adapters.http import Call, HttpClient, Reply
from returns_api.adapters.payments import stripe_activity
from returns_api.adapters.payments.stripe_units import from_stripe_amount, to_stripe_amount
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    ActivityPage,
    Capabilities,
    Listing,
    PaymentAccount,
    PaymentEvent,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

API_VERSION: Final = "2023-08-16"
REFERENCE_KEY: Final = "returns_api_reference"
SIGNATURE_TOLERANCE: Final = timedelta(minutes=5)
MAX_SIGNATURE_HEADER: Final = 2_048
MAX_AMOUNT: Final = 10**13
PAGE_SIZE: Final = 100
MAX_PAGES: Final = 20

_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
_REFUND_TOPICS: Final = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)
_DISPUTE_TOPICS: Final = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)
# Inquiries (warning_*) and prevented disputes took no money and are left out altogether, so that
# "not open" is final: Stripe never leaves won.
_DISPUTE_OPEN: Final = {"needs_response": True, "under_review": True, "lost": True, "won": False}


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
        """Create the refund. Raises the three of ``ports.errors``, see ``refuse``."""
        reply = await self._http.send(build_refund(account, request))
        refuse(reply)
        return _checked(reply.json_object(), request)

    async def look_up(
        self, account: PaymentAccount, request: RefundRequest, provider_refund_id: str | None
    ) -> ProviderRefund | None:
        """By Stripe's id when known, else by our reference among all refunds of the payment."""
        try:
            async with self._http.total_deadline():
                if provider_refund_id is not None:
                    reply = await self._http.send(build_retrieve(account, provider_refund_id))
                    if reply.status != 404:
                        refuse(reply)
                        return _checked(reply.json_object(), request)
                pages = await self._list(account, request.provider_payment_id)
        except ProviderRejected as error:
            # A payment that Stripe does not show us (say, another account's key) proves nothing.
            raise OutcomeUnknown(f"look-up refused: {error.code}") from error
        return _only_living(
            [each for each in pages if _reference(each) == request.reference], request
        )

    async def list_refunds(
        self, account: PaymentAccount, provider_payment_id: str
    ) -> Sequence[ProviderRefund]:
        """Newest first. Raises ``OutcomeUnknown`` past ``MAX_PAGES`` pages."""
        async with self._http.total_deadline():
            found = await self._list(account, provider_payment_id)
        return [_parsed(each, provider_payment_id) for each in found]

    async def list_activity(
        self, account: PaymentAccount, since: datetime, cursor: str | None
    ) -> ActivityPage:
        """Refunds and then disputes made since, newest first: see ``stripe_activity``."""
        at = stripe_activity.place(cursor)
        path = stripe_activity.path_of(at, since)
        reply = await self._http.send(Call("GET", _url(account, path), _headers(account)))
        refuse(reply)
        answer = reply.json_object()
        try:
            found = fields.objects(answer, "data")
            read = parse_refund if at.kind == stripe_activity.REFUNDS else parse_dispute
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
            reply = await self._http.send(build_list(account, provider_payment_id, last))
            refuse(reply)
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
        """Stripe's v1 scheme, see ``verify_signature``."""
        return verify_signature(headers.get("stripe-signature", ""), body, secrets, now)

    def parse_event(self, body: bytes) -> PaymentEvent:
        """See the module's ``parse_event``."""
        return parse_event(body)


def build_refund(account: PaymentAccount, request: RefundRequest) -> Call:
    """POST /v1/refunds. Raises ``ProviderRejected`` for what Stripe could never accept."""
    form = {
        _payment_field(request.provider_payment_id): request.provider_payment_id,
        "amount": str(to_stripe_amount(request.amount_minor, request.currency)),
        f"metadata[{REFERENCE_KEY}]": request.reference,
    }
    if request.reason in _REASONS:
        form["reason"] = str(request.reason)
    headers = {
        **_headers(account),
        "content-type": "application/x-www-form-urlencoded",
        "idempotency-key": request.idempotency_key,
    }
    return Call("POST", _url(account, "/v1/refunds"), headers, urlencode(form).encode("ascii"))


def build_retrieve(account: PaymentAccount, provider_refund_id: str) -> Call:
    """GET /v1/refunds/{id}."""
    path = f"/v1/refunds/{quote(provider_refund_id, safe='')}"
    return Call("GET", _url(account, path), _headers(account))


def build_list(account: PaymentAccount, provider_payment_id: str, after: str | None) -> Call:
    """GET /v1/refunds of one payment, the page after the refund ``after``."""
    query = {_payment_field(provider_payment_id): provider_payment_id, "limit": str(PAGE_SIZE)}
    if after is not None:
        query["starting_after"] = after
    return Call("GET", _url(account, f"/v1/refunds?{urlencode(query)}"), _headers(account))


def refuse(reply: Reply) -> None:
    """Turn a 4xx into one of the three port errors; pass for 2xx.

    - 409: a request with our key is still running there. This one did not act.
    - 401, 403: the key is wrong, the refund was not looked at; it may be sent once that is mended.
    - 400 ``idempotency_error``: our key was used before with *other* content. Something may have
      moved under it, so it is unknown, not rejected.
    - a 4xx that is not Stripe's error object: somebody in between answered. Unknown.
    - every other 4xx: rejected, with Stripe's code.
    """
    if reply.status < 400:
        return
    try:
        error = fields.mapping(reply.json_object(), "error")
        kind = fields.text(error, "type")
        code = fields.optional_text(error, "code") or kind
    except ValueError as unreadable:
        raise OutcomeUnknown(f"answer {reply.status} is not Stripe's") from unreadable
    if reply.status == 409:
        raise ProviderUnavailable(f"busy: {code}", reply.retry_after)
    if reply.status in {401, 403}:
        raise ProviderUnavailable(f"credentials refused: {code}")
    if kind == "idempotency_error":
        raise OutcomeUnknown("the idempotency key was used with other content")
    # Stripe's own message can quote what was sent, so it goes no further than here.
    raise ProviderRejected(code, f"Stripe answered {reply.status} {kind}")


def parse_refund(
    source: Mapping[str, object], asked_payment_id: str | None = None
) -> ProviderRefund:
    """A refund object as evidence. Raises ``ValueError``.

    Stripe names a payment twice, as intent and as charge; ``asked_payment_id`` picks the name that
    was asked with, otherwise the intent comes first.
    """
    if source.get("object") != "refund":
        raise ValueError("not a refund object")
    names = [_id(source, "payment_intent"), _id(source, "charge")]
    known = [each for each in names if each is not None]
    if not known or (asked_payment_id is not None and asked_payment_id not in known):
        raise ValueError("the refund belongs to another payment")
    currency = fields.text(source, "currency", longest=3).upper()
    amount = fields.integer(source, "amount", least=1, most=MAX_AMOUNT)
    return ProviderRefund(
        provider_refund_id=fields.text(source, "id", longest=255),
        provider_payment_id=asked_payment_id or known[0],
        reference=_reference(source),
        status=RefundStatus(fields.text(source, "status")),
        amount_minor=from_stripe_amount(amount, currency),
        currency=currency,
        failure_code=fields.optional_text(source, "failure_reason"),
        created_at=fields.epoch(source, "created"),
    )


def parse_dispute(source: Mapping[str, object]) -> ProviderDispute | None:
    """A dispute object as evidence; None for one that took no money. Raises ``ValueError``."""
    if source.get("object") != "dispute":
        raise ValueError("not a dispute object")
    is_open = _DISPUTE_OPEN.get(fields.text(source, "status"))
    payment = _id(source, "payment_intent") or _id(source, "charge")
    if payment is None:
        raise ValueError("the dispute names no payment")
    if is_open is None:
        return None
    currency = fields.text(source, "currency", longest=3).upper()
    amount = fields.integer(source, "amount", least=1, most=MAX_AMOUNT)
    return ProviderDispute(
        provider_dispute_id=fields.text(source, "id", longest=255),
        provider_payment_id=payment,
        amount_minor=from_stripe_amount(amount, currency),
        currency=currency,
        open=is_open,
        created_at=fields.epoch(source, "created") if "created" in source else None,
    )


def parse_event(body: bytes) -> PaymentEvent:
    """The facts of a webhook. Raises ``ValueError`` for what is not a readable Stripe event.

    Topics without facts for us give none. ``charge.refunded`` carries its refunds only in API
    versions before 2022-11-15; later ones announce each by ``refund.created`` as well.
    """
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("the event is not JSON") from error
    if not isinstance(event, dict) or event.get("object") != "event":
        raise ValueError("not an event object")
    topic = fields.text(event, "type", longest=255)
    subject = fields.mapping(fields.mapping(event, "data"), "object")
    return PaymentEvent(fields.text(event, "id", longest=255), topic, _facts(topic, subject))


def verify_signature(header: str, body: bytes, secrets: Sequence[str], now: datetime) -> bool:
    """Whether any v1 signature in ``header`` is right for any secret, within ±5 minutes of ``now``.

    Never raises; a header that is empty, overlong, not ASCII or without exactly one timestamp is
    simply wrong. Source: docs.stripe.com/webhooks, "verify manually".
    """
    if not header.isascii() or not 0 < len(header) <= MAX_SIGNATURE_HEADER:
        return False
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    given = [value.encode("ascii") for name, _, value in pairs if name == "v1"]
    if len(stamps) != 1 or not stamps[0].isdigit() or len(stamps[0]) > 12:
        return False
    if abs(int(now.timestamp()) - int(stamps[0])) > SIGNATURE_TOLERANCE.total_seconds():
        return False
    signed = stamps[0].encode("ascii") + b"." + body
    right = [_sign(secret, signed) for secret in secrets if secret]
    return any(hmac.compare_digest(one, other) for one in given for other in right)


def _facts(
    topic: str, subject: Mapping[str, object]
) -> tuple[ProviderRefund | ProviderDispute, ...]:
    if topic in _REFUND_TOPICS:
        return (parse_refund(subject),)
    if topic in _DISPUTE_TOPICS:
        dispute = parse_dispute(subject)
        return () if dispute is None else (dispute,)
    if topic == "charge.refunded" and isinstance(subject.get("refunds"), dict):
        listed = fields.objects(fields.mapping(subject, "refunds"), "data")
        return tuple(parse_refund(each) for each in listed)
    return ()


def _only_living(
    found: Sequence[Mapping[str, object]], request: RefundRequest
) -> ProviderRefund | None:
    """The one refund that holds money; a dead one only if there is no other."""
    refunds = [_checked(each, request) for each in found]
    dead = {RefundStatus.FAILED, RefundStatus.CANCELED}
    living = [each for each in refunds if each.status not in dead]
    if len(living) > 1:
        raise OutcomeUnknown(f"{len(living)} refunds carry the reference {request.reference}")
    return next(iter(living or refunds), None)


def _checked(source: Mapping[str, object], request: RefundRequest) -> ProviderRefund:
    refund = _parsed(source, request.provider_payment_id)
    asked = (request.reference, request.amount_minor, request.currency)
    if (refund.reference, refund.amount_minor, refund.currency) != asked:
        raise OutcomeUnknown("the refund there is not the one that was asked for")
    return refund


def _parsed(source: Mapping[str, object], payment_id: str) -> ProviderRefund:
    try:
        return parse_refund(source, payment_id)
    except ValueError as error:
        raise OutcomeUnknown(f"unreadable refund: {error}") from error


def _reference(source: Mapping[str, object]) -> str | None:
    metadata = source.get("metadata")
    return fields.optional_text(metadata, REFERENCE_KEY) if isinstance(metadata, dict) else None


def _id(source: Mapping[str, object], name: str) -> str | None:
    """The id in ``name``, which Stripe may have expanded to the whole object."""
    value = source.get(name)
    if isinstance(value, dict):
        return fields.text(value, "id", longest=255)
    return fields.optional_text(source, name, longest=255)


def _payment_field(payment_id: str) -> str:
    if payment_id.startswith("pi_"):
        return "payment_intent"
    if payment_id.startswith(("ch_", "py_")):
        return "charge"
    raise ProviderRejected("payment_unknown", "neither a payment intent nor a charge of Stripe")


def _headers(account: PaymentAccount) -> dict[str, str]:
    headers = {"authorization": f"Bearer {account.secret}", "stripe-version": API_VERSION}
    if account.account.startswith("acct_"):  # a platform's key acting for a connected account
        headers["stripe-account"] = account.account
    return headers


def _url(account: PaymentAccount, path: str) -> str:
    return account.base_url.rstrip("/") + path


def _sign(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode("ascii")
