"""DHL's wire formats: Parcel DE Returns v1 for labels, Shipment Tracking Unified for scans.

Pure functions. Sources: DHL's own description of Parcel DE Returns (1.0.9) and
developer.dhl.com/api-reference/shipment-tracking. Owns what DHL calls things; refuses to own the
order of calls (``dhl_returns``).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import orjson

from returns_api.adapters import fields
from returns_api.adapters.carriers.dhl_returns_address import receiver_for, shipper
from returns_api.adapters.http import Call, Reply
from returns_api.ports.carriers import (
    CarrierAccount,
    Form,
    Label,
    LabelDocument,
    LabelRequest,
    TrackingScan,
    TrackingStatus,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable

ORDERS: Final = "/parcel/de/shipping/returns/v1/orders?labelType=BOTH"
TRACK: Final = "/track/shipments"
MAX_GRAMS: Final = 31_500
SERVICES: Final = {
    None: "Retoure",
    "retoure": "Retoure",
    "gogreen_plus": "Retoure GoGreen Plus",
}
"""What can be asked for, and what it is called on the label."""
ZONE: Final = ZoneInfo("Europe/Berlin")
"""In which DHL Parcel DE tells times that carry no offset."""
_MEDIA: Final = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n", "image/png"))
_LARGEST: Final = 1 << 20
_STATUS: Final = {
    "pre-transit": TrackingStatus.PRE_TRANSIT,
    "transit": TrackingStatus.IN_TRANSIT,
    "delivered": TrackingStatus.DELIVERED,
    "failure": TrackingStatus.FAILURE,
}


def build_order(account: CarrierAccount, request: LabelRequest) -> Call:
    """POST /orders: the label, at once. Raises ``ProviderRejected`` for what DHL does not take.

    The reference is printed on the label and shown in DHL's portal.
    """
    if request.service not in SERVICES:
        raise ProviderRejected("no_such_service", "DHL Parcel DE Returns has no such service")
    if not 0 < request.weight_grams <= MAX_GRAMS:
        raise ProviderRejected("too_heavy", f"a parcel weighs at most {MAX_GRAMS} g")
    body: dict[str, Any] = {
        "receiverId": receiver_for(account.account, request.sender.country),
        "customerReference": request.reference,
        "shipmentReference": request.reference,
        "shipper": shipper(request.sender),
        "itemWeight": {"uom": "g", "value": request.weight_grams},
    }
    if request.service == "gogreen_plus":
        body["services"] = {"goGreenPlus": True}
    key, user, password = credentials(account)
    token = b64encode(f"{user}:{password}".encode()).decode("ascii")
    headers = {
        "dhl-api-key": key,
        "authorization": f"Basic {token}",
        "accept": "application/json",
        "content-type": "application/json",
    }
    return Call("POST", _url(account, ORDERS), headers, orjson.dumps(body))


def build_track(account: CarrierAccount, shipment_no: str) -> Call:
    """GET /track/shipments."""
    asked = urlencode({"trackingNumber": shipment_no, "service": "parcel-de"})
    headers = {"dhl-api-key": credentials(account)[0], "accept": "application/json"}
    return Call("GET", _url(account, f"{TRACK}?{asked}"), headers)


def credentials(account: CarrierAccount) -> tuple[str, str, str]:
    """API key, user and password of ``<api key>:<user>:<password>``.

    Raises ``ProviderUnavailable``: a secret of another form can be mended.
    """
    key, _, login = account.secret.partition(":")
    user, _, password = login.partition(":")
    if not (key and user and password and account.secret.isascii()):
        raise ProviderUnavailable("the secret is not <api key>:<user>:<password>")
    return key, user, password


def refuse(reply: Reply) -> None:
    """Turn a 4xx into one of the three port errors; pass for 2xx.

    DHL's sentences can quote an address: only the status goes further. A 4xx without its status
    object came from somebody in between.
    """
    if reply.status < 400:
        return
    try:
        fields.integer(reply.json_object(), "status", least=400, most=499)
    except ValueError as unreadable:
        raise OutcomeUnknown(f"answer {reply.status} is not DHL's") from unreadable
    if reply.status in {401, 403}:
        raise ProviderUnavailable(f"refused for now: {reply.status}", reply.retry_after)
    raise ProviderRejected(f"http_{reply.status}", f"DHL answered {reply.status}")


def parse_order(order: Mapping[str, object], request: LabelRequest) -> Label:
    """The label of a confirmed order. Raises ``ValueError``."""
    status = fields.integer(fields.mapping(order, "sstatus"), "status", least=200, most=299)
    number = fields.text(order, "shipmentNo", longest=50)
    if status != 201 or not number.isascii() or not number.isalnum():
        raise ValueError("it is not a confirmed order")
    link = fields.optional_text(order, "qrLink", longest=2_000)
    documents = [_document(Form.LABEL, fields.mapping(order, "label"))]
    if order.get("qrLabel") is not None:
        documents.append(_document(Form.QR, fields.mapping(order, "qrLabel")))
    return Label(
        carrier_shipment_id=number,
        tracking_code=number,
        carrier="DHL",
        service=SERVICES[request.service],
        label_url=None,
        cost_minor=None,
        currency=None,
        qr_url=link if link is not None and link.startswith("https://") else None,
        documents=tuple(documents),
    )


def parse_track(found: Mapping[str, object], shipment_no: str) -> tuple[TrackingScan, ...]:
    """The scans of one parcel, oldest first; of other parcels in the answer none. Raises
    ``ValueError``."""
    scans = [
        TrackingScan(
            tracking_code=shipment_no,
            carrier_shipment_id=None,
            status=_STATUS.get(str(event.get("statusCode")), TrackingStatus.UNKNOWN),
            at=_moment(fields.text(event, "timestamp", longest=40)),
            description=fields.optional_text(event, "description"),
        )
        for shipment in fields.objects(found, "shipments")
        if shipment.get("id") == shipment_no
        for event in reversed(fields.objects(shipment, "events"))  # DHL: the newest first
    ]
    return tuple(sorted(scans, key=lambda scan: scan.at))


def _document(form: Form, given: Mapping[str, object]) -> LabelDocument:
    content = b64decode(fields.text(given, "b64", longest=_LARGEST), validate=True)
    for magic, media_type in _MEDIA:
        if content.startswith(magic):
            return LabelDocument(form, media_type, content)
    raise ValueError(f"{form} is neither PDF nor PNG")


def _moment(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if not 2000 <= value.year < 2200:
        raise ValueError("timestamp is not a time between 2000 and 2200")
    return (value if value.tzinfo else value.replace(tzinfo=ZONE)).astimezone(UTC)


def _url(account: CarrierAccount, path: str) -> str:
    return account.base_url.rstrip("/") + path
