"""The bank's control API: what a proof does to it, and what it reads to count money."""

from __future__ import annotations

from collections.abc import Mapping

from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import wire
from .core import Bank
from .voices import VENDOR

MAX_BULK = 100_000


class Control:
    """The handlers; a missing or malformed member of a body is 400."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/_control/payments", self.add_payments),
            ("POST", "/_control/dashboard_refunds", self.dashboard_refund),
            ("POST", "/_control/disputes", self.open_dispute),
            ("POST", "/_control/disputes/{}/close", self.close_dispute),
            ("POST", "/_control/settle", self.settle),
            ("POST", "/_control/advance", self.advance),
            ("GET", "/_control/ledger", self.show_ledger),
        ]

    async def add_payments(self, request: Request) -> Response:
        """POST payments {"count", "amount", "currency", "account"}, or {"payments": [...]}.

        Single items may also name their "id". Amounts in minor units; the account is the secret
        key that may refund them, every key when missing. "vendor" says through whose face:
        stripe, paypal, adyen, shopify, plain.
        """
        wanted = request.json()
        items = wanted.get("payments") or [{}] * int(wanted.get("count", 1))
        if len(items) > MAX_BULK:
            raise Problem(400, {"error": f"at most {MAX_BULK} at once"})
        with self._bank.store.transaction():
            rows = [self._add_payment({**wanted, **item}) for item in items]
        return json_response({"ids": [row["id"] for row in rows]})

    async def dashboard_refund(self, request: Request) -> Response:
        """POST dashboard_refunds {"payment", "amount"}: made by a person, without our reference."""
        wanted = request.json()
        payment = self._bank.payment(wanted["payment"])
        amount = int(wanted.get("amount") or payment["amount"])
        row = self._bank.dashboard_refund(payment, amount, wanted.get("metadata", {}))
        return json_response(wire.refund(row))

    async def open_dispute(self, request: Request) -> Response:
        """POST disputes {"payment", "amount"}: a chargeback takes the money."""
        wanted = request.json()
        payment = self._bank.payment(wanted["payment"])
        row = self._bank.open_dispute(payment, int(wanted.get("amount") or payment["amount"]))
        return json_response(wire.dispute(row, payment["charge"]))

    async def close_dispute(self, request: Request) -> Response:
        """POST disputes/{id}/close {"won": bool}."""
        row = self._bank.close_dispute(request.args[0], won=bool(request.json()["won"]))
        if row is None:
            raise Problem(404, {"error": "no such open dispute"})
        return json_response({"id": row["id"], "status": row["status"]})

    async def settle(self, request: Request) -> Response:
        """POST settle {"refund", "status", "failure_reason"}: change one refund now."""
        wanted = request.json()
        if self._bank.ledger.refunds.find(wanted["refund"], "") is None:
            raise Problem(404, {"error": "no such refund"})
        row = self._bank.become(wanted["refund"], wanted["status"], wanted.get("failure_reason"))
        return json_response({"changed": row is not None})

    async def advance(self, request: Request) -> Response:
        """POST advance {"seconds"}: pending changes come nearer, remembered keys grow older."""
        self._bank.ledger.hasten(float(request.json()["seconds"]))
        return json_response({"changed": self._bank.grow_due()})

    async def show_ledger(self, request: Request) -> Response:
        """GET ledger, the whole or ?payment= and ?reference=."""
        query = request.query
        found = self._bank.ledger.movements.summary(query.get("payment"), query.get("reference"))
        return json_response(found)

    def _add_payment(self, item: Mapping[str, object]) -> Row:
        vendor = str(item.get("vendor", "stripe"))
        voice = self._bank.voices.named(vendor)
        fresh = None if voice is None else voice.new_payment_id()
        return self._bank.ledger.payments.add(
            int(str(item.get("amount", 10_000))),
            str(item.get("currency", "eur")),
            str(item.get("account", "")),
            ident=str(item["id"]) if "id" in item else fresh,
            metadata=None if voice is None else {VENDOR: vendor},
        )
