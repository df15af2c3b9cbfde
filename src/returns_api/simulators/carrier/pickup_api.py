"""EasyPost's pickups as far as a courier for a return needs them.

Which windows have a courier follows from the calendar: on a Sunday there is none.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import orjson

from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import wire
from .easypost_api import account_of, json_of, member
from .face import Face

RATES = (("UPS", "NextDay", 550), ("UPS", "SameDay", 1250))
SUNDAY = 6


def _spoil(fault: str, body: bytes) -> bytes:
    """As for shipments; the owner is another pickup."""
    if fault == "wrong_owner":
        return body.replace(b'"id":"pickup_', b'"id":"pickup_other')
    return wire.spoil(fault, body)


class PickupApi(Face):
    """The handlers; a pickup belongs to the account whose shipment it is for."""

    error = staticmethod(wire.error)
    spoil = staticmethod(_spoil)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/v2/pickups", self.create),
            ("GET", "/v2/pickups/{}", self.get),
            ("POST", "/v2/pickups/{}/buy", self.buy_rate),
            ("POST", "/v2/pickups/{}/cancel", self.cancel),
        ]

    async def create(self, request: Request) -> Response:
        """POST /v2/pickups: rates for the window, or none."""
        account, wanted = account_of(request), member(json_of(request), "pickup")
        shipment = self._carrier.books.find(str(member(wanted, "shipment").get("id")), account)
        if shipment is None or shipment["rate"] is None:
            raise Problem(422, wire.error(422, "PICKUP.SHIPMENT.INVALID"))
        member(wanted, "address")
        starts, ends = (_moment(wanted, name) for name in ("min_datetime", "max_datetime"))
        if starts >= ends:
            raise Problem(422, wire.error(422, "PICKUP.WINDOW.INVALID"))

        async def work() -> Response:
            ident = f"pickup_{secrets.token_hex(16)}"
            rates = [] if starts.weekday() == SUNDAY else _rates(ident)
            row = self._carrier.books.add_pickup(ident, account, wanted, rates)
            return json_response(_pickup(row), 201)

        return await self._serve("prepare_pickup", shipment["id"], work)

    async def get(self, request: Request) -> Response:
        """GET /v2/pickups/{id}."""
        row = self._pickup_of(request)

        async def work() -> Response:
            return json_response(_pickup(self._carrier.books.pickup(row["id"])))

        return await self._serve("read", row["id"], work)

    async def buy_rate(self, request: Request) -> Response:
        """POST /v2/pickups/{id}/buy {"carrier", "service"}."""
        row, body = self._pickup_of(request), json_of(request)
        chosen = (body.get("carrier"), body.get("service"))
        if chosen not in {(rate["carrier"], rate["service"]) for rate in _rates_of(row)}:
            raise Problem(422, wire.error(422, "PICKUP.RATE.INVALID"))

        async def work() -> Response:
            fresh = self._carrier.books.pickup(row["id"])
            if fresh["status"] != "unknown":
                raise Problem(422, wire.error(422, "PICKUP.ALREADY_SCHEDULED"))
            confirmation = f"PU{secrets.randbelow(10**10):010d}"
            done = self._carrier.books.schedule(row["id"], confirmation)
            return json_response(_pickup(done))

        return await self._serve("pickup", row["id"], work)

    async def cancel(self, request: Request) -> Response:
        """POST /v2/pickups/{id}/cancel."""
        row = self._pickup_of(request)

        async def work() -> Response:
            fresh = self._carrier.books.pickup(row["id"])
            if fresh["status"] != "scheduled":
                raise Problem(422, wire.error(422, "PICKUP.CANCEL.INVALID"))
            return json_response(_pickup(self._carrier.books.call_off(row["id"])))

        return await self._serve("pickup", row["id"], work)

    def _pickup_of(self, request: Request) -> Row:
        row = self._carrier.books.find_pickup(request.args[0], account_of(request))
        if row is None:
            raise Problem(404, wire.error(404, "NOT_FOUND"))
        return row


def _moment(wanted: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromisoformat(str(wanted.get(name))).astimezone(UTC)
    except ValueError as error:
        raise Problem(422, wire.error(422, "PICKUP.WINDOW.INVALID")) from error


def _rates(pickup: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"pickuprate_{secrets.token_hex(8)}",
            "object": "PickupRate",
            "carrier": carrier,
            "service": service,
            "rate": wire.decimal(price, 2),
            "currency": "EUR",
            "pickup_id": pickup,
        }
        for carrier, service, price in RATES
    ]


def _rates_of(row: Row) -> list[dict[str, Any]]:
    return list(orjson.loads(row["rates"]))


def _pickup(row: Row) -> dict[str, Any]:
    wanted = orjson.loads(row["request"])
    return {
        **{name: wanted.get(name) for name in ("reference", "address", "instructions")},
        "id": row["id"],
        "object": "Pickup",
        "mode": "test",
        "status": row["status"],
        "min_datetime": wanted["min_datetime"],
        "max_datetime": wanted["max_datetime"],
        "confirmation": row["confirmation"],
        "pickup_rates": _rates_of(row),
        "messages": [],
    }
