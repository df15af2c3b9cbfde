"""Adyen's wire format: requests, "received", webhooks and the HMAC in them."""

from __future__ import annotations

import base64
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
    signed_text,
    verify_webhook,
)
from returns_api.adapters.payments.adyen_money import from_adyen, to_adyen
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    PaymentEvent,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)
from tests.support.vendor_signatures import adyen_body, adyen_item

PUBLISHED_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
PUBLISHED_SIGNATURE = "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="
KEY = "0A" * 32
REFERENCE = "trf_00000000000000000001"
PAYMENT, REFUND = "PSP0000000000001", "REF0000000000001"
ACCOUNT = PaymentAccount("https://checkout-test.adyen.com/", "api-key", "TestMerchant")
REQUEST = RefundRequest(REFERENCE, "key_1", PAYMENT, 1_299, "EUR")
RECEIVED: dict[str, Any] = {
    "merchantAccount": "TestMerchant",
    "paymentPspReference": PAYMENT,
    "pspReference": REFUND,
    "reference": REFERENCE,
    "status": "received",
    "amount": {"currency": "EUR", "value": 1_299},
}
EVIDENCE = ProviderRefund(REFUND, PAYMENT, REFERENCE, RefundStatus.SUCCEEDED, 1_299, "EUR")


def published_item() -> dict[str, Any]:
    """The item of Adyen's published example."""
    return {
        "additionalData": {"hmacSignature": PUBLISHED_SIGNATURE},
        "amount": {"currency": "EUR", "value": 1_130},
        "eventCode": "AUTHORISATION",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "pspReference": "7914073381342284",
        "success": "true",
    }


def test_the_published_vector() -> None:
    item = published_item()
    text = b"7914073381342284::TestMerchant:TestPayment-1407325143704:1130:EUR:AUTHORISATION:true"
    assert signed_text(item) == text
    assert verify_webhook({}, adyen_body(item), [PUBLISHED_KEY])
    assert not verify_webhook({}, adyen_body(item), [KEY])
    item["amount"]["value"] = 1_131
    assert not verify_webhook({}, adyen_body(item), [PUBLISHED_KEY])


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


def test_facts_come_from_signed_fields_only() -> None:
    item = adyen_item(KEY)
    changed = {**item, "reason": "x", "eventDate": "y", "paymentMethod": 7, "operations": []}
    assert verify_webhook({}, adyen_body(changed), [KEY])
    assert parse_event(adyen_body(changed)) == parse_event(adyen_body(item))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pspReference", "REF2"),
        ("originalReference", "PSP2"),
        ("merchantAccountCode", "Other"),
        ("merchantReference", "trf_00000000000000000002"),
        ("amount", {"currency": "EUR", "value": 1_298}),
        ("amount", {"currency": "USD", "value": 1_299}),
        ("eventCode", "REFUND_FAILED"),
        ("success", "false"),
    ],
)
def test_every_signed_field_counts(name: str, value: object) -> None:
    assert not verify_webhook({}, adyen_body({**adyen_item(KEY), name: value}), [KEY])


def test_fields_cannot_be_shifted_across_a_colon() -> None:
    """The text that is signed would read the same."""
    item = adyen_item(KEY, merchantReference="a:b")
    assert verify_webhook({}, adyen_body(item), [KEY])
    account = item["merchantAccountCode"]
    shifted = {**item, "merchantAccountCode": f"{account}:a", "merchantReference": "b"}
    assert not verify_webhook({}, adyen_body(shifted), [KEY])


def test_one_item_only() -> None:
    item = adyen_item(KEY)
    for body in (adyen_body(), adyen_body(item, item)):
        assert not verify_webhook({}, body, [KEY])
        with pytest.raises(ValueError, match="one notification"):
            parse_event(body)


@pytest.mark.parametrize("secret", ["", "zz", "0A", "0A" * 15, "é" * 32])
def test_what_is_no_key_signs_nothing(secret: str) -> None:
    try:
        item = adyen_item(secret)
    except ValueError:
        item = adyen_item(KEY)
    assert not verify_webhook({}, adyen_body(item), [secret])


def basic(pair: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def test_basic_authentication_is_asked_for_where_it_is_configured() -> None:
    body, secrets = adyen_body(adyen_item(KEY)), [KEY, "basic:adyen:pässword"]
    assert verify_webhook(basic("adyen:pässword"), body, secrets)
    for headers in ({}, basic("adyen:other"), basic(""), {"authorization": "Bearer é"}):
        assert not verify_webhook(headers, body, secrets)
    assert not verify_webhook(basic("adyen:pässword"), body, secrets[1:]), "it is no signature"


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
