"""The life of a lot: credit that was issued at one time and lasts until one day.

An account has no states of its own: what can be done with it follows from its lots. What was used
up can come back with the purchase that used it; what expired never does.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_TILL: Final = (Actor.AGENT, Actor.FINANCE, Actor.ADMIN)
_BOOKS: Final = (Actor.FINANCE, Actor.ADMIN, Actor.SYSTEM)

LOT: Final = Machine(
    name="store credit lot",
    initial=("open",),
    terminal=frozenset({"expired"}),
    rules={
        ("open", "spend"): rule(_TILL, "open", "used", meaning="A purchase takes some or all."),
        ("open", "recover"): rule(
            _BOOKS, "open", "used", meaning="What the buyer owes is taken, as far as it goes."
        ),
        ("open", "give_back"): rule(_TILL, "open", meaning="A purchase that took some is undone."),
        ("used", "give_back"): rule(_TILL, "open", meaning="A purchase that took it is undone."),
        ("open", "expire"): rule((Actor.SYSTEM,), "expired", meaning="Its last day is over."),
    },
    rest=frozenset({"open", "used"}),
)
