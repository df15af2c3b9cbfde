"""Adyen's wire format: requests, "received", and what its webhooks say."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.http import HttpClient, Reply
from returns_api.adapters.payments.adyen import (
    AdyenPayments,
    build_refund,
    parse_received,
    refuse,
)
from returns_api.adapters.payments.adyen_events import (
    parse_event,
    verify_webhook,
)
from returns_api.adapters.payments.adyen_money import from_adyen, to_adyen
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentEvent,
    ProviderDispute,
    RefundStatus,
)
from tests.support.adyen import (
    ACCOUNT,
    EVIDENCE,
    KEY,
    PAYMENT,
    RECEIVED,
    REFERENCE,
    REFUND,
    REQUEST,
)
from tests.support.vendor_signatures import adyen_body, adyen_item


def test_a_refund_request() -> None:
    call = build_refund(ACCOUNT, replace(REQUEST, reason="duplicate"))
    url = f"https://checkout-test.adyen.com/v71/payments/{PAYMENT}/refunds"
    assert (call.method, call.url) == ("POST", url)
    assert orjson.loads(call.body) == {
        "merchantAccount": "TestMerchant",
        "amount": {"currency": "EUR", "value": 1_299},
        "reference": REFERENCE,
        "merchantRefundReason": "DUPLICATE",
    }
    assert call.headers["idempotency-key"] == "key_1"
    assert call.headers["x-api-key"] == "api-key"
    plain = build_refund(ACCOUNT, replace(REQUEST, reason="damaged"))
    assert "merchantRefundReason" not in orjson.loads(plain.body)


@pytest.mark.parametrize(
    "change",
    [
        {"provider_payment_id": "a/b"},
        {"provider_payment_id": ""},
        {"provider_payment_id": "pi_1"},
        {"idempotency_key": "k" * 65},
        {"currency": "XTS"},
        {"currency": "CVE", "amount_minor": 1_050},
    ],
)
def test_what_adyen_could_never_accept_is_not_sent(change: dict[str, Any]) -> None:
    with pytest.raises(ProviderRejected):
        build_refund(ACCOUNT, replace(REQUEST, **change))


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"),
    [
        ("EUR", 1, 1),
        ("JPY", 500, 500),
        ("KWD", 5_124, 5_124),
        ("ISK", 5, 500),
        ("CLP", 990, 99_000),
        ("CVE", 1_000, 10),
        ("IDR", 150_000, 1_500),
    ],
)
def test_units(currency: str, ours: int, theirs: int) -> None:
    assert to_adyen(ours, currency) == {"currency": currency, "value": theirs}
    assert from_adyen({"currency": currency, "value": theirs}) == (ours, currency)


@given(st.integers(1, 10**10), st.sampled_from(["EUR", "JPY", "KWD", "ISK", "CLP"]))
def test_units_round_trip(amount: int, currency: str) -> None:
    assert from_adyen(to_adyen(amount, currency)) == (amount, currency)


@pytest.mark.parametrize(
    ("status", "content", "headers", "expected"),
    [
        (422, {"errorCode": "167"}, {}, ProviderRejected),
        (400, {"errorCode": "702"}, {}, ProviderRejected),
        (401, {"errorCode": "000"}, {}, ProviderUnavailable),
        (403, {"errorCode": "901"}, {}, ProviderUnavailable),
        (422, {"errorCode": "704"}, {}, ProviderUnavailable),
        (422, {"errorCode": "800"}, {"transient-error": "true"}, ProviderUnavailable),
        (422, {"message": "?"}, {}, OutcomeUnknown),
        (404, None, {}, OutcomeUnknown),
    ],
)
def test_errors(
    status: int, content: object, headers: dict[str, str], expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        refuse(Reply(status, headers, orjson.dumps(content)))


def test_received_is_pending() -> None:
    assert parse_received(RECEIVED, ACCOUNT, REQUEST) == replace(
        EVIDENCE, status=RefundStatus.PENDING
    )


@pytest.mark.parametrize(
    "change",
    [
        {"status": "refused"},
        {"paymentPspReference": "PSP2"},
        {"merchantAccount": "Other"},
        {"reference": "trf_00000000000000000002"},
        {"reference": None},
        {"pspReference": ""},
        {"amount": {"currency": "EUR", "value": 1_298}},
        {"amount": {"currency": "USD", "value": 1_299}},
        {"amount": {"currency": "EUR", "value": True}},
        {"amount": None},
    ],
)
def test_an_answer_to_something_else_is_not_read(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_received({**RECEIVED, **change}, ACCOUNT, REQUEST)


async def test_looking_up_never_denies(http: HttpClient) -> None:
    adyen = AdyenPayments(http)
    for ident in (None, REFUND):
        with pytest.raises(OutcomeUnknown):
            await adyen.look_up(ACCOUNT, REQUEST, ident)
    with pytest.raises(ProviderUnavailable):
        await adyen.list_refunds(ACCOUNT, PAYMENT)


@pytest.mark.parametrize(
    ("code", "success", "status"),
    [
        ("REFUND", "true", RefundStatus.SUCCEEDED),
        ("REFUND", "false", RefundStatus.FAILED),
        ("REFUND_FAILED", "true", RefundStatus.FAILED),
        ("REFUNDED_REVERSED", "true", RefundStatus.FAILED),
    ],
)
def test_refund_events(code: str, success: str, status: RefundStatus) -> None:
    read = parse_event(adyen_body(adyen_item(KEY, eventCode=code, success=success)))
    expected = replace(EVIDENCE, status=status)
    assert read == PaymentEvent(f"{code}:{REFUND}:{success}", code, (expected,))


def test_a_refund_made_in_adyen_s_pages_has_no_reference_of_ours() -> None:
    read = parse_event(adyen_body(adyen_item(KEY, merchantReference="Order-7")))
    assert read.facts == (replace(EVIDENCE, reference=None),)


@pytest.mark.parametrize(
    ("code", "suffix", "is_open"),
    [
        ("NOTIFICATION_OF_CHARGEBACK", "", True),
        ("CHARGEBACK", "", True),
        ("CHARGEBACK_REVERSED", "", False),
        ("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", "", False),
        ("SECOND_CHARGEBACK", "/2", True),
        ("PREARBITRATION_LOST", "/2", True),
        ("PREARBITRATION_WON", "/2", False),
    ],
)
def test_dispute_events(code: str, suffix: str, is_open: bool) -> None:
    """What is taken a second time is a dispute of its own: "given back" is final for us."""
    item = adyen_item(KEY, eventCode=code, pspReference="DIS1", merchantReference="Order-7")
    expected = ProviderDispute(f"DIS1{suffix}", PAYMENT, 1_299, "EUR", is_open)
    assert parse_event(adyen_body(item)).facts == (expected,)


@pytest.mark.parametrize(
    ("code", "success"),
    [("AUTHORISATION", "true"), ("REFUND_FAILED", "false"), ("CHARGEBACK", "false")],
)
def test_other_events_have_no_facts(code: str, success: str) -> None:
    assert parse_event(adyen_body(adyen_item(KEY, eventCode=code, success=success))).facts == ()


def test_one_item_only() -> None:
    item = adyen_item(KEY)
    for body in (adyen_body(), adyen_body(item, item)):
        assert not verify_webhook({}, body, [KEY])
        with pytest.raises(ValueError, match="one notification"):
            parse_event(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_value_error(body: bytes) -> None:
    assert not verify_webhook({}, body, [KEY])
    with pytest.raises(ValueError, match=r"."):
        parse_event(body)


@given(
    st.sampled_from(sorted(adyen_item(KEY))),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=4,
    ),
)
def test_no_content_raises_anything_else(name: str, value: object) -> None:
    try:
        body = adyen_body({**adyen_item(KEY), name: value})
    except TypeError:  # an integer that no JSON here can hold
        return
    verify_webhook({}, body, [KEY])
    with suppress(ValueError):
        parse_event(body)


def test_the_time_decides_nothing(http: HttpClient) -> None:
    adyen, body = AdyenPayments(http), adyen_body(adyen_item(KEY))
    assert adyen.verify({}, body, [KEY], datetime(2000, 1, 1, tzinfo=UTC))
