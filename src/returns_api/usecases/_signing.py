"""The secrets of a webhook endpoint, and signing with all that are live (Standard Webhooks 1.0).

Sealed as one list, newest first: ``[secret, until]``, where ``until`` is None for the newest.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import orjson
from standardwebhooks import Webhook

from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """``until`` is the moment at which an old secret stops signing."""

    text: str = field(repr=False)
    until: datetime | None


def new_secret(ctx: Context) -> str:
    """A secret in the form that receivers' libraries take: ``whsec_`` and 32 bytes in base64."""
    drawn = sha256(f"webhook {ctx.new_secret()}".encode()).digest()
    return f"whsec_{b64encode(drawn).decode()}"


def seal_secrets(ctx: Context, secrets: Sequence[SigningSecret]) -> bytes:
    return ctx.sealer.seal(
        orjson.dumps([[secret.text, secret.until] for secret in secrets]).decode()
    )


def live_secrets(ctx: Context, sealed: bytes, now: datetime) -> list[SigningSecret]:
    """Those that still sign, newest first. Raises ``ValueError`` when the sealing key is lost."""
    listed = [
        SigningSecret(text, None if until is None else datetime.fromisoformat(until))
        for text, until in orjson.loads(ctx.sealer.open(sealed))
    ]
    return [secret for secret in listed if secret.until is None or secret.until > now]


def signed_headers(
    message_id: str, body: bytes, secrets: Sequence[SigningSecret], now: datetime
) -> dict[str, str]:
    """The headers of one try; several signatures, joined by a space, while secrets overlap."""
    signatures = [Webhook(secret.text).sign(message_id, now, body.decode()) for secret in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
