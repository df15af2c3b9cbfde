"""Shippo's API as far as return labels need it: shipments, transactions, refunds, tracks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import shippo_wire as wire
from .face import Face, body_of, origin


class ShippoApi(Face):
    """The handlers. The token of a request is its account: others' objects do not exist."""

    error = staticmethod(wire.error)
    spoil = staticmethod(wire.spoil)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/shipments/", self.create_shipment),
            ("GET", "/shipments/{}/", self.get_shipment),
            ("POST", "/transactions/", self.buy),
            ("GET", "/transactions/", self.list_bought),
            ("POST", "/refunds/", self.refund),
            ("GET", "/tracks/{}/{}/", self.get_track),
        ]

    async def create_shipment(self, request: Request) -> Response:
        """POST /shipments/: rates, but nothing bought."""
        account, body = _account(request), _body(request)
        for name in ("address_to", "address_from"):
            if not isinstance(body.get(name), dict) or not body[name].get("country"):
                raise Problem(400, {name: ["This field is required."]})
        parcels = body.get("parcels")
        if not isinstance(parcels, list) or not parcels or "weight" not in parcels[0]:
            raise Problem(400, {"parcels": ["This field is required."]})
        reference = str(body.get("extra", {}).get("reference_1") or "")

        async def work() -> Response:
            known = {**body, "reference": reference}
            row = self._carrier.books.add_shipment(account, known, wire.rates(body))
            return json_response(wire.shipment(row), 201)

        return await self._serve("prepare", reference, work)

    async def get_shipment(self, request: Request) -> Response:
        """GET /shipments/{id}/."""
        row = self._find(request, request.args[0])

        async def work() -> Response:
            return json_response(wire.shipment(row))

        return await self._serve("read", row["id"], work)

    async def list_bought(self, request: Request) -> Response:
        """GET /transactions/?rate=."""
        account, wanted = _account(request), request.query.get("rate", "")
        row = self._carrier.books.of_rate(wanted, account)
        bought = row is not None and row["rate"] is not None
        found = [wire.transaction(row, origin(request))] if bought and row is not None else []
        matching = [each for each in found if each["rate"] == wanted]
        return json_response({"next": None, "previous": None, "results": matching})

    async def buy(self, request: Request) -> Response:
        """POST /transactions/ {"rate"}: sold as often as it is asked for, as at Shippo."""
        account, rate_id = _account(request), str(_body(request).get("rate", ""))
        row = self._carrier.books.of_rate(rate_id, account)
        if row is None:
            raise Problem(400, {"rate": ["Rate with supplied object_id not found."]})
        faults = self._faults(row)

        async def work() -> Response:
            sold = await self._sell(row, rate_id, faults)
            return json_response(wire.transaction(sold, origin(request)), 201)

        return await self._trouble(faults, work)

    async def refund(self, request: Request) -> Response:
        """POST /refunds/ {"transaction"}."""
        name = str(_body(request).get("transaction", ""))
        row = self._find(request, f"shp_{name.removeprefix('txn_')}")

        async def work() -> Response:
            fresh = self._carrier.books.get(row["id"])
            if fresh["rate"] is None or fresh["refund_status"] == "submitted":
                raise Problem(400, {"transaction": ["It cannot be refunded (again)."]})
            voided = self._carrier.void(fresh)["refund_status"] == "submitted"
            status = "PENDING" if voided else "ERROR"
            return json_response({"object_id": f"rfd_{row['id'][4:]}", "status": status}, 201)

        return await self._serve("void", row["id"], work)

    async def get_track(self, request: Request) -> Response:
        """GET /tracks/{carrier}/{number}/."""
        row = self._find(request, request.args[1])

        async def work() -> Response:
            if row["rate"] is None:
                raise Problem(404, wire.error(404, "not found"))
            return json_response(wire.track(row, self._carrier.books.scans(row["id"])))

        return await self._serve("read", row["id"], work)

    def _find(self, request: Request, name: str) -> Row:
        row = self._carrier.books.find(name, _account(request))
        if row is None:
            raise Problem(404, wire.error(404, "not found"))
        return row


def _account(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind != "ShippoToken" or not token.strip():
        raise Problem(401, wire.error(401, "token", "Invalid token"))
    return wire.ACCOUNT + token.strip()


def _body(request: Request) -> Mapping[str, Any]:
    return body_of(request, Problem(400, wire.error(400, "json", "JSON parse error")))
