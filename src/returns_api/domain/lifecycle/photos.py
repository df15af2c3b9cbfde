"""The life of a photo: its name stands in a row before its bytes are stored, and goes after."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_S = (Actor.SYSTEM,)
_TAKERS = (Actor.BUYER, Actor.AGENT, Actor.WAREHOUSE, Actor.ADMIN)

PHOTO: Final = Machine(
    name="photo",
    initial=("storing",),
    terminal=frozenset({"deleted"}),
    rules={
        ("storing", "keep"): rule(_TAKERS, "kept", meaning="Its bytes are stored."),
        ("storing", "drop"): rule(
            _S, "deleting", meaning="It was refused, or its upload never ended."
        ),
        ("kept", "use"): rule(_TAKERS, "kept", meaning="It is shown as evidence of a return."),
        ("kept", "drop"): rule(
            _S, "deleting", meaning="Nobody used it in time, or its person was erased."
        ),
        ("deleting", "delete"): rule(_S, "deleted", meaning="Its bytes are gone, its name too."),
    },
    rest=frozenset({"kept"}),
    awaits={"storing": (Actor.BUYER, "keep"), "deleting": (Actor.SYSTEM, "delete")},
)
