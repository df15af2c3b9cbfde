"""Shippo's wire format, from the same books as EasyPost's: only the words differ. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..kit import clock
from . import wire
from .wire import Row

ACCOUNT = "shippo:"
"""What the books put before the token, so that a shipment knows whose words it speaks."""
GRAMS_PER_OUNCE = 28.349523125
_STATUS = {
    "pre_transit": "PRE_TRANSIT",
    "in_transit": "TRANSIT",
    "out_for_delivery": "TRANSIT",
    "delivered": "DELIVERED",
    "return_to_sender": "RETURNED",
    "failure": "FAILURE",
}
_REFUND = {"submitted": "REFUNDPENDING", "rejected": "REFUNDREJECTED"}


def rates(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The books' rates for a Shippo request; a return leaves from ``address_to``."""
    grams = float(request["parcels"][0]["weight"])
    neutral = {
        "parcel": {"weight": grams / GRAMS_PER_OUNCE},
        "is_return": True,
        "to_address": request["address_to"],
    }
    return wire.rates(neutral)


def shipment(row: Row) -> dict[str, Any]:
    """A shipment object with its rates."""
    request = orjson.loads(row["request"])
    return {
        **{name: value for name, value in request.items() if name != "async"},
        "object_id": row["id"],
        "object_created": wire.stamp(row["created"]),
        "status": "SUCCESS",
        "test": True,
        "rates": [_rate(rate) for rate in orjson.loads(row["rates"])],
        "messages": [],
    }


def _rate(rate: Mapping[str, Any]) -> dict[str, Any]:
    name = f"{rate['carrier']}_{rate['service']}".lower()
    return {
        "object_id": rate["id"],
        "amount": rate["rate"],
        "currency": rate["currency"],
        "provider": rate["carrier"],
        "servicelevel": {"name": rate["service"], "token": name, "terms": ""},
        "estimated_days": rate["delivery_days"],
        "messages": [],
    }


def transaction(row: Row, origin: str) -> dict[str, Any]:
    """The purchase of a label."""
    return {
        "object_id": f"txn_{row['id'][4:]}",
        "object_state": "VALID",
        "status": _REFUND.get(row["refund_status"] or "", "SUCCESS"),
        "test": True,
        "rate": orjson.loads(row["rate"])["id"],
        "tracking_number": row["tracking_code"],
        "tracking_url_provider": f"{origin}/tracks/{row['tracking_code']}",
        "label_url": f"{origin}/labels/{row['id']}.pdf",
        "qr_code_url": None,
        "metadata": row["id"],
        "messages": [],
    }


def track(row: Row, scans: Sequence[Row]) -> dict[str, Any]:
    """A parcel with all scans so far."""
    history = [
        {
            "status": _STATUS.get(scan["status"], "UNKNOWN"),
            "substatus": {"code": "out_for_delivery"}
            if scan["status"] == "out_for_delivery"
            else None,
            "status_details": scan["message"],
            "status_date": wire.stamp(scan["at"]),
            "location": None,
        }
        for scan in scans
    ]
    return {
        "carrier": orjson.loads(row["rate"])["carrier"].lower(),
        "tracking_number": row["tracking_code"],
        "tracking_status": history[-1] if history else None,
        "tracking_history": history,
        "transaction": f"txn_{row['id'][4:]}",
        "metadata": row["id"],
        "messages": [],
    }


def event(data: Mapping[str, Any], now: float) -> tuple[str, bytes]:
    """An event's body, and a name for our own queue: Shippo gives it none."""
    body = {"event": "track_updated", "test": True, "data": data, "carrier": data["carrier"]}
    return f"shippo-{data['tracking_number']}-{now}", orjson.dumps(body)


def is_mine(body: bytes) -> bool:
    return body.startswith(b'{"event":"track_updated"')


def sign(secret: str, body: bytes) -> dict[str, str]:
    """The Shippo-Auth-Signature header."""
    stamp = str(int(clock.now()))
    signed = stamp.encode() + b"." + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"shippo-auth-signature": f"t={stamp},v1={digest}"}


def error(status: int, code: str, message: str = "") -> dict[str, Any]:
    """An error body; Shippo has no codes."""
    return {"detail": message or f"{status} {code}"}


def spoil(fault: str, body: bytes) -> bytes:
    """An answer that says something else than what was done.

    A purchase shows no price, so another amount or currency shows as another rate.
    """
    if fault == "nan":
        return body.replace(b'"test":true', b'"test":NaN')
    if fault == "wrong_owner":
        return re.sub(rb'"metadata":"shp_', b'"metadata":"shp_other', body)
    return re.sub(rb'"rate":"rate_', b'"rate":"rate_other', body)
