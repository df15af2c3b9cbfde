"""T04: returns at once for the last unit of a line."""

from __future__ import annotations

from functools import partial
from typing import Final

from proofs.harness.shops import bring_orders, in_parallel
from proofs.races.racing import Race, Tally, ask_quote, jacket, open_return

QUOTES_AT_ONCE: Final = 16


async def t04(race: Race, tally: Tally, lines: int, at_once: int) -> None:
    """The last unit of a line: one return gets it."""
    for order in await bring_orders(race.lane, race.client, race.bank, lines, delivered=True):
        line = await jacket(race, order)
        quotes = await in_parallel(
            [partial(ask_quote, race, order, line) for _ in range(at_once)], QUOTES_AT_ONCE
        )
        answers = await in_parallel(
            [
                partial(open_return, race, quote, f"t04-{order.external}-{n}")
                for n, quote in enumerate(quotes)
            ],
            at_once,
        )
        for answer in answers:
            tally.add(answer)
        opened = sum(answer.status == 201 for answer in answers)
        if opened != 1:
            tally.wrong.append(f"{opened} returns were opened for one unit")
        others = {a.code for a in answers if a.status != 201} - {"nothing_left_to_return"}
        if others:
            tally.wrong.append(f"refused with {sorted(others)}")
