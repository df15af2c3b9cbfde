"""PayPal's API as far as refunds need it: tokens, captures, refunds, orders, certificates."""

from __future__ import annotations

import base64
import binascii
import secrets
from functools import partial

import orjson

from ..kit.faults import Faults
from ..kit.store import Row
from ..kit.web import Handler, Problem, Request, Response, json_response
from . import paypal_wire as wire
from .core import Bank
from .decimals import to_minor
from .face import Face, fingerprint, reference_of

TOKEN_SECONDS = 32_400
MAX_LISTED = 1_000


class PayPalApi(Face):
    """The handlers. The client id is the account; any client secret but an empty one is right."""

    def __init__(self, bank: Bank) -> None:
        super().__init__(bank, wire)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What is served."""
        return [
            ("POST", "/v1/oauth2/token", self.create_token),
            ("POST", "/v2/payments/captures/{}/refund", self.create_refund),
            ("GET", "/v2/payments/captures/{}", self.get_capture),
            ("GET", "/v2/payments/refunds/{}", self.get_refund),
            ("GET", "/v2/checkout/orders/{}", self.get_order),
            ("GET", "/v1/notifications/certs/{}", self.get_certificate),
        ]

    async def create_token(self, request: Request) -> Response:
        """POST /v1/oauth2/token with HTTP basic authentication."""
        client = _client(request)
        if client is None or request.form().get("grant_type") != "client_credentials":
            refused = {"error": "invalid_client", "error_description": "Client Authentication"}
            raise Problem(401, {**refused, "error_description": "Client Authentication failed"})
        token = f"A21.{client.encode().hex()}.{secrets.token_hex(8)}"
        content = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return await self.read(client, content, kind="token")

    async def create_refund(self, request: Request) -> Response:
        """POST /v2/payments/captures/{id}/refund."""
        account = _account(request)
        key = request.headers.get("paypal-request-id", "")
        reference = str(request.json().get("custom_id") or "")
        return await self.act(account, key, reference, partial(self._refund_once, account, request))

    async def get_refund(self, request: Request) -> Response:
        """GET /v2/payments/refunds/{id}."""
        row = self.bank.ledger.refunds.find(request.args[0], _account(request))
        if row is None:
            raise _missing()
        return await self.read(row["id"], wire.refund(row, reference_of(row)))

    async def get_capture(self, request: Request) -> Response:
        """GET /v2/payments/captures/{id}; faults of it are scripted as ``lead``."""
        payment = self._payment(request.args[0], _account(request))
        return await self.read(payment["id"], self._captured(payment), kind="lead")

    async def get_order(self, request: Request) -> Response:
        """GET /v2/checkout/orders/{id}: with every refund of its capture."""
        account = _account(request)
        payment = self._payment(request.args[0].removeprefix("O"), account)
        rows = self.bank.ledger.refunds.page(payment["id"], account, MAX_LISTED)
        refunds = [wire.refund(row, reference_of(row)) for row in rows]
        return await self.read(payment["id"], wire.order(payment, self._captured(payment), refunds))

    async def get_certificate(self, _request: Request) -> Response:
        """GET /v1/notifications/certs/{name}: what the webhooks are signed with."""
        pem = self.bank.voices.paypal.certificate()
        return Response(200, pem, {"content-type": "text/plain"})

    async def _refund_once(
        self, account: str, request: Request, key: str, faults: Faults
    ) -> Response:
        bank = self.bank
        saved = self.recall(account, key)
        if saved is not None:  # whatever was sent now: the latest state of the first request
            row = bank.ledger.refunds.find(orjson.loads(saved["body"])["id"], account)
            assert row is not None
            return json_response(wire.refund(row, reference_of(row)), 201)
        wanted = request.json()
        payment = self._payment(request.args[0], account)
        amount = _amount(wanted, payment)
        if self.too_much(payment, amount):
            raise Problem(422, wire.error(422, "REFUND_AMOUNT_EXCEEDED"))
        with bank.store.transaction():
            row, deliveries = self.move(
                payment,
                amount,
                str(wanted.get("custom_id") or ""),
                faults,
                ident=bank.voices.paypal.new_refund_id(),
            )
            response = json_response(wire.refund(row, reference_of(row)), 201)
            self.remember(account, key, fingerprint(request), response)
        await self.flush(faults, deliveries)
        return response

    def _captured(self, payment: Row) -> wire.Json:
        return wire.capture(payment, self.bank.ledger.refunds.refundable(payment))

    def _payment(self, ident: str, account: str) -> Row:
        row = self.bank.ledger.payments.find(ident, account)
        if row is None or self.bank.voices.of(row) is not self.bank.voices.paypal:
            raise _missing()
        return row


def _missing() -> Problem:
    return Problem(404, wire.error(404, "INVALID_RESOURCE_ID"))


def _amount(wanted: wire.Json, payment: Row) -> int:
    given = wanted.get("amount") or {}
    currency = str(given.get("currency_code", "")).lower()
    if currency != payment["currency"]:
        raise Problem(422, wire.error(422, "REFUND_CAPTURE_CURRENCY_MISMATCH"))
    amount = to_minor(given.get("value"), currency)
    if amount is None:
        raise Problem(422, wire.error(422, "DECIMAL_PRECISION"))
    return amount


def _client(request: Request) -> str | None:
    """The client id of a request for a token; None when it proves nothing."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name if kind.lower() == "basic" and name and secret else None


def _account(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    parts = token.split(".")
    try:
        account = bytes.fromhex(parts[1]).decode() if len(parts) == 3 else ""
    except (ValueError, UnicodeDecodeError):
        account = ""
    if kind.lower() != "bearer" or not account:
        raise Problem(401, wire.error(401, "INVALID_ACCOUNT_STATUS"))
    return account
