"""Stripe's wire format: what is sent, what is read, what is refused, without any network."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.http import Reply
from returns_api.adapters.payments.stripe_events import parse_event
from returns_api.adapters.payments.stripe_units import from_stripe_amount, to_stripe_amount
from returns_api.adapters.payments.stripe_wire import (
    build_list,
    build_refund,
    build_retrieve,
    parse_refund,
    refuse,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    PaymentEvent,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

ACCOUNT = PaymentAccount("https://api.stripe.com/", "sk_live_1", "main")


REQUEST = RefundRequest("trf_1", "key_1", "pi_1", 1_299, "EUR")


REFUND: dict[str, Any] = {
    "id": "re_1",
    "object": "refund",
    "amount": 1_299,
    "charge": "ch_1",
    "created": 1_772_366_400,
    "currency": "eur",
    "metadata": {"returns_api_reference": "trf_1"},
    "payment_intent": "pi_1",
    "reason": None,
    "status": "succeeded",
}


DISPUTE: dict[str, Any] = {
    "id": "dp_1",
    "object": "dispute",
    "amount": 1_299,
    "charge": "ch_1",
    "currency": "eur",
    "payment_intent": "pi_1",
    "status": "needs_response",
}


def event(topic: str, subject: object) -> bytes:
    content = {"id": "evt_1", "object": "event", "type": topic, "data": {"object": subject}}
    return orjson.dumps(content)


def test_a_refund_is_a_form_with_our_reference_and_key() -> None:
    call = build_refund(ACCOUNT, replace(REQUEST, reason="duplicate"))
    assert (call.method, call.url) == ("POST", "https://api.stripe.com/v1/refunds")
    assert parse_qs(call.body.decode()) == {
        "payment_intent": ["pi_1"],
        "amount": ["1299"],
        "metadata[returns_api_reference]": ["trf_1"],
        "reason": ["duplicate"],
    }
    assert call.headers["idempotency-key"] == "key_1"
    assert call.headers["authorization"] == "Bearer sk_live_1"
    assert call.headers["stripe-version"] == "2023-08-16"
    assert "stripe-account" not in call.headers


def test_variants_of_the_request() -> None:
    by_charge = build_refund(
        ACCOUNT, replace(REQUEST, provider_payment_id="ch_1", reason="damaged")
    )
    assert b"charge=ch_1" in by_charge.body
    assert b"reason" not in by_charge.body, "only Stripe's own three words may go there"
    connected = build_refund(replace(ACCOUNT, account="acct_7"), REQUEST)
    assert connected.headers["stripe-account"] == "acct_7"
    assert build_retrieve(ACCOUNT, "re/../x?").url.endswith("/v1/refunds/re%2F..%2Fx%3F")
    page = build_list(ACCOUNT, "pi_1", "re_9")
    assert parse_qs(urlsplit(page.url).query) == {
        "payment_intent": ["pi_1"],
        "limit": ["100"],
        "starting_after": ["re_9"],
    }


@pytest.mark.parametrize("payment", ["", "1", "in_1", "PI_1", " pi_1"])
def test_only_stripe_payments_are_refunded(payment: str) -> None:
    with pytest.raises(ProviderRejected):
        build_refund(ACCOUNT, replace(REQUEST, provider_payment_id=payment))


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"),
    [
        ("EUR", 1, 1),
        ("JPY", 500, 500),
        ("KRW", 12, 12),
        ("KWD", 5_120, 5_120),
        ("ISK", 5, 500),
        ("UGX", 7, 700),
        ("MGA", 300, 3),
    ],
)
def test_units(currency: str, ours: int, theirs: int) -> None:
    assert to_stripe_amount(ours, currency) == theirs
    assert from_stripe_amount(theirs, currency) == ours


@pytest.mark.parametrize(
    ("currency", "ours"), [("KWD", 5_124), ("MGA", 301), ("XTS", 1), ("eur", 1), ("", 1)]
)
def test_amounts_that_stripe_cannot_move_are_not_sent(currency: str, ours: int) -> None:
    with pytest.raises(ProviderRejected):
        to_stripe_amount(ours, currency)


@pytest.mark.parametrize(("currency", "theirs"), [("ISK", 501), ("UGX", 1), ("XTS", 1)])
def test_amounts_that_cannot_be_ours_are_not_read(currency: str, theirs: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_stripe_amount(theirs, currency)


@given(st.integers(1, 10**12), st.sampled_from(["EUR", "JPY", "ISK", "UGX", "USD"]))
def test_units_round_trip(amount: int, currency: str) -> None:
    assert from_stripe_amount(to_stripe_amount(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (
            400,
            {"type": "invalid_request_error", "code": "charge_already_refunded"},
            ProviderRejected,
        ),
        (402, {"type": "card_error", "code": "card_declined"}, ProviderRejected),
        (404, {"type": "invalid_request_error", "code": "resource_missing"}, ProviderRejected),
        (400, {"type": "idempotency_error"}, OutcomeUnknown),
        (
            409,
            {"type": "invalid_request_error", "code": "idempotency_key_in_use"},
            ProviderUnavailable,
        ),
        (401, {"type": "invalid_request_error"}, ProviderUnavailable),
        (403, {"type": "invalid_request_error", "code": "account_invalid"}, ProviderUnavailable),
        (400, None, OutcomeUnknown),
        (408, "timeout", OutcomeUnknown),
        (400, {"code": "no_type"}, OutcomeUnknown),
    ],
)
def test_errors(status: int, error: object, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        refuse(Reply(status, {}, orjson.dumps({"error": error})))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":{"type":NaN}}'])
def test_a_stranger_s_4xx_is_unknown(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        refuse(Reply(400, {}, body))


def test_rejections_carry_a_code_and_no_words_of_others() -> None:
    error = {"type": "card_error", "message": "Ada Buyer's card 4242 was declined"}
    with pytest.raises(ProviderRejected) as rejected:
        refuse(Reply(402, {}, orjson.dumps({"error": error})))
    assert rejected.value.code == "card_error"
    assert "Ada" not in str(rejected.value)


def test_a_refund_is_read() -> None:
    expected = ProviderRefund(
        "re_1",
        "pi_1",
        "trf_1",
        RefundStatus.SUCCEEDED,
        1_299,
        "EUR",
        created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )
    assert parse_refund(REFUND) == expected
    assert parse_refund(REFUND, "ch_1") == replace(expected, provider_payment_id="ch_1")
    expanded = {**REFUND, "payment_intent": {"id": "pi_1"}, "charge": {"id": "ch_1"}}
    assert parse_refund(expanded) == expected
    bare = {**REFUND, "payment_intent": None, "metadata": None, "failure_reason": "lost_or_stolen"}
    read = parse_refund({**bare, "status": "failed"})
    assert (read.provider_payment_id, read.reference) == ("ch_1", None)
    assert (read.status, read.failure_code) == (RefundStatus.FAILED, "lost_or_stolen")


@pytest.mark.parametrize(
    "change",
    [
        {"object": "charge"},
        {"amount": 0},
        {"amount": -1},
        {"amount": 12.99},
        {"amount": "1299"},
        {"amount": True},
        {"amount": 10**14},
        {"amount": None},
        {"currency": "xts"},
        {"currency": ""},
        {"currency": "euro"},
        {"currency": None},
        {"id": ""},
        {"id": "x" * 256},
        {"id": "re\0"},
        {"status": None},
        {"status": "done"},
        {"created": "now"},
        {"created": 10**12},
        {"created": None},
        {"payment_intent": None, "charge": None},
        {"payment_intent": {"id": 7}},
        {"metadata": {"returns_api_reference": 7}},
    ],
)
def test_what_is_not_a_refund_is_not_read(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_refund({**REFUND, **change})


def test_another_payment_s_refund_is_not_read() -> None:
    with pytest.raises(ValueError, match="another payment"):
        parse_refund(REFUND, "pi_2")


@pytest.mark.parametrize(
    "topic", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]
)
def test_refund_events(topic: str) -> None:
    parsed = parse_event(event(topic, REFUND))
    assert parsed == PaymentEvent("evt_1", topic, (parse_refund(REFUND),))


@pytest.mark.parametrize(
    ("status", "is_open"),
    [("needs_response", True), ("under_review", True), ("lost", True), ("won", False)],
)
@pytest.mark.parametrize("name", ["created", "closed", "updated", "funds_withdrawn"])
def test_dispute_events(name: str, status: str, is_open: bool) -> None:
    parsed = parse_event(event(f"charge.dispute.{name}", {**DISPUTE, "status": status}))
    assert parsed.facts == (ProviderDispute("dp_1", "pi_1", 1_299, "EUR", is_open),)


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_closed", "prevented"])
def test_inquiries_took_no_money(status: str) -> None:
    parsed = parse_event(event("charge.dispute.created", {**DISPUTE, "status": status}))
    assert parsed.facts == ()


def test_refunds_inside_a_charge() -> None:
    """Only API versions before 2022-11-15 list them there."""
    charge = {"object": "charge", "id": "ch_1", "refunds": {"object": "list", "data": [REFUND]}}
    assert parse_event(event("charge.refunded", charge)).facts == (parse_refund(REFUND),)
    assert parse_event(event("charge.refunded", {"id": "ch_1"})).facts == ()


def test_other_topics_have_no_facts() -> None:
    assert parse_event(event("customer.created", {"id": "cus_1"})).facts == ()


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_event(body)
