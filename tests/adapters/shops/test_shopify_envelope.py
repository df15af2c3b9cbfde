"""Signatures, secrets in rotation, and the envelope of a delivery."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.ports.shops import ShopPlatform
from tests.support.shopify import SECRET, fixture, headers, sign

SHOP: ShopPlatform = ShopifyShop()
NOW = datetime(2026, 3, 1, tzinfo=UTC)
BODY = fixture("order_card")


def verify(given_headers: dict[str, str], body: bytes = BODY, *secrets: str) -> bool:
    return SHOP.verify(given_headers, body, secrets or (SECRET,), NOW)


def test_a_genuine_body_is_recognised() -> None:
    assert verify(headers("orders/create", BODY))


@pytest.mark.parametrize("secrets", [("new", SECRET), (SECRET, "old"), ("", SECRET)])
def test_while_secrets_rotate_either_is_good(secrets: tuple[str, ...]) -> None:
    assert verify(headers("orders/create", BODY), BODY, *secrets)


def test_a_known_vector_is_recognised() -> None:
    """RFC 4231, test case 2, in base64."""
    digest = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    signature = {"x-shopify-hmac-sha256": base64.b64encode(digest).decode()}
    assert verify(signature, b"what do ya want for nothing?", "Jefe")


@pytest.mark.parametrize("secrets", [(), ("",), ("another",)])
def test_without_the_right_secret_nothing_is_genuine(secrets: tuple[str, ...]) -> None:
    assert not SHOP.verify(headers("orders/create", BODY), BODY, secrets, NOW)


def test_an_empty_secret_signs_nothing() -> None:
    assert not SHOP.verify(headers("orders/create", BODY, secret=""), BODY, ["", SECRET], NOW)


GENUINE = sign(BODY)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        " ",
        GENUINE[:-1],
        GENUINE + "=",
        GENUINE + "\n",
        " " + GENUINE[:-1],
        GENUINE.swapcase(),
        "é" * 44,
        "\ud800" * 44,
        "ａ" * 44,
        "=" * 44,
        "!" * 44,
        "A" * 100_000,
        base64.b64encode(b"short").decode(),
        "\0" * 44,
    ],
)
def test_a_malformed_signature_is_just_not_genuine(signature: str) -> None:
    assert not verify({"x-shopify-hmac-sha256": signature})


def test_a_missing_signature_is_just_not_genuine() -> None:
    assert not verify({})


@given(st.integers(0, len(BODY) * 8 - 1))
def test_one_flipped_bit_is_enough(bit: int) -> None:
    tampered = bytearray(BODY)
    tampered[bit // 8] ^= 1 << bit % 8
    assert not verify({"x-shopify-hmac-sha256": GENUINE}, bytes(tampered))


def test_the_envelope_names_the_delivery_not_the_merchants_action() -> None:
    delivery = SHOP.envelope(headers("orders/create", BODY), BODY)
    assert delivery.event_id == "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
    assert delivery.topic == "orders/create"
    assert delivery.shop_domain == "super-toys.myshopify.com"
    assert delivery.triggered_at == datetime(2026, 3, 1, 9, 15, 3, 27841, tzinfo=UTC)


@pytest.mark.parametrize("name", ["x-shopify-webhook-id", "x-shopify-topic"])
@pytest.mark.parametrize("value", [None, "", "a b", "x" * 256, "ü", "a\0b"])
def test_an_envelope_without_a_name_or_topic_is_refused(name: str, value: str | None) -> None:
    changed = headers("orders/create", BODY)
    changed.pop(name)
    with pytest.raises(ValueError, match=name):
        SHOP.envelope(changed if value is None else {**changed, name: value}, BODY)


@pytest.mark.parametrize(
    "triggered_at", ["", "yesterday", "2026-03-01T09:15:03", "9999-12-31T23:59:59-14:00"]
)
def test_an_unreadable_time_or_shop_is_left_out(triggered_at: str) -> None:
    given_headers = headers("orders/create", BODY, triggered_at=triggered_at, domain="no host")
    delivery = SHOP.envelope(given_headers, BODY)
    assert delivery.triggered_at is None
    assert delivery.shop_domain is None
