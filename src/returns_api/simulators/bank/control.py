"""The bank's control API: what a proof does to it, and what it reads to count money."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict

from ..kit.web import Handler, Problem, Request, Response, json_response
from . import wire
from .core import Bank
from .ledger import Row

MAX_BULK = 100_000


class Control:
    """The handlers; a missing or malformed member of a body is 400."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("GET", "/_control/health", self.health),
            ("GET", "/_control/faults", self.show_faults),
            ("PUT", "/_control/faults", self.set_faults),
            ("POST", "/_control/script", self.extend_script),
            ("POST", "/_control/payments", self.add_payments),
            ("POST", "/_control/dashboard_refunds", self.dashboard_refund),
            ("POST", "/_control/disputes", self.open_dispute),
            ("POST", "/_control/disputes/{}/close", self.close_dispute),
            ("POST", "/_control/settle", self.settle),
            ("POST", "/_control/advance", self.advance),
            ("GET", "/_control/ledger", self.show_ledger),
            ("POST", "/_control/webhooks", self.register_webhook),
            ("GET", "/_control/deliveries", self.show_deliveries),
            ("POST", "/_control/redeliver", self.redeliver),
            ("POST", "/_control/reset", self.reset),
        ]

    async def health(self, _request: Request) -> Response:
        """GET health."""
        return json_response({"ok": True})

    async def show_faults(self, _request: Request) -> Response:
        """GET faults: the settings, and how often each fault fired."""
        plan = self._bank.plan
        return json_response({"settings": asdict(plan.settings), "fired": plan.fired})

    async def set_faults(self, request: Request) -> Response:
        """PUT faults: replaces all settings."""
        self._bank.plan.configure(request.json())
        return await self.show_faults(request)

    async def extend_script(self, request: Request) -> Response:
        """POST script {"script": [{"fault": "reset_after"}, ...]}."""
        self._bank.plan.extend_script(request.json()["script"])
        return await self.show_faults(request)

    async def add_payments(self, request: Request) -> Response:
        """POST payments {"count", "amount", "currency", "account"}, or {"payments": [...]}.

        Single items may also name their "id". Amounts in minor units; the account is the secret
        key that may refund them, every key when missing.
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
        if self._bank.ledger.refund(wanted["refund"], "") is None:
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
        found = self._bank.ledger.summary(query.get("payment"), query.get("reference"))
        return json_response(found)

    async def register_webhook(self, request: Request) -> Response:
        """POST webhooks {"url", "secret", "account", "topics"}: with a secret that is known.

        The same url and account again replaces the secret and topics.
        """
        wanted = request.json()
        url, account = wanted["url"], wanted.get("account", "")
        ident = f"we_{hashlib.sha256(f'{account} {url}'.encode()).hexdigest()[:24]}"
        topics = ",".join(wanted.get("topics", ["*"]))
        self._bank.hooks.add_endpoint(ident, account, url, wanted["secret"], topics=topics)
        return json_response({"id": ident})

    async def show_deliveries(self, _request: Request) -> Response:
        """GET deliveries: how many are due, done, lost on purpose, dead."""
        return json_response(self._bank.hooks.counts())

    async def redeliver(self, request: Request) -> Response:
        """POST redeliver {"event"}: send one event, or all, again."""
        return json_response({"queued": self._bank.hooks.redeliver(request.json().get("event"))})

    async def reset(self, _request: Request) -> Response:
        """POST reset: an empty bank without faults."""
        self._bank.reset()
        return json_response({"ok": True})

    def _add_payment(self, item: Mapping[str, object]) -> Row:
        return self._bank.ledger.add_payment(
            int(str(item.get("amount", 10_000))),
            str(item.get("currency", "eur")),
            str(item.get("account", "")),
            ident=str(item["id"]) if "id" in item else None,
        )
