"""Clients that ask for refunds until they have an answer, and what they were told.

Owns the pace and the notes. Refuses to own who else acts (``elsewhere``) and what goes wrong
(``harness.storm``).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from proofs.harness.client import Answer, GaveUp
from proofs.harness.crashing import Cell
from proofs.harness.drives import REFUND, ask
from proofs.harness.shops import Order

PER_ORDER: Final = 6
"""Refunds on one order; with what is done elsewhere they stay below what was captured."""
AMOUNTS: Final = (1, 1200)


@dataclass(slots=True)
class Seen:
    """What the storm did and what the clients were told."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Refund by key."""
    answers: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def asking(
    one: Cell,
    seen: Seen,
    orders: list[Order],
    numbers: Any,
    chance: Random,
    pace: float,
    end: float,
    wanted: int,
) -> None:
    """Asks for one refund after the other, at a steady pace, each until there is an answer."""
    following = time.monotonic() + chance.random() * pace
    while (now := time.monotonic()) < end or len(seen.accepted) < wanted:
        await asyncio.sleep(max(0.0, following - now))
        following += pace
        number = next(numbers)
        if number >= len(orders) * PER_ORDER:
            return
        order = orders[number // PER_ORDER]
        body = {"order": order.public, "amount": chance.randint(*AMOUNTS)}
        try:
            asked = await ask(one, REFUND, "finance", body, f"chaos-{number}")
        except GaveUp as gave_up:
            seen.wrong.append(str(gave_up))
            continue
        _note(seen, f"chaos-{number}", asked.answer)


def _note(seen: Seen, key: str, answer: Answer) -> None:
    seen.answers[f"{answer.status} {answer.code}".strip()] += 1
    if answer.status == 202:
        seen.accepted[key] = answer.json()["refund"]
    else:
        seen.wrong.append(f"{key}: {answer}")
