"""Work for a service that is about to die: keyed requests and webhooks, retried until answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from random import Random
from typing import Any, Final

import orjson
from PIL import Image
from proofs.harness.client import Answer
from proofs.harness.crashing import Cell
from proofs.harness.shops import Order, hook

from returns_api.demo import platform

REFUND: Final = "/v1/refunds"
RETURN: Final = "/v1/returns"
PICTURE: Final = (640, 480)
"""Pixels of a photo."""
RETRY_SECONDS: Final = 90.0
_JSON: Final = "application/json"
_json: Final = orjson.dumps
AMOUNTS: Final = (1, 4000)
BESIDE: Final = 5
"""Between the ids of two orders of the stock there is room for another one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A keyed request and the final answer that the client got."""

    path: str
    role: str
    body: dict[str, Any] | bytes
    """JSON, or a picture."""
    key: str
    answer: Answer


Drive = Callable[[Cell, str, Random, list[Order]], Coroutine[Any, Any, list[Asked]]]


async def ask(cell: Cell, path: str, role: str, body: dict[str, Any] | bytes, key: str) -> Asked:
    """Ask until there is a final answer; a dead one's lock on the key is waited out."""
    raw, kind = (body, "image/jpeg") if isinstance(body, bytes) else (_json(body), _JSON)
    headers = {
        "authorization": f"Bearer {cell.key(role)}",
        "content-type": kind,
        "idempotency-key": key,
    }
    while True:
        answer = await cell.client.send_raw("POST", path, headers, raw, seconds=RETRY_SECONDS)
        if answer.code != "idempotency_in_progress":
            return Asked(path, role, body, key, answer)
        await asyncio.sleep(0.1)


async def ask_refunds(cell: Cell, name: str, chance: Random, orders: list[Order]) -> list[Asked]:
    """A refund on each order, all at once, each under its own key."""
    bodies = [{"order": order.public, "amount": chance.randint(*AMOUNTS)} for order in orders]
    return list(
        await asyncio.gather(
            *(
                ask(cell, REFUND, "finance", body, f"{name}-{number}")
                for number, body in enumerate(bodies)
            )
        )
    )


async def open_returns(cell: Cell, name: str, chance: Random, orders: list[Order]) -> list[Asked]:
    """A return on each order, all at once; a label is bought for each."""
    quotes = [await _quote(cell, order) for order in orders]
    return list(
        await asyncio.gather(
            *(
                ask(cell, RETURN, "agent", {"quote": quote, "lines": []}, f"{name}-{number}")
                for number, quote in enumerate(quotes)
            )
        )
    )


async def send_hooks(cell: Cell, name: str, chance: Random, orders: list[Order]) -> list[Asked]:
    """Refunds that pend, so that the bank's webhooks settle them, and two of the platform's."""
    await cell.bank.faults(rates={"pending": 1.0}, life_seconds=0.3)
    asked = await ask_refunds(cell, name, chance, orders)
    external, now = hooked(orders), datetime.now(UTC)
    account = cell.lane.demo["bank_account"]
    payment = (await cell.bank.pay(account, [platform.TOTAL_MINOR]))[0]
    order, parcel = platform.order(external, payment, now), platform.fulfillment(external, now)
    await hook(cell.lane, cell.client, "orders/create", order)
    await hook(cell.lane, cell.client, "fulfillments/create", parcel)
    return asked


async def send_photos(cell: Cell, name: str, chance: Random, orders: list[Order]) -> list[Asked]:
    """A photo of each order, all at once, each under its own key."""
    return list(
        await asyncio.gather(
            *(
                ask(cell, f"/v1/orders/{order.public}/photos", "agent", _picture(chance), key)
                for number, order in enumerate(orders)
                for key in [f"{name}-{number}"]
            )
        )
    )


def _picture(chance: Random) -> bytes:
    out = BytesIO()
    colour = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
    Image.new("RGB", PICTURE, colour).save(out, "JPEG")
    return out.getvalue()


def hooked(orders: list[Order]) -> int:
    """The platform's id of the order that ``send_hooks`` brings."""
    return orders[0].external + BESIDE


def same(first: Answer, again: Answer) -> bool:
    """Whether a retry got the first answer, byte for byte, and says that it is one."""
    return (
        first.status == again.status
        and first.body == again.body
        and again.headers.get("idempotent-replayed") == "true"
    )


async def _quote(cell: Cell, order: Order) -> str:
    lines = (await cell.call("GET", f"/v1/orders/{order.public}", "agent"))["lines"]
    line = next(line["line"] for line in lines if line["kind"] == "goods")
    wanted = [{"line": line, "quantity": 1, "reason": "size_too_small"}]
    body = {"order": order.public, "lines": wanted, "method": "post"}
    return str((await cell.call("POST", "/v1/quotes", "agent", body))["quote"])
