"""The life of a transport claim: what a carrier or an insurer is to pay, until it has."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_S = (Actor.SYSTEM,)
_STAFF = (Actor.AGENT, Actor.ADMIN)
_F = (Actor.FINANCE, Actor.ADMIN)
_OVERDUE: Final = "Nobody acted in time: told once, so that a person looks."
_WITHDRAW: Final = "It is not claimed any more, or the parcel showed up."

TRANSPORT_CLAIM: Final = Machine(
    name="transport claim",
    initial=("opened",),
    terminal=frozenset({"rejected", "paid"}),
    rules={
        ("opened", "submit"): rule(_STAFF, "submitted", meaning="Handed in, with a number."),
        ("opened", "withdraw"): rule((*_STAFF, *_S), "withdrawn", meaning=_WITHDRAW),
        ("opened", "overdue"): rule(_S, "opened", meaning=_OVERDUE),
        ("submitted", "accept"): rule(
            _F, "accepted", meaning="They owe an amount, at most what was claimed."
        ),
        ("submitted", "reject"): rule(_F, "rejected", meaning="They refuse."),
        ("submitted", "withdraw"): rule((*_STAFF, *_S), "withdrawn", meaning=_WITHDRAW),
        ("submitted", "overdue"): rule(_S, "submitted", meaning=_OVERDUE),
        ("accepted", "pay"): rule(_F, "paid", meaning="The money is here, with evidence."),
        ("accepted", "reject"): rule(_F, "rejected", meaning="They do not pay after all."),
        ("withdrawn", "reopen"): rule(_S, "opened", meaning="The parcel was lost again."),
    },
    rest=frozenset({"withdrawn"}),
    awaits={
        "opened": (Actor.AGENT, "submit"),
        "submitted": (Actor.FINANCE, "accept"),
        "accepted": (Actor.FINANCE, "pay"),
    },
    timers=(
        Timer("claim_submit", ("opened",), Actor.AGENT, ("submit",), ("overdue",), "14 days"),
        Timer(
            "claim_answer",
            ("submitted",),
            Actor.FINANCE,
            ("accept", "reject"),
            ("overdue",),
            "30 days",
        ),
    ),
)
