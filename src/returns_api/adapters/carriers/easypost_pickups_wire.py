"""EasyPost's wire format of pickups: requests built, answers read. Pure functions.

Source: docs.easypost.com/docs/pickups. EasyPost lists no times: one asks for a window and is shown
rates, or none. A pickup costs nothing until a rate of it is bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import orjson

from returns_api.adapters import fields
from returns_api.adapters.carriers import easypost_wire as wire
from returns_api.adapters.http import Call
from returns_api.ports.carriers import Address, CarrierAccount
from returns_api.ports.pickups import PickupSlot, Window

SCHEDULED: Final = "scheduled"
CANCELED: Final = "canceled"


def build_pickup(
    account: CarrierAccount, shipment_id: str, sender: Address, window: Window
) -> Call:
    """POST /v2/pickups: what would it cost within this window."""
    starts, ends = (moment.isoformat().replace("+00:00", "Z") for moment in window)
    pickup = {
        "reference": shipment_id,
        "is_account_address": False,
        "min_datetime": starts,
        "max_datetime": ends,
        "shipment": {"id": shipment_id},
        "address": wire.address(sender),
    }
    body = orjson.dumps({"pickup": pickup})
    return Call("POST", wire.url(account, "/v2/pickups"), wire.headers(account), body)


def build_retrieve(account: CarrierAccount, pickup_id: str) -> Call:
    """GET /v2/pickups/{id}."""
    return Call("GET", _url(account, pickup_id), wire.headers(account))


def build_buy(account: CarrierAccount, slot: PickupSlot) -> Call:
    """POST /v2/pickups/{id}/buy."""
    body = orjson.dumps({"carrier": slot.carrier, "service": slot.service})
    return Call("POST", _url(account, slot.carrier_pickup_id, "/buy"), wire.headers(account), body)


def build_cancel(account: CarrierAccount, pickup_id: str) -> Call:
    """POST /v2/pickups/{id}/cancel."""
    return Call("POST", _url(account, pickup_id, "/cancel"), wire.headers(account), b"{}")


def parse_slot(pickup: Mapping[str, object]) -> PickupSlot | None:
    """The cheapest rate of a pickup, None where it has none. Raises ``ValueError``."""
    priced = [
        (wire.rate_cost(rate), fields.text(rate, "service", longest=100), rate)
        for rate in fields.objects(pickup, "pickup_rates")
    ]
    if not priced:
        return None
    (cost, currency), service, rate = min(priced, key=lambda each: (each[0], each[1]))
    starts, ends = (fields.timestamp(pickup, name) for name in ("min_datetime", "max_datetime"))
    if starts >= ends:
        raise ValueError("the window ends before it starts")
    return PickupSlot(
        carrier_pickup_id=fields.text(pickup, "id", longest=255),
        starts_at=starts,
        ends_at=ends,
        carrier=fields.text(rate, "carrier", longest=100),
        service=service,
        cost_minor=cost,
        currency=currency,
    )


def parse_confirmation(pickup: Mapping[str, object], slot: PickupSlot) -> str | None:
    """The confirmation of the slot, None where it is not booked. Raises ``ValueError``, also for
    another pickup, time or price than the slot's."""
    if pickup.get("id") != slot.carrier_pickup_id:
        raise ValueError("it is not the pickup that was asked for")
    if parse_slot(pickup) != slot:
        raise ValueError("its time or its price is not what was offered")
    if pickup.get("status") != SCHEDULED:
        return None
    return fields.text(pickup, "confirmation", longest=255)


def _url(account: CarrierAccount, pickup_id: str, tail: str = "") -> str:
    return wire.url(account, f"/v2/pickups/{quote(pickup_id, safe='')}{tail}")
