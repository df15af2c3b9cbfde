"""The life of an address change: asked before the goods leave, answered by the shop."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_SHOP: Final = (Actor.AGENT, Actor.ADMIN)

ADDRESS_CHANGE: Final = Machine(
    name="address change",
    initial=("requested",),
    terminal=frozenset({"applied", "declined", "withdrawn"}),
    rules={
        ("requested", "apply"): rule(
            _SHOP, "applied", meaning="What was not sent yet goes to the new address."
        ),
        ("requested", "decline"): rule(
            (*_SHOP, Actor.SYSTEM), "declined", meaning="It goes where the order said."
        ),
        ("requested", "withdraw"): rule(
            (Actor.BUYER, *_SHOP), "withdrawn", meaning="The old address is right after all."
        ),
    },
    awaits={"requested": (Actor.AGENT, "apply")},
    timers=(
        Timer(
            "address_answer",
            ("requested",),
            Actor.AGENT,
            ("apply", "decline"),
            ("decline",),
            "a day",
        ),
    ),
)
