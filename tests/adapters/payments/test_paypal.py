"""PayPal's wire format: what is sent, what is read, what is refused."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.http import Reply
from returns_api.adapters.payments import paypal_wire as wire
from returns_api.adapters.payments.paypal_money import from_paypal, to_paypal
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentEvent,
    ProviderDispute,
    RefundStatus,
)
from tests.support.paypal import (
    ACCOUNT,
    CAPTURE,
    DISPUTE,
    EVIDENCE,
    REFERENCE,
    REFUND,
    REQUEST,
    event,
    order,
    other_capture,
)


def test_a_refund_names_the_amount_and_us_twice() -> None:
    call = wire.build_refund(ACCOUNT, "A21", REQUEST)
    assert call.method == "POST"
    assert call.url == f"https://api-m.paypal.com/v2/payments/captures/{CAPTURE}/refund"
    assert orjson.loads(call.body) == {
        "amount": {"currency_code": "EUR", "value": "12.99"},
        "custom_id": REFERENCE,
        "invoice_id": REFERENCE,
    }
    assert call.headers["paypal-request-id"] == "key_1"
    assert call.headers["prefer"] == "return=representation"
    assert call.headers["authorization"] == "Bearer A21"


def test_a_token_is_asked_for_with_both_names() -> None:
    call = wire.build_token(ACCOUNT)
    assert call.url == "https://api-m.paypal.com/v1/oauth2/token"
    assert call.body == b"grant_type=client_credentials"
    pair = base64.b64encode(b"client:secret").decode()
    assert call.headers["authorization"] == f"Basic {pair}"


def test_ids_stay_inside_their_path() -> None:
    assert wire.build_get_refund(ACCOUNT, "t", "a/../b?").url.endswith("/refunds/a%2F..%2Fb%3F")
    assert wire.build_get_order(ACCOUNT, "t", "a/b").url.endswith("/orders/a%2Fb")


@pytest.mark.parametrize("payment", ["", "pi_1", "a/b", "A" * 65, "2GG\n", "é"])
def test_only_captures_are_refunded(payment: str) -> None:
    with pytest.raises(ProviderRejected):
        wire.build_refund(ACCOUNT, "t", replace(REQUEST, provider_payment_id=payment))


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [
        ("EUR", 1, "0.01"),
        ("JPY", 512, "512"),
        ("TND", 5_120, "5.120"),
        ("HUF", 51_200, "512"),
        ("TWD", 100, "1"),
    ],
)
def test_amounts(currency: str, minor: int, text: str) -> None:
    assert to_paypal(minor, currency) == {"currency_code": currency, "value": text}
    assert from_paypal(to_paypal(minor, currency)) == (minor, currency)


@pytest.mark.parametrize(("currency", "minor"), [("HUF", 51_250), ("TWD", 1), ("XTS", 1), ("", 1)])
def test_amounts_that_paypal_cannot_move_are_not_sent(currency: str, minor: int) -> None:
    with pytest.raises(ProviderRejected):
        to_paypal(minor, currency)


@given(st.integers(1, 10**12), st.sampled_from(["EUR", "JPY", "TND", "USD"]))
def test_amounts_round_trip(minor: int, currency: str) -> None:
    assert from_paypal(to_paypal(minor, currency)) == (minor, currency)


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (
            422,
            {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "REFUND_AMOUNT_EXCEEDED"}]},
            ProviderRejected,
        ),
        (404, {"name": "RESOURCE_NOT_FOUND"}, ProviderRejected),
        (400, {"name": "INVALID_REQUEST", "details": []}, ProviderRejected),
        (401, {"name": "AUTHENTICATION_FAILURE"}, ProviderUnavailable),
        (403, {"name": "NOT_AUTHORIZED"}, ProviderUnavailable),
        (409, {"name": "RESOURCE_CONFLICT"}, ProviderUnavailable),
        (400, {"error": "a proxy's"}, OutcomeUnknown),
        (408, "timeout", OutcomeUnknown),
        (400, None, OutcomeUnknown),
    ],
)
def test_errors(status: int, content: object, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        wire.refuse(Reply(status, {}, orjson.dumps(content)))


def test_rejections_carry_the_issue_and_no_words_of_others() -> None:
    details = [{"issue": "PAYER_CANNOT_REFUND", "description": "Ada Buyer has no account"}]
    body = orjson.dumps({"name": "UNPROCESSABLE_ENTITY", "details": details})
    with pytest.raises(ProviderRejected) as rejected:
        wire.refuse(Reply(422, {}, body))
    assert rejected.value.code == "PAYER_CANNOT_REFUND"
    assert "Ada" not in str(rejected.value)


def test_a_refund_is_read() -> None:
    assert wire.parse_refund(REFUND) == EVIDENCE
    assert wire.parse_refund(REFUND, CAPTURE) == EVIDENCE
    failed = {**REFUND, "status": "FAILED", "status_details": {"reason": "ECHECK"}}
    read = wire.parse_refund({**failed, "custom_id": None, "create_time": None})
    assert (read.status, read.failure_code) == (RefundStatus.FAILED, "ECHECK")
    assert (read.reference, read.created_at) == (REFERENCE, None)


@pytest.mark.parametrize("text", [None, "ORDER-17", "trf_short", "TRF_00000000000000000001"])
def test_a_merchant_s_own_text_is_no_reference(text: str | None) -> None:
    source = {**REFUND, "custom_id": text, "invoice_id": text}
    assert wire.parse_refund(source).reference is None


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": None},
        {"status": "DONE"},
        {"status": None},
        {"amount": None},
        {"amount": {"currency_code": "EUR", "value": 12.99}},
        {"amount": {"currency_code": "EUR", "value": "0.00"}},
        {"amount": {"currency_code": "EUR", "value": "-1.00"}},
        {"amount": {"currency_code": "EUR", "value": "1.001"}},
        {"amount": {"currency_code": "EUR", "value": "1e3"}},
        {"amount": {"currency_code": "XTS", "value": "1.00"}},
        {"amount": {"currency_code": "eur", "value": "1.00"}},
        {"create_time": "2026-03-01T12:00:00"},
        {"create_time": 7},
        {"custom_id": 7},
        {"links": None},
        {"links": []},
        {"links": [{"rel": "up", "href": "https://api-m.paypal.com/v2/checkout/orders/1"}]},
        {"links": [*REFUND["links"], REFUND["links"][1]]},
    ],
)
def test_what_is_not_a_refund_is_not_read(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.parse_refund({**REFUND, **change})


def test_an_order_lists_the_refunds_of_its_captures() -> None:
    both = order(REFUND, other_capture(REFUND), captures=(CAPTURE, "OTHER"))
    assert wire.parse_order(both, CAPTURE) == [EVIDENCE]
    bare = {"purchase_units": [{"payments": {"captures": [{"id": CAPTURE}]}}]}
    assert wire.parse_order(bare, CAPTURE) == []


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"purchase_units": []},
        {"purchase_units": [{}]},
        order(REFUND, captures=("OTHER",)),
        order(other_capture(REFUND)),
        order({**REFUND, "status": "?"}),
    ],
)
def test_an_order_that_does_not_fit_is_not_believed(source: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.parse_order(source, CAPTURE)


def test_refund_events() -> None:
    read = wire.parse_event(event("PAYMENT.CAPTURE.REFUNDED", REFUND))
    assert read == PaymentEvent("WH-1", "PAYMENT.CAPTURE.REFUNDED", (EVIDENCE,))


@pytest.mark.parametrize(
    ("status", "outcome", "is_open"),
    [
        ("UNDER_REVIEW", None, True),
        ("WAITING_FOR_SELLER_RESPONSE", "RESOLVED_SELLER_FAVOUR", True),
        ("RESOLVED", "RESOLVED_BUYER_FAVOUR", True),
        ("RESOLVED", "ACCEPTED", True),
        ("RESOLVED", None, True),
        ("RESOLVED", "RESOLVED_SELLER_FAVOUR", False),
        ("RESOLVED", "RESOLVED_WITH_PAYOUT", False),
        ("RESOLVED", "CANCELED_BY_BUYER", False),
    ],
)
def test_dispute_events(status: str, outcome: str | None, is_open: bool) -> None:
    source = {**DISPUTE, "status": status, "dispute_outcome": {"outcome_code": outcome}}
    read = wire.parse_event(event("CUSTOMER.DISPUTE.UPDATED", source))
    assert read.facts == (ProviderDispute("PP-D-4012", CAPTURE, 1_299, "EUR", is_open),)


@pytest.mark.parametrize("topic", ["PAYMENT.CAPTURE.REVERSED", "CHECKOUT.ORDER.APPROVED"])
def test_other_topics_have_no_facts(topic: str) -> None:
    assert wire.parse_event(event(topic, {"id": "x"})).facts == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.sampled_from(sorted({**REFUND, **DISPUTE, "status_details": 0})), _JSON)
def test_no_content_raises_anything_else(name: str, value: object) -> None:
    for topic, resource in (
        ("PAYMENT.CAPTURE.REFUNDED", REFUND),
        ("CUSTOMER.DISPUTE.RESOLVED", DISPUTE),
    ):
        with suppress(ValueError):
            wire.parse_event(event(topic, {**resource, name: value}))
        with suppress(ValueError):
            wire.parse_order(order({**resource, name: value}), CAPTURE)


@given(_JSON)
def test_no_error_body_raises_anything_else(content: object) -> None:
    with pytest.raises((OutcomeUnknown, ProviderRejected)):
        wire.refuse(Reply(422, {}, orjson.dumps({"name": "X", "details": content})))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.parse_event(body)
