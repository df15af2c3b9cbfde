"""PayPal's requests and answers: built, refused, parsed. Pure, no network, no state.

Owns the formats of payments v2, of the order that lists a capture's refunds, and of webhooks.
Refuses to own the calls themselves (``paypal``) and the signature (``paypal_signature``).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

import orjson

from returns_api.adapters import fields
from returns_api.adapters.http import Call, Reply
from returns_api.adapters.payments.paypal_money import from_paypal, to_paypal
from returns_api.adapters.payments.references import ours
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    PaymentEvent,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

REFUNDED: Final = "PAYMENT.CAPTURE.REFUNDED"
DISPUTES: Final = frozenset(
    {"CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED"}
)
MAX_TOKEN: Final = 4_096
MAX_TOKEN_SECONDS: Final = 86_400
_CAPTURE_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_CAPTURE_PATH: Final = re.compile(r"/v2/payments/captures/([A-Za-z0-9]{1,64})")
_STATUS: Final = {
    "COMPLETED": RefundStatus.SUCCEEDED,
    "PENDING": RefundStatus.PENDING,
    "FAILED": RefundStatus.FAILED,
    "CANCELLED": RefundStatus.CANCELED,
}
# The money stays with, or comes back to, the merchant. Every other end of a dispute gave it away.
_GIVEN_BACK: Final = frozenset(
    {"RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"}
)
_REFUNDED_CAPTURES: Final = frozenset({"PARTIALLY_REFUNDED", "REFUNDED"})


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and for how many seconds it is valid."""

    value: str = field(repr=False)
    seconds: int


@dataclass(frozen=True, slots=True)
class Capture:
    """What a look-up needs of a captured payment: its order, and whether refunds exist at all."""

    order_id: str
    refunded: bool


def build_token(account: PaymentAccount) -> Call:
    """POST /v1/oauth2/token; the account's name is the client id, its secret the client secret."""
    pair = base64.b64encode(f"{account.account}:{account.secret}".encode()).decode()
    headers = {
        "authorization": f"Basic {pair}",
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
    }
    return Call(
        "POST", _url(account, "/v1/oauth2/token"), headers, b"grant_type=client_credentials"
    )


def build_refund(account: PaymentAccount, token: str, request: RefundRequest) -> Call:
    """POST /v2/payments/captures/{id}/refund.

    Our reference goes into both fields that PayPal hands back; ``invoice_id`` is the one that its
    reports show. Raises ``ProviderRejected`` for what PayPal could never accept.
    """
    content = {
        "amount": to_paypal(request.amount_minor, request.currency),
        "custom_id": request.reference,
        "invoice_id": request.reference,
    }
    headers = {
        **_headers(token),
        "content-type": "application/json",
        "paypal-request-id": request.idempotency_key,
        "prefer": "return=representation",
    }
    capture = capture_id(request.provider_payment_id)
    url = _url(account, f"/v2/payments/captures/{capture}/refund")
    return Call("POST", url, headers, orjson.dumps(content))


def build_get_refund(account: PaymentAccount, token: str, provider_refund_id: str) -> Call:
    """GET /v2/payments/refunds/{id}."""
    path = f"/v2/payments/refunds/{quote(provider_refund_id, safe='')}"
    return Call("GET", _url(account, path), _headers(token))


def build_get_capture(account: PaymentAccount, token: str, capture: str) -> Call:
    """GET /v2/payments/captures/{id}. Raises ``ProviderRejected`` for what is no capture id."""
    path = f"/v2/payments/captures/{capture_id(capture)}"
    return Call("GET", _url(account, path), _headers(token))


def build_get_order(account: PaymentAccount, token: str, order_id: str) -> Call:
    """GET /v2/checkout/orders/{id}."""
    path = f"/v2/checkout/orders/{quote(order_id, safe='')}"
    return Call("GET", _url(account, path), _headers(token))


def capture_id(payment_id: str) -> str:
    """``payment_id`` if it has the form of a capture's. Raises ``ProviderRejected``."""
    if not _CAPTURE_ID.fullmatch(payment_id):
        raise ProviderRejected("payment_unknown", "not a capture of PayPal")
    return payment_id


def refuse(reply: Reply) -> None:
    """Turn a 4xx into one of the three port errors; pass for 2xx.

    - 401, 403: the refund was not looked at; it may be sent once the account is mended.
    - 409: a request with our id is still running there. This one did not act.
    - a 4xx without PayPal's ``name``: somebody in between answered. Unknown.
    - every other 4xx: rejected, with the issue that PayPal names.
    """
    if reply.status < 400:
        return
    try:
        error = reply.json_object()
        code = _issue(error) or fields.text(error, "name", longest=100)
    except ValueError as unreadable:
        raise OutcomeUnknown(f"answer {reply.status} is not PayPal's") from unreadable
    if reply.status in {401, 403}:
        raise ProviderUnavailable(f"credentials refused: {code}")
    if reply.status == 409:
        raise ProviderUnavailable(f"busy: {code}", reply.retry_after)
    # PayPal's descriptions can quote what was sent, so they go no further than here.
    raise ProviderRejected(code, f"PayPal answered {reply.status}")


def parse_token(reply: Reply) -> Token:
    """The token of an answer. Raises ``ProviderUnavailable``: without one nothing was asked."""
    if reply.status >= 400:
        raise ProviderUnavailable(f"client refused with {reply.status}", reply.retry_after)
    try:
        source = reply.json_object()
        value = fields.text(source, "access_token", longest=MAX_TOKEN)
        if not re.fullmatch(r"[!-~]+", value):
            raise ValueError("the token cannot stand in a header")
        seconds = fields.integer(source, "expires_in", least=0, most=10**9)
    except (ValueError, OutcomeUnknown) as error:
        raise ProviderUnavailable("the answer holds no access token") from error
    return Token(value, min(seconds, MAX_TOKEN_SECONDS))


def parse_refund(
    source: Mapping[str, object], asked_payment_id: str | None = None
) -> ProviderRefund:
    """A refund as evidence. Raises ``ValueError``.

    The capture it belongs to is named by its link ``up`` only; one of another than
    ``asked_payment_id`` is not read.
    """
    payment_id = _capture_of(source)
    if asked_payment_id is not None and payment_id != asked_payment_id:
        raise ValueError("the refund belongs to another payment")
    amount, currency = from_paypal(fields.mapping(source, "amount"))
    status = fields.text(source, "status")
    if status not in _STATUS:
        raise ValueError("status is not one that is known")
    details = source.get("status_details")
    created = source.get("create_time")
    return ProviderRefund(
        provider_refund_id=fields.text(source, "id", longest=255),
        provider_payment_id=payment_id,
        reference=_reference(source),
        status=_STATUS[status],
        amount_minor=amount,
        currency=currency,
        failure_code=fields.optional_text(details, "reason") if isinstance(details, dict) else None,
        created_at=None if created is None else fields.timestamp(source, "create_time"),
    )


def parse_capture(source: Mapping[str, object], asked_payment_id: str) -> Capture:
    """A captured payment. Raises ``ValueError``, also for one that belongs to no order."""
    if fields.text(source, "id", longest=255) != asked_payment_id:
        raise ValueError("another capture")
    related = fields.mapping(fields.mapping(source, "supplementary_data"), "related_ids")
    order_id = fields.text(related, "order_id", longest=64)
    return Capture(order_id, fields.text(source, "status") in _REFUNDED_CAPTURES)


def parse_order(source: Mapping[str, object], capture: str) -> list[ProviderRefund]:
    """All refunds of ``capture`` in its order. Raises ``ValueError``.

    An order that does not show the capture, or shows a refund of a capture that it does not have,
    is not believed at all: "no such refund" must rest on a whole picture.
    """
    captures: set[str] = set()
    refunds: list[ProviderRefund] = []
    for unit in fields.objects(source, "purchase_units"):
        payments = fields.mapping(unit, "payments")
        for each in _optional_objects(payments, "captures"):
            captures.add(fields.text(each, "id", longest=255))
        refunds += [parse_refund(each) for each in _optional_objects(payments, "refunds")]
    if capture not in captures or any(r.provider_payment_id not in captures for r in refunds):
        raise ValueError("the order does not fit its capture")
    return [each for each in refunds if each.provider_payment_id == capture]


def parse_dispute(source: Mapping[str, object]) -> ProviderDispute:
    """A dispute as evidence. Raises ``ValueError``.

    PayPal holds the money from the first day on, inquiries included.
    """
    transactions = fields.objects(source, "disputed_transactions")
    if len(transactions) != 1:
        raise ValueError("not one disputed transaction")
    amount, currency = from_paypal(fields.mapping(source, "dispute_amount"))
    outcome = source.get("dispute_outcome")
    code = fields.optional_text(outcome, "outcome_code") if isinstance(outcome, dict) else None
    resolved = fields.text(source, "status") == "RESOLVED"
    return ProviderDispute(
        provider_dispute_id=fields.text(source, "dispute_id", longest=255),
        provider_payment_id=fields.text(transactions[0], "seller_transaction_id", longest=255),
        amount_minor=amount,
        currency=currency,
        open=not (resolved and code in _GIVEN_BACK),
    )


def parse_event(body: bytes) -> PaymentEvent:
    """The facts of a webhook. Raises ``ValueError`` for what is not a readable PayPal event.

    ``PAYMENT.CAPTURE.REVERSED`` gives none: it is how a lost dispute is booked, and the dispute,
    which stays open when lost, has counted that money already.
    """
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("the event is not JSON") from error
    if not isinstance(event, dict):
        raise ValueError("the event is not an object")
    ident, topic = fields.text(event, "id", longest=255), fields.text(event, "event_type")
    resource = fields.mapping(event, "resource")
    if topic == REFUNDED:
        return PaymentEvent(ident, topic, (parse_refund(resource),))
    if topic in DISPUTES:
        return PaymentEvent(ident, topic, (parse_dispute(resource),))
    return PaymentEvent(ident, topic, ())


def _issue(error: Mapping[str, object]) -> str | None:
    details = error.get("details")
    if not isinstance(details, list) or not details or not isinstance(details[0], dict):
        return None
    return fields.optional_text(details[0], "issue", longest=100)


def _reference(source: Mapping[str, object]) -> str | None:
    names = (fields.optional_text(source, name) for name in ("custom_id", "invoice_id"))
    return next((name for name in map(ours, names) if name is not None), None)


def _capture_of(source: Mapping[str, object]) -> str:
    paths = [
        urlsplit(fields.text(link, "href", longest=2_000)).path
        for link in fields.objects(source, "links")
        if link.get("rel") == "up"
    ]
    found = [match[1] for match in map(_CAPTURE_PATH.fullmatch, paths) if match]
    if len(found) != 1:
        raise ValueError("the refund names no capture")
    return found[0]


def _optional_objects(source: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    return fields.objects(source, name) if name in source else ()


def _headers(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "accept": "application/json"}


def _url(account: PaymentAccount, path: str) -> str:
    return account.base_url.rstrip("/") + path
