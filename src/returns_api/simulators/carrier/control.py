"""The carrier's control API: moving parcels, and counting labels."""

from __future__ import annotations

from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from .core import ROUTE, Carrier


class Control:
    """The handlers; a missing or malformed member of a body is 400."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/_control/scans", self.scan),
            ("POST", "/_control/walk", self.walk),
            ("POST", "/_control/advance", self.advance),
            ("GET", "/_control/ledger", self.show_ledger),
            ("GET", "/_control/pickups", self.show_pickups),
        ]

    async def scan(self, request: Request) -> Response:
        """POST scans {"shipment", "status", "message", "at", "announce", "delay"}.

        ``shipment`` is an id, a tracking code or our reference; ``at`` epoch seconds, so that a
        scan can be late or out of order; ``announce`` false loses the webhook, ``delay`` delays it.
        """
        wanted = request.json()
        row = self._bought(wanted.pop("shipment"))
        self._carrier.scan(row, wanted.pop("status"), **wanted)
        return json_response({"ok": True})

    async def walk(self, request: Request) -> Response:
        """POST walk {"shipment", "to"}: every missing scan up to that stop, in order."""
        wanted = request.json()
        to = wanted.get("to", "delivered")
        if to not in ROUTE:
            raise Problem(400, {"error": f"to is one of {ROUTE}"})
        return json_response({"scans": self._carrier.walk(self._bought(wanted["shipment"]), to)})

    async def advance(self, request: Request) -> Response:
        """POST advance {"seconds"}: parcels that move by themselves move sooner."""
        self._carrier.books.hasten(float(request.json()["seconds"]))
        return json_response({"moved": self._carrier.move_due()})

    async def show_ledger(self, request: Request) -> Response:
        """GET ledger, the whole or ?reference=."""
        return json_response(self._carrier.books.summary(request.query.get("reference")))

    async def show_pickups(self, request: Request) -> Response:
        """GET pickups: by id, its state and how often it was booked."""
        found = self._carrier.books.pickups()
        shown = {row["id"]: {"status": row["status"], "booked": row["booked"]} for row in found}
        return json_response({"pickups": shown})

    def _bought(self, name: str) -> Row:
        row = self._carrier.books.find(name, "")
        if row is None or row["rate"] is None:
            raise Problem(404, {"error": "no such bought shipment"})
        return row
