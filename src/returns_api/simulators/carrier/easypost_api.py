"""EasyPost's API as far as return labels need it: shipments, trackers, webhooks, label files."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from ..kit.faults import Faults
from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import labels, wire
from .face import Face, body_of, origin


class EasyPostApi(Face):
    """The handlers. The API key of a request is its account: others' objects do not exist."""

    error = staticmethod(wire.error)
    spoil = staticmethod(wire.spoil)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/v2/shipments", self.create_shipment),
            ("GET", "/v2/shipments/{}", self.get_shipment),
            ("POST", "/v2/shipments/{}/buy", self.buy),
            ("POST", "/v2/shipments/{}/refund", self.refund),
            ("POST", "/v2/shipments/{}/forms", self.add_form),
            ("GET", "/v2/trackers/{}", self.get_tracker),
            ("POST", "/v2/webhooks", self.create_webhook),
            ("GET", "/labels/{}", self.label_file),
        ]

    async def create_shipment(self, request: Request) -> Response:
        """POST /v2/shipments: rates, but nothing bought."""
        account, body = account_of(request), json_of(request)
        wanted = member(body, "shipment")
        for name in ("to_address", "from_address", "parcel"):
            member(wanted, name)
        if not isinstance(wanted["parcel"].get("weight"), int | float):
            raise Problem(422, wire.error(422, "PARCEL.WEIGHT.INVALID"))
        reference = str(wanted.get("reference") or "")

        async def work() -> Response:
            row = self._carrier.books.add_shipment(account, wanted, wire.rates(wanted))
            return self._shown(row, request)

        return await self._serve("prepare", reference, work)

    async def get_shipment(self, request: Request) -> Response:
        """GET /v2/shipments/{id}, or by reference."""
        row = self._find(request)

        async def work() -> Response:
            return self._shown(row, request)

        return await self._serve("read", row["id"], work)

    async def get_tracker(self, request: Request) -> Response:
        """GET /v2/trackers/{id}, or by tracking code."""
        name = request.args[0].removeprefix("trk_")
        row = self._carrier.books.find(f"shp_{name}", account_of(request)) or self._find(request)

        async def work() -> Response:
            if row["rate"] is None:
                raise Problem(404, wire.error(404, "TRACKER.NOT_FOUND"))
            return json_response(wire.tracker(row, self._carrier.books.scans(row["id"])))

        return await self._serve("read", row["id"], work)

    async def buy(self, request: Request) -> Response:
        """POST /v2/shipments/{id}/buy {"rate": {"id"}}."""
        row = self._find(request)
        rate_id = member(json_of(request), "rate").get("id")
        faults = self._faults(row)

        async def work() -> Response:
            return self._shown(await self._buy_once(row["id"], rate_id, faults), request)

        return await self._trouble(faults, work)

    async def refund(self, request: Request) -> Response:
        """POST /v2/shipments/{id}/refund."""
        row = self._find(request)

        async def work() -> Response:
            fresh = self._carrier.books.get(row["id"])
            if fresh["rate"] is None:
                raise Problem(422, wire.error(422, "SHIPMENT.REFUND.UNAVAILABLE"))
            if fresh["refund_status"] == "submitted":
                raise Problem(422, wire.error(422, "SHIPMENT.REFUND.ALREADY_REQUESTED"))
            return self._shown(self._carrier.void(fresh), request)

        return await self._serve("void", row["id"], work)

    async def add_form(self, request: Request) -> Response:
        """POST /v2/shipments/{id}/forms {"form": {"type": "label_qr_code"}}."""
        row = self._find(request)
        if member(json_of(request), "form").get("type") != "label_qr_code" or row["rate"] is None:
            raise Problem(422, wire.error(422, "SHIPMENT.FORM.INVALID"))
        return self._shown(self._carrier.books.show_qr(row), request)

    async def create_webhook(self, request: Request) -> Response:
        """POST /v2/webhooks {"webhook": {"url", "webhook_secret"}}."""
        account, wanted = account_of(request), member(json_of(request), "webhook")
        url, secret = str(wanted.get("url", "")), str(wanted.get("webhook_secret") or "")
        ident = f"hook_{secrets.token_hex(16)}"
        self._carrier.hooks.add_endpoint(ident, account, url, secret, topics="*")
        return json_response({"id": ident, "object": "Webhook", "mode": "test", "url": url})

    async def label_file(self, request: Request) -> Response:
        """GET /labels/{id}.pdf, .png or .qr.png: needs no key, like EasyPost's storage links."""
        name, _, kind = request.args[0].partition(".")
        row = self._carrier.books.find(name, "")
        if row is None or row["rate"] is None or kind not in labels.KINDS:
            raise Problem(404, wire.error(404, "NOT_FOUND"))
        media, draw = labels.KINDS[kind]
        return Response(200, draw(row["tracking_code"]), {"content-type": media})

    async def _buy_once(self, ident: str, rate_id: object, faults: Faults) -> Row:
        row = self._carrier.books.get(ident)
        if row["rate"] is not None:
            raise Problem(422, wire.error(422, "SHIPMENT.POSTAGE.EXISTS"))
        if not any(each["id"] == rate_id for each in orjson.loads(row["rates"])):
            raise Problem(404, wire.error(404, "RATE.NOT_FOUND"))
        return await self._sell(row, str(rate_id), faults)

    def _find(self, request: Request) -> Row:
        row = self._carrier.books.find(request.args[0], account_of(request))
        if row is None:
            raise Problem(404, wire.error(404, "NOT_FOUND", "The requested resource was not found"))
        return row

    def _shown(self, row: Row, request: Request) -> Response:
        scans = self._carrier.books.scans(row["id"])
        return json_response(wire.shipment(row, scans, origin(request)))


def account_of(request: Request) -> str:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        user = base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        user = ""
    if kind.lower() != "basic" or not user:
        raise Problem(401, wire.error(401, "APIKEY.INACTIVE", "This api key is not valid"))
    return user


def json_of(request: Request) -> Mapping[str, Any]:
    return body_of(request, Problem(400, wire.error(400, "BAD_REQUEST", "the body is not JSON")))


def member(source: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = source.get(name)
    if not isinstance(value, dict):
        raise Problem(422, wire.error(422, "PARAMETER.REQUIRED", f"Missing: {name}"))
    return value
