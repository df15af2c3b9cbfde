"""Vendors' webhook signatures, written twice so that the adapters are not checked by themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

TRANSMISSION = "69cd13f0-d67a-11e5-baa3-778b53f4ae55"


@cache
def paypal_key(name: str) -> rsa.RSAPrivateKey:
    """A signing key, one per ``name`` and test process."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def paypal_secret(webhook_id: str, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    """The secret that pins ``key`` for a webhook."""
    encoded = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"{webhook_id}:{base64.b64encode(encoded).decode()}"


def paypal_headers(
    webhook_id: str, key: rsa.RSAPrivateKey, body: bytes, at: datetime
) -> dict[str, str]:
    """The four headers that PayPal's signature takes part in."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = "|".join([TRANSMISSION, stamp, webhook_id, str(zlib.crc32(body))])
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return {
        "paypal-transmission-id": TRANSMISSION,
        "paypal-transmission-time": stamp,
        "paypal-transmission-sig": base64.b64encode(signature).decode(),
        "paypal-auth-algo": "SHA256withRSA",
    }


def adyen_item(key_hex: str, **changed: Any) -> dict[str, Any]:
    """A notification item with its HMAC; ``changed`` replaces members before it is signed."""
    item: dict[str, Any] = {
        "amount": {"currency": "EUR", "value": 1_299},
        "eventCode": "REFUND",
        "eventDate": "2026-03-01T12:00:00+01:00",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "trf_00000000000000000001",
        "originalReference": "PSP0000000000001",
        "paymentMethod": "visa",
        "pspReference": "REF0000000000001",
        "reason": "",
        "success": "true",
        **changed,
    }
    names = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
    texts = [str(item.get(name, "")) for name in names]
    texts += [str(item["amount"]["value"]), item["amount"]["currency"]]
    texts += [item["eventCode"], item["success"]]
    mac = hmac.new(bytes.fromhex(key_hex), ":".join(texts).encode(), hashlib.sha256)
    item["additionalData"] = {"hmacSignature": base64.b64encode(mac.digest()).decode()}
    return item


def adyen_body(*items: dict[str, Any]) -> bytes:
    """A webhook of these items."""
    wrapped = [{"NotificationRequestItem": item} for item in items]
    return orjson.dumps({"live": "false", "notificationItems": wrapped})


def shopify_headers(secret: str, body: bytes) -> dict[str, str]:
    """Shopify's signature header."""
    mac = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-shopify-hmac-sha256": base64.b64encode(mac).decode()}
