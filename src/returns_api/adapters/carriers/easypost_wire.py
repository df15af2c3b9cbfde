"""EasyPost's wire format (API v2): requests built, answers and webhooks parsed, signatures checked.

Pure functions. Owns what EasyPost calls things; refuses to own the order of calls (``easypost``).
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

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

SIGNATURE_PREFIX: Final = "hmac-sha256-hex="
MAX_SIGNATURE_HEADER: Final = 256
SERVICE_OPTION: Final = "print_custom_2"
"""Where the wanted service waits between preparing and buying: printed on the label, harmless."""
NANOGRAMS_PER_OUNCE: Final = 28_349_523_125
_TOPICS: Final = frozenset({"tracker.created", "tracker.updated"})


def build_shipment(account: CarrierAccount, request: LabelRequest) -> Call:
    """POST /v2/shipments for a return.

    With ``is_return`` EasyPost takes the addresses of the *outward* trip and turns them round, so
    the buyer is ``to_address`` (docs.easypost.com/docs/shipments/returns).
    """
    options = {"label_format": "PDF"}
    if request.service is not None:
        options[SERVICE_OPTION] = request.service
    shipment = {
        "reference": request.reference,
        "is_return": True,
        "to_address": address(request.sender),
        "from_address": address(request.receiver),
        "parcel": {"weight": ounces_tenths(request.weight_grams) / 10},
        "options": options,
    }
    body = orjson.dumps({"shipment": shipment})
    return Call("POST", url(account, "/v2/shipments"), headers(account), body)


def build_buy(account: CarrierAccount, shipment_id: str, rate_id: str) -> Call:
    """POST /v2/shipments/{id}/buy."""
    body = orjson.dumps({"rate": {"id": rate_id}})
    return Call("POST", _shipment_url(account, shipment_id, "/buy"), headers(account), body)


def build_retrieve(account: CarrierAccount, shipment_id: str) -> Call:
    """GET /v2/shipments/{id}."""
    return Call("GET", _shipment_url(account, shipment_id), headers(account))


def build_refund(account: CarrierAccount, shipment_id: str) -> Call:
    """POST /v2/shipments/{id}/refund."""
    return Call("POST", _shipment_url(account, shipment_id, "/refund"), headers(account), b"{}")


def refuse(reply: Reply) -> None:
    """Turn a 4xx into one of the three port errors; pass for 2xx.

    401, 403 and 402 (no funds) were not acted on and can be mended, so: unavailable. A 4xx without
    EasyPost's error object came from somebody in between, so: unknown. The rest is rejected.
    """
    if reply.status < 400:
        return
    try:
        error = fields.mapping(reply.json_object(), "error")
        code = fields.text(error, "code", longest=255)
    except ValueError as unreadable:
        raise OutcomeUnknown(f"answer {reply.status} is not EasyPost's") from unreadable
    if reply.status in {401, 402, 403, 409}:
        raise ProviderUnavailable(f"refused for now: {code}", reply.retry_after)
    # EasyPost's own message can quote an address, so it goes no further than here.
    raise ProviderRejected(code, f"EasyPost answered {reply.status}")


def choose_rate(shipment: Mapping[str, object]) -> Mapping[str, object]:
    """The cheapest rate of the service that was asked for, of any service otherwise.

    Raises ``ProviderRejected`` when there is none, or when prices are in several currencies and
    so cannot be compared; ``OutcomeUnknown`` when they are not readable.
    """
    try:
        rates = fields.objects(shipment, "rates")
        wanted = _wanted_service(shipment)
        priced = [
            (rate_cost(rate), fields.text(rate, "id", longest=255), rate)
            for rate in rates
            if wanted is None or rate.get("service") == wanted
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
        amount = to_minor(fields.text(rate, "rate", longest=20), currency)
    except Invalid as error:
        raise ValueError("the price is not an exact amount of its currency") from error
    if amount < 0:
        raise ValueError("the price is negative")
    return amount, currency


def parse_label(shipment: Mapping[str, object]) -> Label | None:
    """The label of a shipment, None when it was not bought. Raises ``ValueError``."""
    if shipment.get("postage_label") is None and shipment.get("selected_rate") is None:
        return None
    postage, rate = (
        fields.mapping(shipment, "postage_label"),
        fields.mapping(shipment, "selected_rate"),
    )
    pdf = fields.optional_text(postage, "label_pdf_url", longest=2_000)
    url = pdf or fields.text(postage, "label_url", longest=2_000)
    if not url.startswith(("https://", "http://")):
        raise ValueError("label_url is not a web address")
    cost, currency = rate_cost(rate)
    return Label(
        carrier_shipment_id=fields.text(shipment, "id", longest=255),
        tracking_code=fields.text(shipment, "tracking_code", longest=100),
        carrier=fields.text(rate, "carrier", longest=100),
        service=fields.text(rate, "service", longest=100),
        label_url=url,
        cost_minor=cost,
        currency=currency,
    )


def parse_tracker(tracker: Mapping[str, object]) -> tuple[TrackingScan, ...]:
    """The scans of a tracker, oldest first. Raises ``ValueError``.

    A tracker that names a state but no scans yet (some carriers never list them) counts as one
    scan at its last change.
    """
    code = fields.text(tracker, "tracking_code", longest=100)
    shipment = fields.optional_text(tracker, "shipment_id", longest=255)
    details = fields.objects(tracker, "tracking_details")
    scans = [
        TrackingScan(
            tracking_code=code,
            carrier_shipment_id=shipment,
            status=_status(detail),
            at=fields.timestamp(detail, "datetime"),
            description=fields.optional_text(detail, "message"),
        )
        for detail in details
    ]
    if not scans and _status(tracker) is not TrackingStatus.UNKNOWN:
        at = fields.timestamp(tracker, "updated_at")
        scans = [TrackingScan(code, shipment, _status(tracker), at)]
    return tuple(sorted(scans, key=lambda scan: scan.at))


def parse_event(body: bytes) -> TrackingEvent:
    """The scans of a webhook. Raises ``ValueError`` for what is no readable EasyPost event."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("the event is not JSON") from error
    if not isinstance(event, dict) or event.get("object") != "Event":
        raise ValueError("not an Event object")
    topic = fields.text(event, "description", longest=255)
    scans = parse_tracker(fields.mapping(event, "result")) if topic in _TOPICS else ()
    return TrackingEvent(fields.text(event, "id", longest=255), topic, scans)


def verify_signature(header: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether ``header`` is the HMAC-SHA256 of ``body`` under any secret. Never raises.

    The secret is NFKD-normalised first, as EasyPost's own libraries do.
    """
    if not header.isascii() or len(header) > MAX_SIGNATURE_HEADER:
        return False
    given = header.encode("ascii")
    return any(hmac.compare_digest(given, _sign(secret, body)) for secret in secrets if secret)


def ounces_tenths(grams: int) -> int:
    """Grams as tenths of an ounce, rounded up so that postage is never short; at least one.

    Source: 1 oz = 28.349523125 g exactly (international avoirdupois ounce).
    """
    return max(-(-grams * 10 * 10**9 // NANOGRAMS_PER_OUNCE), 1)


def checked(shipment: Mapping[str, object], asked_id: str, rate: Mapping[str, object]) -> Label:
    label = readable(shipment)
    if label is None:
        raise OutcomeUnknown("bought, but no label came with the answer")
    asked = (asked_id, *rate_cost(rate))
    if (label.carrier_shipment_id, label.cost_minor, label.currency) != asked:
        raise OutcomeUnknown("the label there is not the one that was asked for")
    return label


def readable(shipment: Mapping[str, object]) -> Label | None:
    try:
        return parse_label(shipment)
    except ValueError as error:
        raise OutcomeUnknown(f"unreadable label: {error}") from error


def _wanted_service(shipment: Mapping[str, object]) -> str | None:
    options = shipment.get("options")
    if not isinstance(options, dict):
        return None
    return fields.optional_text(options, SERVICE_OPTION, longest=100)


def _status(source: Mapping[str, object]) -> TrackingStatus:
    """EasyPost's words are ours; one that it adds later is unknown, not an error."""
    try:
        return TrackingStatus(str(source.get("status")))
    except ValueError:
        return TrackingStatus.UNKNOWN


def address(given: Address) -> dict[str, str]:
    known = {
        "name": given.name,
        "street1": given.street1,
        "street2": given.street2,
        "city": given.city,
        "state": given.region,
        "zip": given.postcode,
        "country": given.country,
        "email": given.email,
        "phone": given.phone,
    }
    return {name: value for name, value in known.items() if value}


def headers(account: CarrierAccount) -> dict[str, str]:
    token = b64encode(f"{account.secret}:".encode()).decode("ascii")
    return {"authorization": f"Basic {token}", "content-type": "application/json"}


def url(account: CarrierAccount, path: str) -> str:
    return account.base_url.rstrip("/") + path


def _shipment_url(account: CarrierAccount, shipment_id: str, tail: str = "") -> str:
    return url(account, f"/v2/shipments/{quote(shipment_id, safe='')}{tail}")


def _sign(secret: str, body: bytes) -> bytes:
    key = unicodedata.normalize("NFKD", secret).encode()
    return (SIGNATURE_PREFIX + hmac.new(key, body, hashlib.sha256).hexdigest()).encode("ascii")
