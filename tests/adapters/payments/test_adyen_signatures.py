"""Whom Adyen's webhooks are believed: the HMAC in each item, and basic authentication around it."""

from __future__ import annotations

import base64

import pytest

from returns_api.adapters.payments.adyen_events import (
    parse_event,
    signed_text,
    verify_webhook,
)
from tests.support.adyen import KEY, PUBLISHED_KEY, published_item
from tests.support.vendor_signatures import adyen_body, adyen_item


def test_the_published_vector() -> None:
    item = published_item()
    text = b"7914073381342284::TestMerchant:TestPayment-1407325143704:1130:EUR:AUTHORISATION:true"
    assert signed_text(item) == text
    assert verify_webhook({}, adyen_body(item), [PUBLISHED_KEY])
    assert not verify_webhook({}, adyen_body(item), [KEY])
    item["amount"]["value"] = 1_131
    assert not verify_webhook({}, adyen_body(item), [PUBLISHED_KEY])


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
