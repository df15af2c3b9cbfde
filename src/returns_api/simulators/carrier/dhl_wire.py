"""DHL's wire formats, from the same books as EasyPost's: only the words differ. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from . import labels
from .wire import Row

ACCOUNT = "dhl:"
"""What the books put before the API key, so that a shipment knows whose words it speaks."""
RATE = {"id": "rate_dhl", "rate": "0.00", "currency": "EUR", "carrier": "DHL", "service": "Retoure"}
"""A label costs nothing until it is used."""
PROBLEM = {"content-type": "application/problem+json"}
_ZONE = ZoneInfo("Europe/Berlin")
_STATUS = {
    "pre_transit": "pre-transit",
    "in_transit": "transit",
    "out_for_delivery": "transit",
    "delivered": "delivered",
    "failure": "failure",
}


def order(row: Row) -> dict[str, Any]:
    """The confirmation of an order, with the label and the code inside."""
    code = row["tracking_code"]
    return {
        "sstatus": {"title": "Created", "status": 201, "detail": "Created"},
        "shipmentNo": code,
        "label": {"b64": b64encode(labels.pdf(code)).decode()},
        "qrLabel": {"b64": b64encode(labels.qr_png(code)).decode()},
        "qrLink": f"https://www.dhl.de/retoure/qr/{code}",
        "routingCode": "40327653113+99000933090010",
    }


def tracked(row: Row, scans: Sequence[Row]) -> dict[str, Any]:
    """A parcel with all scans so far, the newest first, as DHL lists them."""
    events = [
        {
            "timestamp": stamp(scan["at"]),
            "statusCode": _STATUS.get(scan["status"], "unknown"),
            "status": scan["message"].upper(),
            "description": scan["message"],
        }
        for scan in reversed(scans)
    ]
    shipment = {"id": row["tracking_code"], "service": "parcel-de", "events": events}
    return {"shipments": [{**shipment, "status": events[0]}]}


def stamp(at: float) -> str:
    """A time as DHL Parcel DE writes it: local, without an offset."""
    return datetime.fromtimestamp(at, tz=_ZONE).strftime("%Y-%m-%dT%H:%M:%S")


def error(status: int, code: str, message: str = "") -> dict[str, Any]:
    """A status object."""
    return {"title": code, "status": status, "detail": message or f"{status} {code}"}


def spoil(fault: str, body: bytes) -> bytes:
    """An answer that cannot be read; there is no price and no owner in it to be wrong."""
    if fault == "nan":
        return body.replace(b'"status":201', b'"status":NaN')
    return re.sub(rb'"shipmentNo":"[^"]*"', b'"shipmentNo":""', body)


def request(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the books keep of an order."""
    return {**body, "reference": str(body.get("shipmentReference") or "")}
