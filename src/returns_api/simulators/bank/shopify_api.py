"""Shopify's Admin GraphQL as far as refunds need it: one query by transaction, refundCreate.

Reads no GraphQL: which of the two operations it is, is told by the name ``refundCreate``.
"""

from __future__ import annotations

import hashlib
from functools import partial

import orjson

from ..kit.faults import Faults
from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import shopify_wire as wire
from .core import Bank
from .decimals import to_minor
from .face import Face, reference_of, replayed

MAX_LISTED = 1_000


class ShopifyApi(Face):
    """The handler. Any access token but an empty one is right and is the account."""

    def __init__(self, bank: Bank) -> None:
        super().__init__(bank, wire)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [("POST", "/admin/api/2026-07/graphql.json", self.graphql)]

    def busy(self) -> Response:
        """A key in use is a user error, in an answer 200."""
        return json_response(wire.user_error(wire.BUSY))

    async def graphql(self, request: Request) -> Response:
        """POST graphql.json."""
        account = request.headers.get("x-shopify-access-token", "").strip()
        if not account:
            raise Problem(401, {"errors": "[API] Invalid API key or access token"})
        content = request.json()
        query, variables = str(content.get("query", "")), content.get("variables") or {}
        if "refundCreate" not in query:
            return await self._node(str(variables.get("id", "")), account)
        key = str(variables.get("key") or "")
        if "@idempotent(key:" not in query or not key:
            return json_response(wire.user_error("The @idempotent directive is required."))
        wanted = variables["input"]
        work = partial(self._refund_once, account, wanted)
        return await self.act(account, key, str(wanted.get("note") or ""), work)

    async def _node(self, ident: str, account: str) -> Response:
        payment = self._payment(ident, account)
        if payment is None:
            return await self.read(account, {"data": {"node": None}})
        rows = self.bank.ledger.refunds.page(payment["id"], account, MAX_LISTED)
        refunds = [wire.refund(row, reference_of(row)) for row in rows]
        node = wire.payment_node(payment, refunds)
        return await self.read(payment["id"], {"data": {"node": node}})

    async def _refund_once(
        self, account: str, wanted: wire.Json, key: str, faults: Faults
    ) -> Response:
        print_ = hashlib.sha256(orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)).hexdigest()
        saved = self.recall(account, key)
        if saved is not None:
            same = saved["fingerprint"] == print_
            return replayed(saved) if same else json_response(wire.user_error(wire.MISMATCH))
        move = wanted["transactions"][0]
        payment = self._payment(move["parentId"], account)
        if payment is None:
            return json_response(wire.user_error("Order does not exist", "orderId"))
        amount = to_minor(move["amount"], payment["currency"])
        if amount is None or self.too_much(payment, amount):
            return json_response(wire.user_error("Refund is more than refundable", "transactions"))
        with self.bank.store.transaction():
            row, deliveries = self.move(
                payment,
                amount,
                str(wanted.get("note") or ""),
                faults,
                ident=wire.ShopifyVoice().new_refund_id(),
            )
            made = {"refund": wire.refund(row, reference_of(row)), "userErrors": []}
            response = json_response({"data": {"refundCreate": made}})
            self.remember(account, key, print_, response)
        await self.flush(faults, deliveries)
        return response

    def _payment(self, ident: str, account: str) -> Row | None:
        return self.bank.ledger.payments.find(ident.rpartition("/")[2], account)
