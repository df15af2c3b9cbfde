"""T37: one limit and one approval, asked of many times at once."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from proofs.harness.shops import bring_orders, in_parallel
from proofs.races.racing import Race, Tally, ask_refund

from returns_api.demo.platform import TOTAL_MINOR

ALONE_MINOR: Final = 1000
"""What the agent may refund of one order alone."""


async def t37(race: Race, tally: Tally, orders: int, at_once: int) -> None:
    """One limit and one approval: nobody gets around the first, the second happens once."""
    await race.connection.execute(
        "UPDATE shops SET refund_limits = jsonb_build_object("
        "'agent_per_order', $1::int, 'agent_per_day', null)",
        ALONE_MINOR,
    )
    for order in await bring_orders(race.lane, race.client, race.bank, orders):
        amount = race.random.randint(70, TOTAL_MINOR // max(at_once, 2))
        answers = await in_parallel(
            [
                partial(ask_refund, race, order, amount, f"t37-{order.external}-{n}", "agent")
                for n in range(at_once)
            ],
            at_once,
        )
        for answer in answers:
            tally.add(answer)
        made = [answer.json() for answer in answers if answer.status == 202]
        alone = sum(refund["state"] == "queued" for refund in made)
        fits = min(at_once, ALONE_MINOR // amount)
        if (len(made), alone) != (at_once, fits):
            tally.wrong.append(f"{alone} of {amount} passed alone, {fits} fit into {ALONE_MINOR}")
        for refund in [each for each in made if each["state"] == "requested"][:1]:
            await _approve_at_once(race, tally, refund, at_once)


async def _approve_at_once(race: Race, tally: Tally, refund: dict[str, Any], at_once: int) -> None:
    path, body = f"/v1/refunds/{refund['refund']}/approve", refund["approval"]
    seen = {"binding": body["binding"]}
    persons = ("finance", "admin")
    answers = await in_parallel(
        [
            partial(
                race.client.send, "POST", path, race.key(persons[n % 2]), seen, key=f"{path}-{n}"
            )
            for n in range(at_once)
        ],
        at_once,
    )
    for answer in answers:
        tally.add(answer)
    done = sum(answer.status == 200 for answer in answers)
    if done != 1:
        tally.wrong.append(f"{done} approvals of one refund")
    others = {a.code for a in answers if a.status != 200} - {"action_not_allowed"}
    if others:
        tally.wrong.append(f"approvals were refused with {sorted(others)}")
