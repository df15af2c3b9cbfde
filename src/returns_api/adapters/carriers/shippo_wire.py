"""Shippo's wire format: requests built, answers and webhooks read, signatures checked.

Pure functions. Sources: docs.goshippo.com (shipments, returns, transactions, tracking, webhook
security) and the field names of Shippo's own client libraries. Owns what Shippo calls things;
refuses to own the order of calls (``shippo``).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from returns_api.adapters import fields
from returns_api.adapters.http import Call, Reply
from returns_api.domain.errors import Invalid
from returns_api.domain.money import to_minor
from returns_api.ports.carriers import (
    Address,
    CarrierAccount,
    Label,
    LabelRequest,
    TrackingEvent,
    TrackingScan,
    TrackingStatus,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable

API_VERSION: Final = "2018-02-08"
SIGNATURE_TOLERANCE: Final = timedelta(minutes=5)
MAX_SIGNATURE_HEADER: Final = 256
BOX: Final = {"length": "35", "width": "25", "height": "10", "distance_unit": "cm"}
"""Shippo wants a size for every parcel; nobody tells us one."""
BOUGHT: Final = frozenset({"SUCCESS", "REFUNDPENDING", "REFUNDED", "REFUNDREJECTED"})
GIVEN_BACK: Final = frozenset({"REFUNDPENDING", "REFUNDED"})
REFUNDING: Final = frozenset({"QUEUED", "PENDING", "SUCCESS"})
_STATUS: Final = {
    "PRE_TRANSIT": TrackingStatus.PRE_TRANSIT,
    "TRANSIT": TrackingStatus.IN_TRANSIT,
    "DELIVERED": TrackingStatus.DELIVERED,
    "RETURNED": TrackingStatus.RETURN_TO_SENDER,
    "FAILURE": TrackingStatus.FAILURE,
}
_SUBSTATUS: Final = {
    "out_for_delivery": TrackingStatus.OUT_FOR_DELIVERY,
    "pickup_available": TrackingStatus.AVAILABLE_FOR_PICKUP,
}


def build_shipment(account: CarrierAccount, request: LabelRequest) -> Call:
    """POST /shipments/ for a return: Shippo turns the addresses of the outward trip round itself.

    The service waits in ``metadata`` until the label is bought.
    """
    wanted = "" if request.service is None else request.service
    body = {
        "address_from": _address(request.receiver),
        "address_to": _address(request.sender),
        "parcels": [{**BOX, "weight": str(request.weight_grams), "mass_unit": "g"}],
        "extra": {"is_return": True, "reference_1": request.reference},
        "metadata": f"{request.reference}|{wanted}",
        "async": False,
    }
    return _post(account, "/shipments/", body)


def build_retrieve(account: CarrierAccount, shipment_id: str) -> Call:
    """GET /shipments/{id}/."""
    return Call("GET", _url(account, f"/shipments/{quote(shipment_id, safe='')}/"), _head(account))


def build_buy(account: CarrierAccount, shipment_id: str, rate_id: str) -> Call:
    """POST /transactions/; ``metadata`` says for which shipment."""
    body = {"rate": rate_id, "label_file_type": "PDF", "metadata": shipment_id, "async": False}
    return _post(account, "/transactions/", body)


def build_bought(account: CarrierAccount, rate_id: str) -> Call:
    """GET /transactions/?rate=: what was bought of one rate."""
    return Call("GET", _url(account, f"/transactions/?{urlencode({'rate': rate_id})}"),
                _head(account))  # fmt: skip


def build_refund(account: CarrierAccount, transaction_id: str) -> Call:
    """POST /refunds/."""
    return _post(account, "/refunds/", {"transaction": transaction_id, "async": False})


def build_track(account: CarrierAccount, carrier: str, code: str) -> Call:
    """GET /tracks/{carrier}/{number}/."""
    token = quote(carrier.lower().replace(" ", "_"), safe="")
    return Call("GET", _url(account, f"/tracks/{token}/{quote(code, safe='')}/"), _head(account))


def refuse(reply: Reply) -> None:
    """Turn a 4xx into one of the three port errors; pass for 2xx.

    Shippo names no codes, and its sentences can quote an address: only the status goes further.
    """
    if reply.status < 400:
        return
    reply.json_object()  # raises for what came from somebody in between
    if reply.status in {401, 402, 403, 409}:
        raise ProviderUnavailable(f"refused for now: {reply.status}", reply.retry_after)
    raise ProviderRejected(f"http_{reply.status}", f"Shippo answered {reply.status}")


def choose_rate(shipment: Mapping[str, object]) -> Mapping[str, object]:
    """The cheapest rate of the service that was asked for, of any service otherwise.

    Raises ``ProviderRejected`` when there is none, or when prices are in several currencies and
    so cannot be compared; ``OutcomeUnknown`` when they are not readable.
    """
    try:
        wanted = fields.text(shipment, "metadata", longest=100).partition("|")[2]
        priced = [
            (rate_cost(rate), fields.text(rate, "object_id", longest=255), rate)
            for rate in fields.objects(shipment, "rates")
            if not wanted or service_of(rate) == wanted
        ]
    except ValueError as error:
        raise OutcomeUnknown(f"unreadable rates: {error}") from error
    if not priced:
        raise ProviderRejected("no_rates", "no carrier offers this parcel, or not this service")
    if len({currency for (_, currency), _, _ in priced}) > 1:
        raise ProviderRejected("mixed_currencies", "rates in several currencies: name a service")
    return min(priced, key=lambda each: (each[0][0], each[1]))[2]


def rate_cost(rate: Mapping[str, object]) -> tuple[int, str]:
    """Minor units and currency of a rate such as "5.82" USD. Raises ``ValueError``."""
    currency = fields.text(rate, "currency", longest=3)
    try:
        amount = to_minor(fields.text(rate, "amount", longest=20), currency)
    except Invalid as error:
        raise ValueError("the price is not an exact amount of its currency") from error
    if amount < 0:
        raise ValueError("the price is negative")
    return amount, currency


def service_of(rate: Mapping[str, object]) -> str:
    """The token of the rate's service, such as ``usps_priority``. Raises ``ValueError``."""
    return fields.text(fields.mapping(rate, "servicelevel"), "token", longest=60)


def find_bought(
    listed: Mapping[str, object], shipment_id: str, rate: Mapping[str, object]
) -> Mapping[str, object] | None:
    """The transaction that bought this rate for this shipment. Raises ``ValueError``.

    One that is still being worked on is neither there nor absent: ``OutcomeUnknown``.
    """
    for each in fields.objects(listed, "results"):
        if each.get("rate") != rate["object_id"] or each.get("metadata") != shipment_id:
            continue
        status = fields.text(each, "status", longest=40)
        if status in BOUGHT:
            return each
        if status != "ERROR":
            raise OutcomeUnknown(f"a purchase is '{status[:20]}'")
    return None


def parse_label(
    transaction: Mapping[str, object], shipment_id: str, rate: Mapping[str, object]
) -> Label:
    """The label of a transaction, which has to be of this shipment and rate. Raises
    ``ValueError``."""
    if (transaction.get("rate"), transaction.get("metadata")) != (rate["object_id"], shipment_id):
        raise ValueError("it is not the purchase that was asked for")
    url = fields.text(transaction, "label_url", longest=2_000)
    if not url.startswith(("https://", "http://")):
        raise ValueError("label_url is not a web address")
    cost, currency = rate_cost(rate)
    return Label(
        carrier_shipment_id=shipment_id,
        tracking_code=fields.text(transaction, "tracking_number", longest=100),
        carrier=fields.text(rate, "provider", longest=100),
        service=service_of(rate),
        label_url=url,
        cost_minor=cost,
        currency=currency,
    )


def parse_track(track: Mapping[str, object]) -> tuple[TrackingScan, ...]:
    """The scans of a parcel, oldest first. Raises ``ValueError``.

    They name the parcel by its number alone. A parcel that has a status and no history counts as
    scanned once.
    """
    code = fields.text(track, "tracking_number", longest=100)
    found = list(fields.objects(track, "tracking_history"))
    if not found and isinstance(track.get("tracking_status"), dict):
        found = [fields.mapping(track, "tracking_status")]
    scans = [
        TrackingScan(
            tracking_code=code,
            carrier_shipment_id=None,
            status=_status(scan),
            at=fields.timestamp(scan, "status_date"),
            description=fields.optional_text(scan, "status_details"),
        )
        for scan in found
        if scan.get("status_date") is not None
    ]
    return tuple(sorted(scans, key=lambda scan: scan.at))


def parse_event(body: bytes) -> TrackingEvent:
    """The scans of a webhook. Raises ``ValueError`` for what is no readable Shippo event.

    Shippo numbers no events, so an event is named by its own bytes: the same again is the same.
    """
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("the event is not JSON") from error
    if not isinstance(event, dict):
        raise ValueError("not an event")
    topic = fields.text(event, "event", longest=100)
    scans = parse_track(fields.mapping(event, "data")) if topic == "track_updated" else ()
    return TrackingEvent(f"shippo-{hashlib.sha256(body).hexdigest()}", topic, scans)


def verify_signature(header: str, body: bytes, secrets: Sequence[str], now: datetime) -> bool:
    """Whether ``header`` (``t=…,v1=…``) signs time and body under any secret. Never raises."""
    if not header.isascii() or len(header) > MAX_SIGNATURE_HEADER:
        return False
    parts = [part.partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    given = [value.encode("ascii") for name, _, value in parts if name == "v1"]
    if len(stamps) != 1 or len(given) != 1 or not (stamps[0].isdecimal() and len(stamps[0]) < 13):
        return False
    if abs(int(now.timestamp()) - int(stamps[0])) > SIGNATURE_TOLERANCE.total_seconds():
        return False
    signed = stamps[0].encode("ascii") + b"." + body
    return any(hmac.compare_digest(given[0], _sign(secret, signed)) for secret in secrets if secret)


def _sign(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode("ascii")


def _status(scan: Mapping[str, object]) -> TrackingStatus:
    """A word that Shippo adds later is unknown, not an error."""
    finer = scan.get("substatus")
    code = finer.get("code") if isinstance(finer, dict) else None
    return _SUBSTATUS.get(str(code)) or _STATUS.get(str(scan.get("status")), TrackingStatus.UNKNOWN)


def _address(address: Address) -> dict[str, str]:
    known = {
        "name": address.name,
        "street1": address.street1,
        "street2": address.street2,
        "city": address.city,
        "state": address.region,
        "zip": address.postcode,
        "country": address.country,
        "email": address.email,
        "phone": address.phone,
    }
    return {name: value for name, value in known.items() if value}


def _post(account: CarrierAccount, path: str, body: dict[str, Any]) -> Call:
    return Call("POST", _url(account, path), _head(account), orjson.dumps(body))


def _head(account: CarrierAccount) -> dict[str, str]:
    return {
        "authorization": f"ShippoToken {account.secret}",
        "shippo-api-version": API_VERSION,
        "content-type": "application/json",
    }


def _url(account: CarrierAccount, path: str) -> str:
    return account.base_url.rstrip("/") + path
