"""Adyen's Checkout v71 as far as refunds need it: one call that only says "received"."""

from __future__ import annotations

from functools import partial

from ..kit import clock
from ..kit.faults import Faults
from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import adyen_wire as wire
from .core import Bank
from .face import Face, fingerprint, replayed

MAX_KEY = 64


class AdyenApi(Face):
    """The handler. Any API key but an empty one is right and is the account."""

    def __init__(self, bank: Bank) -> None:
        super().__init__(bank, wire)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served. Adyen has no call to ask what became of a refund."""
        return [("POST", "/v71/payments/{}/refunds", self.create_refund)]

    def busy(self) -> Response:
        """Adyen's 422 for a key in use."""
        return json_response(wire.error(422, "704"), 422, {"transient-error": "true"})

    async def create_refund(self, request: Request) -> Response:
        """POST /v71/payments/{pspReference}/refunds."""
        account = request.headers.get("x-api-key", "").strip()
        if not account:
            raise Problem(401, wire.error(401, "000"))
        key = request.headers.get("idempotency-key", "")
        if len(key) > MAX_KEY:
            raise Problem(422, wire.error(422, "702"))
        reference = str(request.json().get("reference") or "")
        return await self.act(account, key, reference, partial(self._refund_once, account, request))

    async def _refund_once(
        self, account: str, request: Request, key: str, faults: Faults
    ) -> Response:
        bank = self.bank
        saved = self.recall(account, key)
        if saved is not None:
            return replayed(saved)
        wanted = request.json()
        payment = bank.ledger.payments.find(request.args[0], account)
        amount = _amount(wanted)
        if payment is None or amount is None or not wanted.get("merchantAccount"):
            raise Problem(422, wire.error(422, "167"))
        ident = wire.AdyenVoice().new_refund_id()
        response = json_response(wire.received(payment, wanted, ident), 201)
        deliveries: list[int] = []
        with bank.store.transaction():
            if self.too_much(payment, amount):
                self._refuse_later(payment, amount, str(wanted.get("reference") or ""), ident)
            else:
                reference = str(wanted.get("reference") or "")
                _, deliveries = self.move(payment, amount, reference, faults, ident=ident)
            self.remember(account, key, fingerprint(request), response)
        await self.flush(faults, deliveries)
        return response

    def _refuse_later(self, payment: Row, amount: int, reference: str, ident: str) -> None:
        """More than was paid: received all the same, and refused by webhook."""
        message = wire.outcome(
            "REFUND",
            "false",
            ident=ident,
            payment=payment,
            amount=amount,
            reference=reference,
            at=clock.now(),
        )
        self.bank.tell(payment["account"], message, ())


def _amount(wanted: wire.Json) -> int | None:
    amount = wanted.get("amount")
    value = amount.get("value") if isinstance(amount, dict) else None
    return value if isinstance(value, int) and 0 < value < 10**12 else None
