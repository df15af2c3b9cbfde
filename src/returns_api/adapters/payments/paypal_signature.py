"""PayPal's webhook signature, checked without any network.

PayPal signs ``transmission id|transmission time|webhook id|CRC-32 of the body`` with RSA and
SHA-256, and names the certificate by an address (PAYPAL-CERT-URL). That address comes from whoever
sent the message, so nothing here ever looks at it: the keys that count are **pinned**. A webhook
secret of a PayPal connection is::

    <webhook id>:<public key, base64 of its SubjectPublicKeyInfo>

Several secrets are tried, so the next key can be pinned before PayPal changes to it; see
docs/adapters.md for the command that prints one. PayPal's other way, its
``verify-webhook-signature`` call, needs the network, which a check of a signature must not.

**What this does not protect.** CRC-32 is no digest: who has seen one genuine message can make
another body with the same checksum, and the signature covers no more. The five minutes of validity
are the only bound. TLS is what keeps messages from being seen.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TOLERANCE: Final = timedelta(minutes=5)
ALGORITHM: Final = "SHA256withRSA"
MIN_KEY_BITS: Final = 2_048
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
_WEBHOOK_ID: Final = re.compile(r"[A-Za-z0-9]{1,50}")
_MAX_SIGNATURE: Final = 1_024


def verify_signature(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> bool:
    """Whether a pinned key signed this transmission of ``body``, within ±5 minutes of ``now``.

    Never raises: headers and secrets that are missing or malformed are simply wrong.
    """
    ident = headers.get("paypal-transmission-id", "")
    sent_at = headers.get("paypal-transmission-time", "")
    signature = _signature(headers.get("paypal-transmission-sig", ""))
    if not _ID.fullmatch(ident) or not _fresh(sent_at, now) or signature is None:
        return False
    if headers.get("paypal-auth-algo") != ALGORITHM:
        return False
    checksum = zlib.crc32(body)
    pinned = [pair for pair in map(_pinned, secrets) if pair is not None]
    signed = ((f"{ident}|{sent_at}|{webhook}|{checksum}", key) for webhook, key in pinned)
    return any(_is_signed(text.encode("ascii"), signature, key) for text, key in signed)


def _fresh(sent_at: str, now: datetime) -> bool:
    if not _TIME.fullmatch(sent_at):
        return False
    try:
        return abs(now - datetime.fromisoformat(sent_at)) <= TOLERANCE
    except (ValueError, OverflowError):
        return False


def _signature(header: str) -> bytes | None:
    """The bytes of a header that is exactly their base64."""
    if not 0 < len(header) <= _MAX_SIGNATURE or not header.isascii():
        return None
    try:
        found = base64.b64decode(header, validate=True)
    except binascii.Error:
        return None
    return found if base64.b64encode(found).decode() == header else None


@lru_cache(maxsize=256)
def _pinned(secret: str) -> tuple[str, rsa.RSAPublicKey] | None:
    """Webhook id and key of a secret; None for anything but an RSA key of at least 2048 bits."""
    webhook, _, text = secret.partition(":")
    if not _WEBHOOK_ID.fullmatch(webhook) or not text.isascii():
        return None
    try:
        key = serialization.load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    strong = isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_KEY_BITS
    return (webhook, key) if strong and isinstance(key, rsa.RSAPublicKey) else None


def _is_signed(text: bytes, signature: bytes, key: rsa.RSAPublicKey) -> bool:
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
