"""Stripe's API as far as refunds need it: /v1/payment_intents, charges, refunds, webhooks."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from functools import partial

from ..kit.faults import Faults
from ..kit.trouble import serve
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import wire
from .core import Bank
from .refunds import REFERENCE_KEY

MAX_PAGE = 100


class StripeApi:
    """The handlers. The secret key of a request is its account: others' objects do not exist."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._in_flight: set[tuple[str, str]] = set()

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/v1/payment_intents", self.create_payment),
            ("GET", "/v1/payment_intents/{}", self.get_payment),
            ("GET", "/v1/charges/{}", self.get_charge),
            ("POST", "/v1/refunds", self.create_refund),
            ("GET", "/v1/refunds", self.list_refunds),
            ("GET", "/v1/refunds/{}", self.get_refund),
            ("GET", "/v1/disputes", self.list_disputes),
            ("POST", "/v1/webhook_endpoints", self.create_endpoint),
        ]

    async def create_payment(self, request: Request) -> Response:
        """POST /v1/payment_intents: captured at once."""
        account, form = _account(request), request.form()
        row = self._bank.ledger.payments.add(
            _amount(form), form.get("currency", "usd"), account, metadata=_metadata(form)
        )
        return json_response(wire.payment_intent(row))

    async def get_payment(self, request: Request) -> Response:
        """GET /v1/payment_intents/{id}."""
        row = self._bank.payment(request.args[0], _account(request))
        return await self._read(row["id"], wire.payment_intent(row))

    async def get_charge(self, request: Request) -> Response:
        """GET /v1/charges/{id}."""
        row = self._bank.payment(request.args[0], _account(request))
        refunded = row["amount"] - self._bank.ledger.refunds.refundable(row)
        return await self._read(row["id"], wire.charge(row, refunded))

    async def get_refund(self, request: Request) -> Response:
        """GET /v1/refunds/{id}."""
        row = self._bank.ledger.refunds.find(request.args[0], _account(request))
        if row is None:
            raise Problem(404, wire.error(404, "resource_missing", "No such refund"))
        return await self._read(row["id"], wire.refund(row))

    async def list_refunds(self, request: Request) -> Response:
        """GET /v1/refunds with payment_intent, charge, created[gte], limit, starting_after …"""
        account, query = _account(request), request.query
        named = query.get("payment_intent") or query.get("charge")
        payment = self._bank.payment(named, account)["id"] if named else None
        limit, since = _limit(query), _since(query)
        after = self._position(query.get("starting_after"), account)
        before = self._position(query.get("ending_before"), account)
        rows = self._bank.ledger.refunds.page(
            payment, account, limit, after=after, before=before, since=since
        )
        page = {
            "object": "list",
            "url": "/v1/refunds",
            "has_more": len(rows) > limit,
            "data": [wire.refund(row) for row in rows[:limit]],
        }
        return await self._read(payment or account, page)

    async def list_disputes(self, request: Request) -> Response:
        """GET /v1/disputes with created[gte], limit, starting_after."""
        account, query = _account(request), request.query
        limit, after = _limit(query), query.get("starting_after")
        rows = self._bank.ledger.disputes.page(account, limit, after=after, since=_since(query))
        page = {
            "object": "list",
            "url": "/v1/disputes",
            "has_more": len(rows) > limit,
            "data": [wire.dispute(row, row["charge"]) for row in rows[:limit]],
        }
        return await self._read(account, page)

    async def create_refund(self, request: Request) -> Response:
        """POST /v1/refunds, under whatever faults are due."""
        account, plan = _account(request), self._bank.plan
        key = request.headers.get("idempotency-key", "") if plan.settings.idempotency else ""
        reference = _metadata(request.form()).get(REFERENCE_KEY, "")
        faults = plan.draw("refund", reference or key, main=True)
        if (account, key) in self._in_flight:
            raise Problem(409, wire.error(409, "idempotency_key_in_use"))
        if key:
            self._in_flight.add((account, key))
        try:
            work = partial(self._refund_once, account, key, request, faults)
            return await serve(plan, faults, work, error=wire.error, spoil=wire.spoil)
        finally:
            self._in_flight.discard((account, key))

    async def create_endpoint(self, request: Request) -> Response:
        """POST /v1/webhook_endpoints: url, enabled_events[]; answers with the secret once."""
        account, url = _account(request), request.form().get("url", "")
        topics = [value for name, value in request.pairs() if name.startswith("enabled_events")]
        if not url or not topics:
            raise Problem(400, wire.error(400, "parameter_missing", "url and enabled_events"))
        ident, secret = f"we_{secrets.token_hex(12)}", f"whsec_{secrets.token_hex(16)}"
        chosen = "*" if "*" in topics else ",".join(topics)
        self._bank.hooks.add_endpoint(ident, account, url, secret, topics=chosen)
        endpoint = {"id": ident, "object": "webhook_endpoint", "url": url, "secret": secret}
        return json_response({**endpoint, "enabled_events": topics, "status": "enabled"})

    async def _read(self, key: str, content: Mapping[str, object]) -> Response:
        faults = self._bank.plan.draw("read", key, main=False)
        if faults.transport == "key_in_use":  # reads carry no key
            faults = Faults()

        async def work() -> Response:
            return json_response(content)

        return await serve(self._bank.plan, faults, work, error=wire.error, spoil=wire.spoil)

    async def _refund_once(
        self, account: str, key: str, request: Request, faults: Faults
    ) -> Response:
        bank = self._bank
        fingerprint = hashlib.sha256(request.path.encode() + b"\n" + request.body).hexdigest()
        replayed = self._replay(account, key, fingerprint)
        if replayed is not None:
            return replayed
        form = request.form()
        amount = _amount(form) if "amount" in form else None
        with bank.store.transaction():
            payment = bank.payment(form.get("payment_intent") or form.get("charge"), account)
            row, deliveries = bank.refund(
                payment,
                amount,
                metadata=_metadata(form),
                reason=form.get("reason"),
                faults=faults,
            )
            response = json_response(wire.refund(row))
            if key:
                shown = _remembered(response, faults)
                bank.ledger.answers.save(account, key, fingerprint, shown.status, body=shown.body)
        if "webhook_first" in faults.hooks:
            await bank.hooks.flush(deliveries)
        return response

    def _replay(self, account: str, key: str, fingerprint: str) -> Response | None:
        if not key:
            return None
        ttl = self._bank.plan.settings.key_ttl_seconds
        saved = self._bank.ledger.answers.find(account, key, ttl)
        if saved is None:
            return None
        if saved["fingerprint"] != fingerprint:
            raise Problem(400, wire.error(400, "idempotency_error", "other parameters"))
        headers = {"content-type": "application/json", "idempotent-replayed": "true"}
        return Response(saved["status"], saved["body"], headers)

    def _position(self, ident: str | None, account: str) -> int | None:
        if ident is None:
            return None
        row = self._bank.ledger.refunds.find(ident, account)
        if row is None:
            raise Problem(404, wire.error(404, "resource_missing", "No such refund"))
        return int(row["seq"])


def _remembered(response: Response, faults: Faults) -> Response:
    """Stripe keeps a 500 under the key as well, and answers it again for a day."""
    if faults.transport == "error_after":
        return json_response(wire.error(500, "api_error"), 500)
    return response


def _account(request: Request) -> str:
    given = request.headers.get("authorization", "")
    kind, _, value = given.partition(" ")
    if kind.lower() != "bearer" or not value.strip():
        raise Problem(401, wire.error(401, "api_key_missing", "You did not provide an API key"))
    return value.strip()


def _amount(form: Mapping[str, str]) -> int:
    text = form.get("amount", "")
    if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) == 0:
        raise Problem(400, wire.error(400, "parameter_invalid_integer", "Invalid integer: amount"))
    return int(text)


def _limit(query: Mapping[str, str]) -> int:
    """How long a page is to be. Raises Stripe's 400."""
    limit = int(query["limit"]) if query.get("limit", "").isdigit() else 10
    if not 1 <= limit <= MAX_PAGE:
        raise Problem(400, wire.error(400, "parameter_invalid_integer", "limit is 1 to 100"))
    return limit


def _since(query: Mapping[str, str]) -> int:
    text = query.get("created[gte]", "")
    return int(text) if text.isdigit() else 0


def _metadata(form: Mapping[str, str]) -> dict[str, str]:
    return {
        name[len("metadata[") : -1]: value
        for name, value in form.items()
        if name.startswith("metadata[") and name.endswith("]")
    }
