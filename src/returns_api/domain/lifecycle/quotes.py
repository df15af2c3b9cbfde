"""The life of a binding quote: accepted once, by opening its return, or expired."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

QUOTE: Final = Machine(
    name="quote",
    initial=("offered",),
    terminal=frozenset({"accepted", "expired"}),
    rules={
        ("offered", "open"): rule(
            (Actor.BUYER, Actor.AGENT, Actor.ADMIN),
            "accepted",
            meaning="The return is opened on the quote's terms.",
        ),
        ("offered", "expire"): rule(
            (Actor.SYSTEM,), "expired", meaning="Nobody accepted it in time; ask for another one."
        ),
    },
    awaits={"offered": (Actor.BUYER, "open")},
)
