"""PayPal's wire format: payments v2, orders v2, webhooks and their RSA signatures.

Pure but for the signing key, which is made at first use and kept beside the books.
"""

from __future__ import annotations

import base64
import re
import secrets
import uuid
import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from ..kit import clock
from ..kit.store import Row
from .decimals import to_text
from .words import Message, moment

Json = dict[str, Any]
ROOT = "https://api-m.paypal.com"
_STATUS = {"succeeded": "COMPLETED", "pending": "PENDING", "failed": "FAILED"}


def money(minor: int, currency: str) -> Json:
    """PayPal's money object."""
    return {"currency_code": currency.upper(), "value": to_text(minor, currency)}


def order_id(capture: str) -> str:
    """Every capture here has an order of its own."""
    return f"O{capture}"


def refund(row: Row, reference: str | None) -> Json:
    """A refund, as ``Prefer: return=representation`` gives it."""
    named = {"invoice_id": reference, "custom_id": reference} if reference else {}
    status = _STATUS.get(row["status"], "CANCELLED")
    return {
        "id": row["id"],
        "amount": money(row["amount"], row["currency"]),
        **named,
        "status": status,
        "create_time": moment(row["created"]),
        "update_time": moment(row["created"]),
        "links": [
            _link(f"/v2/payments/refunds/{row['id']}", "self"),
            _link(f"/v2/payments/captures/{row['payment']}", "up"),
        ],
    }


def capture(payment: Row, left: int) -> Json:
    """A captured payment of which ``left`` is not refunded."""
    status = "COMPLETED" if left >= payment["amount"] else "PARTIALLY_REFUNDED"
    return {
        "id": payment["id"],
        "amount": money(payment["amount"], payment["currency"]),
        "final_capture": True,
        "status": status if left > 0 else "REFUNDED",
        "supplementary_data": {"related_ids": {"order_id": order_id(payment["id"])}},
        "create_time": moment(payment["created"]),
        "links": [
            _link(f"/v2/payments/captures/{payment['id']}", "self"),
            _link(f"/v2/checkout/orders/{order_id(payment['id'])}", "up"),
        ],
    }


def order(payment: Row, captured: Json, refunds: Sequence[Json]) -> Json:
    """An order with the history of its payment."""
    payments = {"captures": [captured], **({"refunds": list(refunds)} if refunds else {})}
    return {
        "id": order_id(payment["id"]),
        "intent": "CAPTURE",
        "status": "COMPLETED",
        "purchase_units": [{"reference_id": "default", "payments": payments}],
    }


def error(status: int, code: str) -> Json:
    """PayPal's error body; ``code`` is the issue."""
    names = {400: "INVALID_REQUEST", 401: "AUTHENTICATION_FAILURE", 404: "RESOURCE_NOT_FOUND"}
    names |= {409: "RESOURCE_CONFLICT", 422: "UNPROCESSABLE_ENTITY", 429: "RATE_LIMIT_REACHED"}
    issue = "PREVIOUS_REQUEST_IN_PROGRESS" if code == "idempotency_key_in_use" else code
    return {
        "name": names.get(status, "INTERNAL_SERVER_ERROR"),
        "message": _MESSAGES.get(status, "An error occurred."),
        "debug_id": secrets.token_hex(7),
        "details": [{"issue": issue, "description": _DESCRIPTIONS.get(issue, issue)}],
        "links": [],
    }


def spoil(fault: str, body: bytes) -> bytes:
    """An answer that says something else than what was done."""
    if fault == "nan":
        return re.sub(rb'"value":"[^"]*"', b'"value":NaN', body)
    if fault == "wrong_amount":
        return re.sub(rb'"value":"(\d+)', lambda m: b'"value":"%d' % (int(m[1]) + 1), body)
    if fault == "wrong_currency":
        return re.sub(rb'"currency_code":"[A-Z]{3}"', b'"currency_code":"XTS"', body)
    return re.sub(rb"/captures/", b"/captures/OTHER", body)


class PayPalVoice:
    """PayPal's identifiers, events and signatures."""

    certificate_name = "CERT-360caa42-bank"

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "paypal_signing_key.pem"

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        if not self._file.exists():
            made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
            self._file.write_bytes(
                made.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        key = serialization.load_pem_private_key(self._file.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    def certificate(self) -> bytes:
        """The signing certificate as PEM, self-signed, as PAYPAL-CERT-URL serves PayPal's."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.bank")])
        now = clock.today()
        built = x509.CertificateBuilder(name, name, self._key.public_key(), 1)
        built = built.not_valid_before(now - timedelta(days=1))
        signed = built.not_valid_after(now + timedelta(days=365)).sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def new_payment_id(self) -> str:
        return f"{secrets.token_hex(8).upper()}C"

    def new_refund_id(self) -> str:
        return f"{secrets.token_hex(8).upper()}R"

    def refund_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        """PayPal announces that a refund was made, and documents no event for its later fate."""
        if topic != "refund.created":
            return None
        reference = orjson.loads(row["metadata"]).get("returns_api_reference")
        return _event("PAYMENT.CAPTURE.REFUNDED", "refund", refund(row, reference))

    def dispute_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        names = {
            "charge.dispute.created": "CUSTOMER.DISPUTE.CREATED",
            "charge.dispute.closed": "CUSTOMER.DISPUTE.RESOLVED",
        }
        return _event(names[topic], "dispute", _dispute(row)) if topic in names else None

    def is_mine(self, body: bytes) -> bool:
        return b'"event_type":' in body

    def sign(self, secret: str, body: bytes) -> Mapping[str, str]:
        """The headers of one transmission; ``secret`` is the webhook's id, which is signed too."""
        ident, at = str(uuid.uuid4()), moment(clock.today().timestamp())
        webhook_id = secret.partition(":")[0]
        signed = f"{ident}|{at}|{webhook_id}|{zlib.crc32(body)}".encode()
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return {
            "paypal-transmission-id": ident,
            "paypal-transmission-time": at,
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-auth-algo": "SHA256withRSA",
            "paypal-cert-url": f"{ROOT}/v1/notifications/certs/{self.certificate_name}",
        }

    def seal(self, secret: str, body: bytes) -> bytes:
        return body


def _dispute(row: Row) -> Json:
    done = {"won": "RESOLVED_SELLER_FAVOUR", "lost": "RESOLVED_BUYER_FAVOUR"}
    outcome = done.get(row["status"])
    return {
        "dispute_id": row["id"],
        "create_time": moment(row["created"]),
        "disputed_transactions": [{"seller_transaction_id": row["payment"]}],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "RESOLVED" if outcome else "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": money(row["amount"], row["currency"]),
        "dispute_life_cycle_stage": "CHARGEBACK",
        **({"dispute_outcome": {"outcome_code": outcome}} if outcome else {}),
    }


def _event(topic: str, kind: str, resource: Json) -> Message:
    ident = f"WH-{secrets.token_hex(9).upper()}-{secrets.token_hex(9).upper()}"
    body = {
        "id": ident,
        "event_version": "1.0",
        "create_time": moment(clock.today().timestamp()),
        "resource_type": kind,
        "resource_version": "2.0",
        "event_type": topic,
        "summary": topic,
        "resource": resource,
        "links": [],
    }
    return Message(topic, ident, orjson.dumps(body))


def _link(path: str, rel: str) -> Json:
    return {"href": f"{ROOT}{path}", "rel": rel, "method": "GET"}


# The vendor's description fixes these texts word for word, and the bank is held to it.
_MESSAGES = {
    409: "The server has detected a conflict while processing this request.",
    404: "The specified resource does not exist.",
    401: "Authentication failed due to missing authorization header, or invalid "
    "authentication credentials.",
    422: "The requested action could not be performed, semantically incorrect, or failed "
    "business validation.",
}
_DESCRIPTIONS = {
    "INVALID_RESOURCE_ID": "Specified resource ID does not exist. Please check the resource ID "
    "and try again.",
    "REFUND_AMOUNT_EXCEEDED": "The refund amount must be less than or equal to the capture amount "
    "that has not yet been refunded.",
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
    "PREVIOUS_REQUEST_IN_PROGRESS": "A previous request on this resource is currently in progress. "
    "Please wait for sometime and try again. It is best to space out the initial and the "
    "subsequent request(s) to avoid receiving this error.",
}
