"""EasyPost's wire format: shipments, rates, trackers, events, errors, the signature. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

Row = sqlite3.Row

SERVICES = (("USPS", "GroundAdvantage", 425), ("USPS", "Priority", 765), ("UPS", "Ground", 990))
_CURRENCIES = {"US": ("USD", 2), "GB": ("GBP", 2), "JP": ("JPY", 0), "KW": ("KWD", 3)}


def rates(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What carriers would charge: by weight, in the currency of the country it leaves from."""
    ounces = float(request["parcel"]["weight"])
    sender = request["to_address" if request.get("is_return") else "from_address"]
    currency, digits = _CURRENCIES.get(sender.get("country", "US"), ("EUR", 2))
    return [
        {
            "id": f"rate_{secrets.token_hex(16)}",
            "object": "Rate",
            "carrier": carrier,
            "service": service,
            "rate": decimal(base + round(ounces * 3), digits),
            "currency": currency,
            "delivery_days": 3,
        }
        for carrier, service, base in SERVICES
    ]


def decimal(minor: int, digits: int) -> str:
    """An amount as EasyPost writes it: "5.82", and without a point where there is no fraction."""
    if digits == 0:
        return str(minor)
    text = str(minor).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"


def minor(rate: Mapping[str, Any]) -> int:
    """The price of a rate in minor units."""
    return int(rate["rate"].replace(".", ""))


def shipment(row: Row, scans: Sequence[Row], origin: str) -> dict[str, Any]:
    """A shipment object; ``origin`` is where this program is reached, for the label's address."""
    request, rate = orjson.loads(row["request"]), row["rate"]
    label = f"{origin}/labels/{row['id']}"
    forms = [{"object": "Form", "form_type": "label_qr_code", "form_url": f"{label}.qr.png"}]
    return {
        **request,
        "id": row["id"],
        "object": "Shipment",
        "mode": "test",
        "created_at": stamp(row["created"]),
        "rates": orjson.loads(row["rates"]),
        "selected_rate": orjson.loads(rate) if rate else None,
        "tracking_code": row["tracking_code"],
        "status": scans[-1]["status"] if scans else "unknown",
        "refund_status": row["refund_status"],
        "postage_label": None if rate is None else _postage(row, label),
        "tracker": None if rate is None else tracker(row, scans),
        "forms": forms if row["qr"] else [],
        "messages": [],
    }


def tracker(row: Row, scans: Sequence[Row]) -> dict[str, Any]:
    """A tracker object with all scans so far."""
    return {
        "id": f"trk_{row['id'][4:]}",
        "object": "Tracker",
        "mode": "test",
        "tracking_code": row["tracking_code"],
        "shipment_id": row["id"],
        "carrier": orjson.loads(row["rate"])["carrier"],
        "status": scans[-1]["status"] if scans else "unknown",
        "created_at": stamp(row["created"]),
        "updated_at": stamp(scans[-1]["at"] if scans else row["created"]),
        "signed_by": None,
        "weight": None,
        "est_delivery_date": None,
        "tracking_details": [
            {
                "object": "TrackingDetail",
                "message": scan["message"],
                "status": scan["status"],
                "status_detail": "status_update",
                "datetime": stamp(scan["at"]),
                "source": "USPS",
                "tracking_location": {"object": "TrackingLocation", "city": None, "country": None},
            }
            for scan in scans
        ],
    }


def event(topic: str, result: Mapping[str, Any], now: float) -> tuple[str, bytes]:
    """An event's id and body."""
    ident = f"evt_{secrets.token_hex(16)}"
    body = {
        "id": ident,
        "object": "Event",
        "mode": "test",
        "description": topic,
        "created_at": stamp(now),
        "previous_attributes": {},
        "pending_urls": [],
        "completed_urls": [],
        "status": "pending",
        "result": result,
    }
    return ident, orjson.dumps(body)


def sign(secret: str, body: bytes) -> dict[str, str]:
    """The X-Hmac-Signature header."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return {
        "x-hmac-signature": f"hmac-sha256-hex={hmac.new(key, body, hashlib.sha256).hexdigest()}"
    }


def error(status: int, code: str, message: str = "") -> dict[str, Any]:
    """An error body."""
    return {"error": {"code": code, "message": message or f"{status} {code}", "errors": []}}


def spoil(fault: str, body: bytes) -> bytes:
    """An answer that says something else than what was done."""
    if fault == "nan":
        return re.sub(rb'"rate":"[0-9.]+"', b'"rate":NaN', body)
    if fault == "wrong_amount":
        return re.sub(rb'"rate":"([0-9.]+)"', rb'"rate":"9\1"', body)
    if fault == "wrong_currency":
        return re.sub(rb'"currency":"[A-Z]{3}"', b'"currency":"XTS"', body)
    return re.sub(rb'"id":"shp_', b'"id":"shp_other', body)


def stamp(at: float) -> str:
    """A time as EasyPost writes it."""
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _postage(row: Row, label: str) -> dict[str, Any]:
    return {
        "id": f"pl_{row['id'][4:]}",
        "object": "PostageLabel",
        "label_url": f"{label}.png",
        "label_pdf_url": f"{label}.pdf",
        "label_file_type": "application/pdf",
        "label_size": "4x6",
    }
