"""PayPal's webhook signature: offline, against pinned keys, and never by the address it names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.http import Call, HttpClient
from returns_api.adapters.payments.paypal_signature import verify_signature
from tests.support.bank import Bank
from tests.support.recorder import Recorder
from tests.support.vendor_signatures import paypal_headers, paypal_key, paypal_secret

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = b'{"id":"WH-1"}'
KEY = paypal_key("right")
SECRET = paypal_secret("WH1", KEY.public_key())
GOOD = paypal_headers("WH1", KEY, BODY, NOW)


def test_a_pinned_key_is_enough() -> None:
    other = paypal_secret("WH1", paypal_key("wrong").public_key())
    assert verify_signature(GOOD, BODY, [SECRET], NOW)
    assert verify_signature(GOOD, BODY, [other, "nonsense", SECRET], NOW)
    assert not verify_signature(GOOD, BODY, [other], NOW)


def test_the_address_of_a_certificate_is_never_looked_at() -> None:
    """It comes from the sender, so it can neither help nor harm."""
    for url in ("http://169.254.169.254/", "https://evil.example/cert.pem", "\0"):
        assert verify_signature({**GOOD, "paypal-cert-url": url}, BODY, [SECRET], NOW)
        assert not verify_signature({**GOOD, "paypal-cert-url": url}, BODY + b" ", [SECRET], NOW)


def test_another_webhook_s_message_does_not_pass() -> None:
    assert not verify_signature(paypal_headers("WH2", KEY, BODY, NOW), BODY, [SECRET], NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("paypal-auth-algo", "SHA1withRSA"),
        ("paypal-auth-algo", "sha256withrsa"),
        ("paypal-auth-algo", ""),
        ("paypal-transmission-id", "a|b"),
        ("paypal-transmission-id", ""),
        ("paypal-transmission-id", "x" * 65),
        ("paypal-transmission-time", "2026-03-01T12:00:00"),
        ("paypal-transmission-time", "2026-13-01T12:00:00Z"),
        ("paypal-transmission-time", "1772366400"),
        ("paypal-transmission-time", "2026-03-01T12:00:01Z"),
        ("paypal-transmission-sig", GOOD["paypal-transmission-sig"] + "\n"),
        ("paypal-transmission-sig", "AAAA"),
        ("paypal-transmission-sig", "!"),
    ],
)
def test_headers(name: str, value: str) -> None:
    assert not verify_signature({**GOOD, name: value}, BODY, [SECRET], NOW)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        ":",
        "WH1:",
        "WH1",
        SECRET.partition(":")[2],
        f"WH 1:{SECRET.partition(':')[2]}",
        SECRET + "é",
        SECRET[:-8],
        paypal_secret("WH1", ec.generate_private_key(ec.SECP256R1()).public_key()),
    ],
)
def test_what_is_no_pinned_key_signs_nothing(secret: str) -> None:
    assert not verify_signature(GOOD, BODY, [secret], NOW)


def test_short_keys_sign_nothing() -> None:
    short = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)
    headers = paypal_headers("WH1", short, BODY, NOW)
    assert not verify_signature(headers, BODY, [paypal_secret("WH1", short.public_key())], NOW)


@pytest.mark.parametrize(("seconds", "passes"), [(300, True), (-300, True), (301, False)])
def test_five_minutes(seconds: int, passes: bool) -> None:
    at = NOW + timedelta(seconds=seconds)
    assert verify_signature(GOOD, BODY, [SECRET], at) is passes


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), st.text(max_size=80)), st.binary(max_size=9))
def test_nothing_raises(headers: dict[str, str], body: bytes) -> None:
    assert not verify_signature(headers, body, [SECRET, "x"], NOW)


async def test_the_bank_signs_what_its_certificate_says(bank: Bank, recorder: Recorder) -> None:
    """From the certificate that an operator downloads to a webhook that passes."""
    patient = HttpClient()
    call = Call("GET", f"{bank.base_url}/v1/notifications/certs/CERT-360caa42-bank")
    pem = (await patient.send(call)).body
    await patient.aclose()
    key = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    await bank.register_webhook(recorder.url, "WHBANK")
    await bank.dashboard_refund(await bank.pay(5_000, vendor="paypal"), 100)
    await bank.quiet()
    sent = recorder.requests[0]
    now = datetime.now(UTC)
    assert verify_signature(sent.headers, sent.body, [paypal_secret("WHBANK", key)], now)
    assert not verify_signature(sent.headers, sent.body, [SECRET], now)
