"""Stripe's requests and answers: built, refused, parsed. Pure, no network, no state.

Owns the formats of refunds and disputes as of API version 2023-08-16. Refuses to own the calls
(``stripe``), webhooks (``stripe_events``) and where a walk through an account stands
(``stripe_activity``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from returns_api.adapters import fields
from returns_api.adapters.http import Call, Reply
from returns_api.adapters.payments.stripe_activity import PAGE_SIZE
from returns_api.adapters.payments.stripe_units import from_stripe_amount, to_stripe_amount
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

API_VERSION: Final = "2023-08-16"
REFERENCE_KEY: Final = "returns_api_reference"
MAX_AMOUNT: Final = 10**13

_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
# Inquiries (warning_*) and prevented disputes took no money and are left out altogether, so that
# "not open" is final: Stripe never leaves won.
_DISPUTE_OPEN: Final = {"needs_response": True, "under_review": True, "lost": True, "won": False}


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


def build_page(account: PaymentAccount, path: str) -> Call:
    """GET of a page of the account's own lists, as ``stripe_activity`` names it."""
    return Call("GET", _url(account, path), _headers(account))


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
        reference=reference_of(source),
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


def checked(source: Mapping[str, object], request: RefundRequest) -> ProviderRefund:
    """The refund that was asked for; raises ``OutcomeUnknown`` for another one."""
    refund = parsed(source, request.provider_payment_id)
    asked = (request.reference, request.amount_minor, request.currency)
    if (refund.reference, refund.amount_minor, refund.currency) != asked:
        raise OutcomeUnknown("the refund there is not the one that was asked for")
    return refund


def parsed(source: Mapping[str, object], payment_id: str) -> ProviderRefund:
    """``parse_refund`` of an answer: raises ``OutcomeUnknown``, for money may have moved."""
    try:
        return parse_refund(source, payment_id)
    except ValueError as error:
        raise OutcomeUnknown(f"unreadable refund: {error}") from error


def reference_of(source: Mapping[str, object]) -> str | None:
    """Our own reference, where the refund carries one."""
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
