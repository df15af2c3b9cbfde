"""What others do to the same orders meanwhile: the bank's own pages, and buyers at their banks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from proofs.chaos.clients import Seen
from proofs.harness.crashing import Cell
from proofs.harness.shops import Order

ELSEWHERE: Final = (1, 300)
CHARGEBACKS: Final = (1, 500)
ELSEWHERE_PER_MINUTE: Final = 40.0


@asynccontextmanager
async def elsewhere(one: Cell, seen: Seen, orders: list[Order], seed: int) -> AsyncIterator[None]:
    """Refunds in the bank's own pages, chargebacks, and chargebacks that the shop wins."""
    chance = Random(seed + 1_000)
    disputes: list[str] = []

    async def act() -> None:
        while True:
            await asyncio.sleep(chance.expovariate(ELSEWHERE_PER_MINUTE / 60))
            order = chance.choice(orders)
            what = chance.choice(["dashboard_refund", "chargeback", "chargeback_won"])
            if what == "dashboard_refund":
                wanted = {"payment": order.payment, "amount": chance.randint(*ELSEWHERE)}
                await one.bank.call("POST", "dashboard_refunds", wanted)
            elif what == "chargeback" or not disputes:
                what, amount = "chargeback", chance.randint(*CHARGEBACKS)
                wanted = {"payment": order.payment, "amount": amount}
                disputes.append((await one.bank.call("POST", "disputes", wanted))["id"])
            else:
                won = disputes.pop(chance.randrange(len(disputes)))
                await one.bank.call("POST", f"disputes/{won}/close", {"won": True})
            seen.elsewhere[what] += 1

    task = asyncio.create_task(act())
    try:
        yield
    finally:
        task.cancel()
        for failed in await asyncio.gather(task, return_exceptions=True):
            if isinstance(failed, Exception):
                seen.wrong.append(f"what happens elsewhere ended: {failed!r}")
