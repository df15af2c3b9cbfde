"""The clients: they ask for refunds one try at a time, look at what is there, and note it all."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import orjson
from proofs.harness.client import Answer
from proofs.harness.crashing import Cell
from proofs.harness.drives import REFUND
from proofs.harness.shops import Order
from proofs.history.told import History, Outcome, Read, Shown, Write

CLIENTS: Final = 20
PAUSE_SECONDS: Final = (0.2, 1.2)
"""Between two things that a client does."""
LOOKS: Final = 0.35
"""Share of looks among what clients do."""
ASKED_AGAIN: Final = 0.7
"""Share of the unanswered that is asked again."""
AMOUNTS: Final = (1, 1200)
PER_ORDER: Final = 30
"""Refunds asked for on an order: more than its payment holds, so that some are refused."""
HOT: Final = 4
"""Orders that clients work on at the same time."""


@dataclass(slots=True)
class Run:
    """What all clients share."""

    one: Cell
    orders: list[Order]
    end: float
    history: History = field(default_factory=History)
    asked: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def hot_order(self, chance: Random) -> str:
        """One of the few that clients work on by now."""
        place = self.asked // PER_ORDER + chance.randrange(HOT)
        return self.orders[min(place, len(self.orders) - 1)].public

    async def send(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        headers = {"authorization": f"Bearer {self.one.key('finance')}"}
        if key:
            headers |= {"idempotency-key": key, "content-type": "application/json"}
        data = b"" if body is None else orjson.dumps(body)
        answer = await self.one.client.once(method, path, headers, data)
        self.answers["lost" if answer is None else f"{answer.status} {answer.code}".strip()] += 1
        return answer

    async def ask(self, client: int, order: str, reference: str, amount: int) -> Outcome:
        """One try to make a refund, noted."""
        body = {"order": order, "amount": amount, "client_reference": reference}
        begun = time.monotonic()
        answer: Answer | None = await self.send("POST", REFUND, body, reference)
        ended = time.monotonic()
        outcome, refund = self._meaning(answer), None
        if answer is not None and outcome is Outcome.OK:
            refund = answer.json()["refund"]
        self.history.writes.append(
            Write(client, begun, ended, order, reference, amount, outcome, refund)
        )
        return outcome

    def _meaning(self, answer: Answer | None) -> Outcome:
        if answer is None or answer.status in {429, 503}:
            return Outcome.INFO
        if answer.status == 202:
            return Outcome.OK
        if answer.status == 409:
            busy = answer.code == "idempotency_in_progress"
            return Outcome.INFO if busy else Outcome.FAIL
        self.wrong.append(f"unexpected: {answer}")
        return Outcome.INFO

    async def look(self, client: int, order: str) -> None:
        """All refunds of an order, noted if there was an answer."""
        begun = time.monotonic()
        answer = await self.send("GET", f"{REFUND}?order={order}&limit=100")
        ended = time.monotonic()
        if answer is None or answer.status != 200:
            return
        page = answer.json()
        assert page["next_cursor"] is None, "an order has more refunds than were asked for"
        shown = {
            each["client_reference"]: Shown(
                each["refund"], each["order"], each["amount"], each["sequence"]
            )
            for each in page["items"]
        }
        self.history.reads.append(Read(client, begun, ended, order, shown))


async def work(run: Run, number: int, seed: int) -> None:
    """Asks and looks in turn; goes back to an order that it wrote to more often than to others."""
    chance, mine = Random(f"{seed} {number}"), ""
    while time.monotonic() < run.end:
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        order = run.hot_order(chance)
        if chance.random() < LOOKS:
            await run.look(number, mine or order)
            continue
        run.asked += 1
        mine, reference = order, f"history-{run.asked}"
        amount = chance.randint(*AMOUNTS)
        while await run.ask(number, order, reference, amount) is Outcome.INFO:
            if chance.random() > ASKED_AGAIN:
                break
            await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
