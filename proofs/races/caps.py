"""T38: fast refunds at once, of one buyer and on one day: never a minor unit above the cap."""

from __future__ import annotations

from functools import partial
from typing import Final

from proofs.harness.shops import Order, bring_orders, in_parallel
from proofs.races.racing import Race, Tally, ask_quote, jacket, open_return
from proofs.races.units import QUOTES_AT_ONCE

from returns_api.demo.shop import demo_policy

CAPS: Final = (("buyer", 900_00, 90_000_00), ("shop_day", 90_000_00, 3_000_00))
"""The counter that binds, and the caps of one buyer and of one day (minor units)."""
_HOUSE: Final = "    refund_at: inspection\n    refund_within: 5 days\n"
_OUT: Final = (
    "SELECT coalesce(sum(amount_minor) FILTER (WHERE state = 'outstanding'), 0)::bigint AS out,"
    " count(*) FILTER (WHERE state = 'declined') AS declined,"
    " coalesce(max(amount_minor), 0)::bigint AS each FROM advances"
)
_OVER: Final = (
    "SELECT count(*) FROM fast_refund_caps WHERE used_minor > cap_minor OR"
    " (kind = 'shop_day' AND used_minor <> (SELECT sum(amount_minor) FROM advances"
    " WHERE state <> 'declined'))"
)


async def t38(race: Race, tally: Tally, rounds: int, at_once: int) -> None:
    """As many as fit go out at once, the others wait; the demo's orders are all of one buyer."""
    for kind, buyer, day in CAPS[:rounds]:
        await _publish(race, buyer, day)
        orders = await bring_orders(race.lane, race.client, race.bank, at_once, delivered=True)
        quotes = await in_parallel(
            [partial(_quote, race, order) for order in orders], QUOTES_AT_ONCE
        )
        before = await race.connection.fetchrow(_OUT)
        answers = await in_parallel(
            [partial(open_return, race, quote, f"t38-{quote}") for quote in quotes], at_once
        )
        for answer in answers:
            tally.add(answer)
        tally.wrong += [f"{a.status} {a.code}" for a in answers if a.status != 201]
        after = await race.connection.fetchrow(_OUT)
        cap = buyer if kind == "buyer" else day
        fits = min(at_once, (cap - before["out"]) // after["each"])
        passed = (after["out"] - before["out"]) // after["each"]
        declined = after["declined"] - before["declined"]
        if (passed, declined) != (fits, at_once - fits):
            tally.wrong.append(f"{passed} went out and {declined} waited; {fits} fit ({kind})")
        if await race.connection.fetchval(_OVER):
            tally.wrong.append(f"a counter is above its cap, or is not what is out ({kind})")


async def _quote(race: Race, order: Order) -> str:
    return await ask_quote(race, order, await jacket(race, order))


async def _publish(race: Race, buyer: int, day: int) -> None:
    """The demo's policy with money on request, for orders from now on."""
    caps = f"per_buyer: {buyer / 100:.2f}, per_day: {day / 100:.2f}"
    terms = f"{{at: request, {caps}, recover_within: 14 days}}"
    source = demo_policy().replace(_HOUSE, _HOUSE.replace("inspection", terms))
    key = race.key("admin")
    draft = await race.client.send("POST", "/v1/admin/policies", key, {"source": source})
    assert draft.status == 201, draft
    path = f"/v1/admin/policies/{draft.json()['id']}/publish"
    done = await race.client.send("POST", path, key, {"acknowledge": "for this proof"})
    assert done.status == 200, done
