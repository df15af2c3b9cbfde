"""Shopify's refunds over Admin GraphQL: operations built, answers parsed. Pure.

Owns the two operations, version 2026-07. Refuses to own the calls (``shopify``), the webhook
(``shopify_events``) and orders (``adapters.shops``).

A movement is a *transaction*: Shopify's ``Refund`` only groups them and its existence does not mean
that money moved. So a refund of ours is named by the id of its transaction, and the ``note`` of its
group, which staff can see, holds our reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from returns_api.adapters import fields
from returns_api.adapters.http import Call, Reply
from returns_api.adapters.payments.references import ours
from returns_api.domain.errors import Invalid
from returns_api.domain.money import format_minor, to_minor
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

API_VERSION: Final = "2026-07"
MAX_REFUNDS: Final = 60
"""Refunds of one order that are read; Shopify's list has no pages."""

_REFUND_FIELDS: Final = """
  id note createdAt
  transactions(first: 5) {
    nodes {
      id kind status errorCode createdAt
      parentTransaction { id }
      amountSet { presentmentMoney { amount currencyCode } shopMoney { amount currencyCode } }
    }
    pageInfo { hasNextPage }
  }
"""
QUERY: Final = f"""
query ReturnsApiPayment($id: ID!) {{
  node(id: $id) {{
    ... on OrderTransaction {{
      id
      gateway
      order {{ id refunds(first: {MAX_REFUNDS}) {{ {_REFUND_FIELDS} }} }}
    }}
  }}
}}
"""
MUTATION: Final = f"""
mutation ReturnsApiRefund($input: RefundInput!, $key: String!) {{
  refundCreate(input: $input) @idempotent(key: $key) {{
    refund {{ {_REFUND_FIELDS} }}
    userErrors {{ field message }}
  }}
}}
"""

_STATUS: Final = {
    "SUCCESS": RefundStatus.SUCCEEDED,
    "PENDING": RefundStatus.PENDING,
    "AWAITING_RESPONSE": RefundStatus.PENDING,
    "FAILURE": RefundStatus.FAILED,
    "ERROR": RefundStatus.FAILED,
}
_PAYMENT_ID: Final = re.compile(r"(?:gid://shopify/OrderTransaction/)?([0-9]{1,20})")
_GID: Final = re.compile(r"gid://shopify/(OrderTransaction|Order|Refund)/([0-9]{1,20})")
_NOT_RUN: Final = frozenset({"THROTTLED", "MAX_COST_EXCEEDED"})
_REFUSED: Final = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE"})
# refundCreate's user errors have no code, so the text that Shopify documents for the code
# IDEMPOTENCY_CONCURRENT_REQUEST must do.
_BUSY: Final = "currently in progress"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as Shopify knows it: its order, its gateway, and all refunds of it so far."""

    order_gid: str
    gateway: str
    refunds: tuple[ProviderRefund, ...]


def build_read(account: PaymentAccount, payment_id: str) -> Call:
    """The payment with its order's refunds. Raises ``ProviderRejected`` for what is no id."""
    return _call(account, QUERY, {"id": transaction_gid(payment_id)})


def build_refund(account: PaymentAccount, request: RefundRequest, payment: Payment) -> Call:
    """refundCreate of an amount, without lines: which goods came back is told elsewhere.

    ``currency`` must be the buyer's. Raises ``ProviderRejected`` for an unknown currency.
    """
    try:
        amount = format_minor(request.amount_minor, request.currency)
    except Invalid as error:
        raise ProviderRejected("currency_unknown", "not an ISO 4217 currency") from error
    move = {
        "orderId": payment.order_gid,
        "parentId": transaction_gid(request.provider_payment_id),
        "kind": "REFUND",
        "gateway": payment.gateway,
        "amount": amount,
    }
    wanted = {
        "orderId": payment.order_gid,
        "currency": request.currency,
        "note": request.reference,
        "notify": False,
        "transactions": [move],
    }
    return _call(account, MUTATION, {"input": wanted, "key": request.idempotency_key})


def transaction_gid(payment_id: str) -> str:
    """The global id of a transaction, given so or as a number. Raises ``ProviderRejected``."""
    match = _PAYMENT_ID.fullmatch(payment_id)
    if match is None:
        raise ProviderRejected("payment_unknown", "not a transaction of Shopify")
    return f"gid://shopify/OrderTransaction/{match[1]}"


def answer(reply: Reply) -> Mapping[str, object]:
    """The ``data`` of an answer.

    Raises ``ProviderUnavailable`` when nothing was run: throttled, credentials or shop refused;
    ``ProviderRejected`` when Shopify cannot read what we ask; ``OutcomeUnknown`` for every other
    error, even beside data.
    """
    content = reply.json_object()
    if reply.status >= 400:
        if "errors" not in content:
            raise OutcomeUnknown(f"answer {reply.status} is not Shopify's")
        if reply.status in {401, 402, 403, 404, 423}:  # token, frozen, forbidden, gone, locked
            raise ProviderUnavailable(f"refused with {reply.status}", reply.retry_after)
        raise ProviderRejected(f"http_{reply.status}", "Shopify could not read the request")
    if content.get("errors"):
        _raise_for(content["errors"])
    try:
        return fields.mapping(content, "data")
    except ValueError as error:
        raise OutcomeUnknown("the answer holds no data") from error


def parse_payment(data: Mapping[str, object], payment_id: str) -> Payment | None:
    """The payment in the answer to ``build_read``; None when Shopify knows no such thing.

    Raises ``ValueError``, also when the order has more refunds than were read.
    """
    if data.get("node", 0) is None:
        return None
    node = fields.mapping(data, "node")
    if fields.text(node, "id") != transaction_gid(payment_id):
        raise ValueError("another transaction")
    order = fields.mapping(node, "order")
    groups = fields.objects(order, "refunds")
    if len(groups) >= MAX_REFUNDS:
        raise ValueError("more refunds than can be read")
    found = [refund for group in groups for refund in parse_group(group, payment_id)]
    return Payment(
        order_gid=_gid(order, "Order"),
        gateway=fields.text(node, "gateway", longest=255),
        refunds=tuple(found),
    )


def parse_created(data: Mapping[str, object], payment_id: str) -> ProviderRefund:
    """The movement that refundCreate made. Raises ``ValueError`` and as ``refuse_user_errors``."""
    payload = fields.mapping(data, "refundCreate")
    errors = fields.objects(payload, "userErrors")
    if errors:
        refuse_user_errors(errors)
    found = parse_group(fields.mapping(payload, "refund"), payment_id)
    if len(found) != 1:
        raise ValueError("not one movement of that payment")
    return found[0]


def parse_group(group: Mapping[str, object], payment_id: str) -> list[ProviderRefund]:
    """The movements of one ``Refund`` that go back along ``payment_id``. Raises ``ValueError``."""
    _gid(group, "Refund")
    page = fields.mapping(group, "transactions")
    if fields.mapping(page, "pageInfo").get("hasNextPage") is not False:
        raise ValueError("more movements than can be read")
    reference = ours(fields.optional_text(group, "note", longest=5_000))
    parent = transaction_gid(payment_id)
    return [
        _movement(each, payment_id, reference)
        for each in fields.objects(page, "nodes")
        if each.get("kind") == "REFUND" and _parent(each) == parent
    ]


def refuse_user_errors(errors: object) -> None:
    """What Shopify's user errors mean: one that names a field of ours is a rejection.

    "In progress" did not act. Everything else, a gateway's trouble or a key that was used with
    other content, is unknown: something may have moved.
    """
    assert isinstance(errors, list)
    first = errors[0]
    if _BUSY in str(first.get("message", "")):
        raise ProviderUnavailable("busy: the key is being used")
    path = first.get("field")
    if not isinstance(path, list) or not path or not all(isinstance(p, str) for p in path):
        raise OutcomeUnknown("refused without naming a field")
    # Shopify's own message can quote what was sent, so it goes no further than here.
    code = "/".join(path)[:100]
    raise ProviderRejected(f"user_error:{code}", "Shopify refused the refund")


def _movement(
    source: Mapping[str, object], payment_id: str, reference: str | None
) -> ProviderRefund:
    money = fields.mapping(fields.mapping(source, "amountSet"), "presentmentMoney")
    currency = fields.text(money, "currencyCode", longest=3)
    return ProviderRefund(
        provider_refund_id=_gid(source, "OrderTransaction").rpartition("/")[2],
        provider_payment_id=payment_id,
        reference=reference,
        status=status_of(fields.text(source, "status")),
        amount_minor=minor_of(fields.text(money, "amount", longest=40), currency),
        currency=currency,
        failure_code=fields.optional_text(source, "errorCode"),
        created_at=fields.timestamp(source, "createdAt"),
    )


def status_of(text: str) -> RefundStatus:
    """What a transaction's status says. Raises ``ValueError`` for ``UNKNOWN`` and what is new: they
    are no evidence of anything."""
    if text not in _STATUS:
        raise ValueError("status is not one that is known")
    return _STATUS[text]


def minor_of(text: str, currency: str) -> int:
    """An amount in minor units. Raises ``ValueError`` for what is not exact and positive."""
    try:
        amount = to_minor(text, currency)
    except Invalid as error:
        raise ValueError("not an exact amount of a known currency") from error
    if amount <= 0:
        raise ValueError("the amount is not positive")
    return amount


def _parent(source: Mapping[str, object]) -> str:
    """Of a refund on its own, whose payment is unknown, the empty text."""
    if source.get("parentTransaction", 0) is None:
        return ""
    return _gid(fields.mapping(source, "parentTransaction"), "OrderTransaction")


def _gid(source: Mapping[str, object], kind: str) -> str:
    text = fields.text(source, "id", longest=255)
    match = _GID.fullmatch(text)
    if match is None or match[1] != kind:
        raise ValueError(f"not the id of a {kind}")
    return text


def _raise_for(errors: object) -> None:
    codes = {_code(each) for each in errors} if isinstance(errors, list) else {""}
    if codes <= _NOT_RUN:
        raise ProviderUnavailable("asked to slow down")
    if codes <= _REFUSED:
        raise ProviderUnavailable(f"credentials refused: {min(codes)}")
    raise OutcomeUnknown(f"answered with errors: {', '.join(sorted(codes))[:100]}")


def _code(error: object) -> str:
    extensions = error.get("extensions") if isinstance(error, dict) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) else ""


def _call(account: PaymentAccount, query: str, variables: Mapping[str, object]) -> Call:
    headers = {"x-shopify-access-token": account.secret, "content-type": "application/json"}
    url = f"{account.base_url.rstrip('/')}/admin/api/{API_VERSION}/graphql.json"
    return Call("POST", url, headers, orjson.dumps({"query": query, "variables": variables}))
