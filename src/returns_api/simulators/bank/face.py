"""What every vendor's face needs: keys in flight, faults drawn and carried out, replays.

Owns no wire format. The Stripe face is older and has its own copy of the few lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

import orjson

from ..kit.faults import Faults
from ..kit.store import Row
from ..kit.trouble import serve
from ..kit.web import Request, Response, json_response
from .core import Bank
from .refunds import REFERENCE_KEY


class Wire(Protocol):
    """A vendor's errors and how its answers are falsified."""

    def error(self, status: int, code: str) -> object: ...

    def spoil(self, fault: str, body: bytes) -> bytes: ...


class Face:
    """Base of the faces. ``busy`` is the vendor's answer while a key is in use."""

    def __init__(self, bank: Bank, wire: Wire) -> None:
        self.bank = bank
        self._wire = wire
        self._in_flight: set[tuple[str, str]] = set()

    def busy(self) -> Response:
        """409 unless the vendor says it otherwise."""
        return json_response(self._wire.error(409, "idempotency_key_in_use"), 409)

    async def act(
        self,
        account: str,
        key: str,
        reference: str,
        work: Callable[[str, Faults], Awaitable[Response]],
    ) -> Response:
        """Carry out a refund call under whatever faults are due; ``work`` gets the key to honour.

        A switched-off ``idempotency`` setting makes the key empty.
        """
        plan = self.bank.plan
        key = key if plan.settings.idempotency else ""
        faults = plan.draw("refund", reference or key, main=True)
        if key and (account, key) in self._in_flight:
            return self.busy()
        self._in_flight.add((account, key))
        try:
            response = await self._serve(faults, partial(work, key, faults))
        finally:
            self._in_flight.discard((account, key))
        return self.busy() if faults.transport == "key_in_use" else response

    async def read(self, key: str, content: object, *, kind: str = "read") -> Response:
        """Answer a read, under faults; scripts name them by ``kind``."""
        faults = self.bank.plan.draw(kind, key, main=False)
        if faults.transport == "key_in_use":  # reads carry no key
            faults = Faults()

        async def work() -> Response:
            return json_response(content)

        return await self._serve(faults, work)

    def move(
        self,
        payment: Row,
        amount: int,
        reference: str,
        faults: Faults,
        *,
        ident: str,
        more: Mapping[str, str] | None = None,
    ) -> tuple[Row, list[int]]:
        """Move money back in the open transaction; see ``Bank.refund``."""
        metadata = {**(more or {}), **({REFERENCE_KEY: reference} if reference else {})}
        return self.bank.refund(
            payment, amount, metadata=metadata, reason=None, faults=faults, ident=ident
        )

    def too_much(self, payment: Row, amount: int) -> bool:
        """Whether a bank that is not lenient refuses ``amount``."""
        lenient = self.bank.plan.settings.lenient
        return not lenient and amount > self.bank.ledger.refunds.refundable(payment)

    def remember(self, account: str, key: str, print_: str, response: Response) -> None:
        """Keep an answer under its key, in the open transaction."""
        if key:
            self.bank.ledger.answers.save(account, key, print_, response.status, body=response.body)

    def recall(self, account: str, key: str) -> Row | None:
        """What was answered under a key that is not forgotten yet."""
        if not key:
            return None
        ttl = self.bank.plan.settings.key_ttl_seconds
        return self.bank.ledger.answers.find(account, key, ttl)

    async def flush(self, faults: Faults, deliveries: list[int]) -> None:
        """Deliver the webhooks before the answer, if that fault was drawn."""
        if "webhook_first" in faults.hooks:
            await self.bank.hooks.flush(deliveries)

    async def _serve(self, faults: Faults, work: Callable[[], Awaitable[Response]]) -> Response:
        return await serve(
            self.bank.plan, faults, work, error=self._wire.error, spoil=self._wire.spoil
        )


def fingerprint(request: Request) -> str:
    """What tells two contents under one key apart."""
    return hashlib.sha256(request.path.encode() + b"\n" + request.body).hexdigest()


def replayed(saved: Row) -> Response:
    """The remembered answer, byte for byte."""
    return Response(saved["status"], saved["body"], {"content-type": "application/json"})


def metadata(row: Row) -> dict[str, Any]:
    """A payment's or refund's own notes in the ledger."""
    found = orjson.loads(row["metadata"])
    assert isinstance(found, dict)
    return found


def reference_of(row: Row) -> str | None:
    """Our reference of a refund; None for one that was made elsewhere."""
    found = metadata(row).get(REFERENCE_KEY)
    return found if isinstance(found, str) else None
