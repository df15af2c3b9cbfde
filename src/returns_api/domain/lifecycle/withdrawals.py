"""The life of a withdrawal from a distance contract (Directive 2011/83/EU, article 11a).

Two steps of the buyer: the statement, then its confirmation, which is what counts. A return follows
where the goods are with the buyer; where none can, a person looks, and the withdrawal stands.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_OWN: Final = (Actor.BUYER, Actor.AGENT, Actor.ADMIN)
_S: Final = (Actor.SYSTEM,)

WITHDRAWAL: Final = Machine(
    name="withdrawal",
    initial=("submitted",),
    terminal=frozenset({"opened", "unopened"}),
    rules={
        ("submitted", "confirm"): rule(
            _OWN, "confirmed", meaning="The buyer withdraws; receipt is acknowledged."
        ),
        ("confirmed", "open"): rule(_S, "opened", meaning="Its return was opened."),
        ("confirmed", "leave"): rule(
            _S, "unopened", meaning="No unit can come back now; told, so that a person looks."
        ),
    },
    awaits={"submitted": (Actor.BUYER, "confirm"), "confirmed": (Actor.SYSTEM, "open")},
)
