"""The plain provider's API: refunds made, read, listed."""

from __future__ import annotations

from functools import partial

from ..kit.faults import Faults
from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import plain_wire as wire
from .core import Bank
from .face import Face, fingerprint, replayed

PAGE = 20


class PlainApi(Face):
    """The handlers. Any bearer token but an empty one is right and is the account."""

    def __init__(self, bank: Bank) -> None:
        super().__init__(bank, wire)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/plain/refunds", self.create_refund),
            ("GET", "/plain/refunds", self.list_refunds),
            ("GET", "/plain/refunds/{}", self.get_refund),
        ]

    async def create_refund(self, request: Request) -> Response:
        """POST /plain/refunds {"payment", "amount", "currency", "reference"}."""
        account, wanted = _account(request), request.json()
        key = request.headers.get("idempotency-key", "")
        reference = str(wanted.get("reference") or "")
        return await self.act(account, key, reference, partial(self._refund_once, account, request))

    async def get_refund(self, request: Request) -> Response:
        """GET /plain/refunds/{id}."""
        row = self.bank.ledger.refunds.find(request.args[0], _account(request))
        if row is None:
            raise Problem(404, wire.error(404, "no_such_refund"))
        return await self.read(row["id"], wire.refund(row))

    async def list_refunds(self, request: Request) -> Response:
        """GET /plain/refunds?payment=&after=: newest first, ``PAGE`` at a time."""
        account = _account(request)
        payment = self._payment(request.query.get("payment", ""), account)
        last = self.bank.ledger.refunds.find(request.query.get("after", ""), account)
        after = None if last is None else int(last["seq"])
        rows = self.bank.ledger.refunds.page(payment["id"], account, PAGE, after=after)
        page = {"refunds": [wire.refund(row) for row in rows[:PAGE]], "more": len(rows) > PAGE}
        return await self.read(payment["id"], page)

    async def _refund_once(
        self, account: str, request: Request, key: str, faults: Faults
    ) -> Response:
        saved = self.recall(account, key)
        if saved is not None:
            if saved["fingerprint"] != fingerprint(request):
                raise Problem(422, wire.error(422, "key_used_differently"))
            return replayed(saved)
        wanted = request.json()
        payment = self._payment(str(wanted.get("payment")), account)
        amount = int(wanted["amount"])
        if self.too_much(payment, amount):
            raise Problem(422, wire.error(422, "more_than_was_paid"))
        with self.bank.store.transaction():
            reference = str(wanted.get("reference") or "")
            ident = wire.PlainVoice().new_refund_id()
            row, deliveries = self.move(payment, amount, reference, faults, ident=ident)
            response = json_response(wire.refund(row), 201)
            self.remember(account, key, fingerprint(request), response)
        await self.flush(faults, deliveries)
        return response

    def _payment(self, ident: str, account: str) -> Row:
        row = self.bank.ledger.payments.find(ident, account)
        if row is None:
            raise Problem(404, wire.error(404, "no_such_payment"))
        return row


def _account(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Problem(401, wire.error(401, "unauthorized"))
    return token.strip()
