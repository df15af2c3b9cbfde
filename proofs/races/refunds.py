"""T01, T02: refunds at once of one order, under their own keys and under one."""

from __future__ import annotations

from functools import partial
from typing import Final

from proofs.harness.shops import bring_orders, in_parallel
from proofs.races.racing import Race, Tally, ask_refund

from returns_api.demo.platform import TOTAL_MINOR

AMOUNTS: Final = (70, 650)
"""Of one refund: between 19 and 185 of them fit into an order."""


async def t01(race: Race, tally: Tally, orders: int, at_once: int) -> None:
    """Different keys, one order: exactly as many refunds as fit."""
    for order in await bring_orders(race.lane, race.client, race.bank, orders):
        amount = race.random.randint(*AMOUNTS)
        answers = await in_parallel(
            [
                partial(ask_refund, race, order, amount, f"t01-{order.external}-{n}")
                for n in range(at_once)
            ],
            at_once,
        )
        for answer in answers:
            tally.add(answer)
        accepted = sum(answer.status == 202 for answer in answers)
        fits = min(at_once, TOTAL_MINOR // amount)
        if accepted != fits:
            tally.wrong.append(f"{accepted} of {amount} accepted, {fits} fit into {TOTAL_MINOR}")
        refused = [a for a in answers if a.status != 202 and a.code != "nothing_left_to_refund"]
        tally.wrong += [f"refused with {a.status} {a.code}" for a in refused]


async def t02(race: Race, tally: Tally, keys: int, at_once: int) -> None:
    """One key: one execution, and one answer for everybody."""
    for order in await bring_orders(race.lane, race.client, race.bank, keys):
        key = f"t02-{order.external}"
        answers = await in_parallel(
            [partial(ask_refund, race, order, 100, key) for _ in range(at_once)], at_once
        )
        for answer in answers:
            tally.add(answer)
        made = await race.connection.fetchval(
            "SELECT count(*) FROM refunds WHERE order_id = $1", order.id
        )
        tally.duplicates += max(0, made - 1)
        done = [answer for answer in answers if answer.status == 202]
        first = [answer for answer in done if "idempotent-replayed" not in answer.headers]
        if len(first) != 1:
            tally.wrong.append(f"{len(first)} first answers under one key")
        if len({answer.body for answer in done}) != 1:
            tally.wrong.append("replays differ from the first answer")
        others = {a.code for a in answers if a.status != 202} - {"idempotency_in_progress"}
        if others:
            tally.wrong.append(f"other answers under one key: {sorted(others)}")
