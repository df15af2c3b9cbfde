"""What every race needs: a running installation, who loads it, and what was seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from proofs.harness.client import Answer, Client
from proofs.harness.shops import Order
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane


@dataclass(slots=True)
class Tally:
    """What one of the tests saw."""

    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    duplicates: int = 0
    seconds: float = 0.0

    def add(self, answer: Answer) -> None:
        self.requests += 1
        replayed = " replayed" if "idempotent-replayed" in answer.headers else ""
        self.answers[f"{answer.status} {answer.code}".strip() + replayed] += 1
        if answer.status >= 500:
            self.wrong.append(f"{answer.status} {answer.body[:300]!r}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "answers": dict(self.answers),
            "wrong": len(self.wrong),
            "seconds": round(self.seconds, 1),
        }


@dataclass(slots=True)
class Race:
    """A running installation and who loads it."""

    lane: Lane
    client: Client
    bank: Bank
    connection: Any
    random: Random

    def key(self, role: str) -> str:
        return str(self.lane.demo["keys"][role])


async def ask_refund(
    race: Race, order: Order, amount: int, key: str, role: str = "finance"
) -> Answer:
    body = {"order": order.public, "amount": amount}
    return await race.client.send("POST", "/v1/refunds", race.key(role), body, key=key)


async def jacket(race: Race, order: Order) -> str:
    answer = await race.client.send("GET", f"/v1/orders/{order.public}", race.key("agent"))
    lines = [line for line in answer.json()["lines"] if line["ordered"] == 1]
    return str(next(line["line"] for line in lines if line["kind"] == "goods"))


async def ask_quote(race: Race, order: Order, line: str) -> str:
    asked = {"line": line, "quantity": 1, "reason": "size_too_small"}
    body = {"order": order.public, "lines": [asked], "method": "post"}
    answer = await race.client.send("POST", "/v1/quotes", race.key("agent"), body)
    assert answer.status == 201, answer
    return str(answer.json()["quote"])


async def open_return(race: Race, quote: str, key: str) -> Answer:
    body = {"quote": quote, "lines": []}
    return await race.client.send("POST", "/v1/returns", race.key("agent"), body, key=key)
