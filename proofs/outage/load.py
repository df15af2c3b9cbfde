"""Refunds asked of an account at a steady pace. Owns what was accepted, and what should not be."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Final

from proofs.harness.client import Client, GaveUp
from proofs.harness.shops import Order
from proofs.harness.stage import Lane

PER_ORDER: Final = 20
AMOUNTS: Final = (1, 600)


@dataclass(slots=True)
class Load:
    """Refunds asked of one account at a steady pace. ``accepted`` has public ids."""

    source: str
    orders: list[Order]
    accepted: dict[str, datetime] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    over: bool = False
    """Nothing more is asked for; what was asked for still gets its answer."""


async def asking(lane: Lane, client: Client, load: Load, rate: float, chance: Random) -> None:
    """Ask at a steady pace, whatever becomes of the requests before."""
    finance, number, following = lane.demo["keys"]["finance"], 0, time.monotonic()
    async with asyncio.TaskGroup() as group:
        while not load.over and number < len(load.orders) * PER_ORDER:
            order = load.orders[number // PER_ORDER]
            amount = chance.randint(*AMOUNTS)
            group.create_task(_ask(client, finance, load, order, amount, number))
            number += 1
            following += 1 / rate
            await asyncio.sleep(max(0.0, following - time.monotonic()))


async def _ask(
    client: Client, token: str, load: Load, order: Order, amount: int, number: int
) -> None:
    body, at = {"order": order.public, "amount": amount}, datetime.now(UTC)
    try:
        answer = await client.send(
            "POST", "/v1/refunds", token, body, key=f"{load.source}-{number}"
        )
    except GaveUp as gave_up:
        load.wrong.append(str(gave_up))
        return
    if answer.status == 202:
        load.accepted[answer.json()["refund"]] = at
    else:
        load.wrong.append(f"{load.source}-{number}: {answer}")
