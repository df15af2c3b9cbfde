"""DHL's API as far as return labels need it: orders of Parcel DE Returns, and unified tracking."""

from __future__ import annotations

import base64
import binascii

from ..kit.web import Handler, Problem, Request, Response, json_response
from . import dhl_wire as wire
from .face import Face, body_of

_SHIPPER = ("name1", "addressStreet", "addressHouse", "postalCode", "city")


class DhlApi(Face):
    """The handlers. The API key of a request is its account: others' parcels do not exist."""

    error = staticmethod(wire.error)
    spoil = staticmethod(wire.spoil)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/parcel/de/shipping/returns/v1/orders", self.order),
            ("GET", "/track/shipments", self.track),
        ]

    async def order(self, request: Request) -> Response:
        """POST /orders: a label each time it is asked, as at DHL."""
        account = _account(request)
        _logged_in(request)
        body = body_of(request, _problem(400, "Bad Request"))
        shipper = body.get("shipper")
        if not isinstance(shipper, dict) or not body.get("receiverId"):
            raise _problem(400, "Bad Request")
        if any(not shipper.get(name) for name in _SHIPPER):
            raise _problem(400, "Please add your data in the field 'Number'.")
        row = self._carrier.books.add_shipment(account, wire.request(body), [wire.RATE])
        faults = self._faults(row)

        async def work() -> Response:
            sold = await self._sell(row, wire.RATE["id"], faults)
            return json_response(wire.order(sold), 201)

        return await self._trouble(faults, work)

    async def track(self, request: Request) -> Response:
        """GET /track/shipments?trackingNumber=; unknown until the first scan."""
        name = request.query.get("trackingNumber", "")
        row = self._carrier.books.find(name, _account(request))

        async def work() -> Response:
            scans = [] if row is None else self._carrier.books.scans(row["id"])
            if row is None or not scans:
                raise _problem(404, "No result found")
            return json_response(wire.tracked(row, scans))

        return await self._serve("read", name, work)


def _account(request: Request) -> str:
    key = request.headers.get("dhl-api-key", "").strip()
    if not key:
        raise _problem(401, "Unauthorized")
    return wire.ACCOUNT + key


def _logged_in(request: Request) -> None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = password = ""
    if kind != "Basic" or not (user and password):
        raise _problem(401, "Unauthorized")


def _problem(status: int, title: str) -> Problem:
    return Problem(status, wire.error(status, title), wire.PROBLEM)
