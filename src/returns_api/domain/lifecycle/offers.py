"""The life of an offer: an amount for keeping the goods, until one side accepts the other's.

A counter-offer is an offer of its own; the one that it answers ends as ``countered``.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_B, _S = (Actor.BUYER,), (Actor.SYSTEM,)
_STAFF = (Actor.AGENT, Actor.ADMIN)
_SECOND = (Actor.FINANCE, Actor.ADMIN)
_ACCEPT: Final = "Agree: the goods stay, the money goes out once."
_COUNTER: Final = "Name another amount instead."
_DECLINE: Final = "Say no; the return goes on."
_WITHDRAW: Final = "Take the own offer back."
_EXPIRE: Final = "Nobody answered in time."
_LAPSE: Final = "The return went on or ended without it."
_WITHIN: Final = "as long as the offer says, 7 days unless it says"

OFFER: Final = Machine(
    name="offer",
    initial=("awaiting_buyer", "awaiting_approval", "awaiting_merchant"),
    terminal=frozenset({"accepted", "countered", "declined", "withdrawn", "expired", "lapsed"}),
    rules={
        ("awaiting_approval", "approve"): rule(
            _SECOND,
            "awaiting_buyer",
            meaning="A second person lets it be offered.",
            when="made_by_another",
        ),
        ("awaiting_approval", "decline"): rule(
            (Actor.ADMIN,), "declined", meaning="It may not be offered."
        ),
        ("awaiting_approval", "withdraw"): rule(_STAFF, "withdrawn", meaning=_WITHDRAW),
        ("awaiting_buyer", "accept"): rule(_B, "accepted", meaning=_ACCEPT),
        ("awaiting_buyer", "counter"): rule(_B, "countered", meaning=_COUNTER),
        ("awaiting_buyer", "decline"): rule(_B, "declined", meaning=_DECLINE),
        ("awaiting_buyer", "withdraw"): rule(_STAFF, "withdrawn", meaning=_WITHDRAW),
        ("awaiting_merchant", "accept"): rule(_STAFF, "accepted", meaning=_ACCEPT),
        ("awaiting_merchant", "counter"): rule(_STAFF, "countered", meaning=_COUNTER),
        ("awaiting_merchant", "decline"): rule(_STAFF, "declined", meaning=_DECLINE),
        ("awaiting_merchant", "withdraw"): rule(_B, "withdrawn", meaning=_WITHDRAW),
        **{
            (state, action): rule(_S, to, meaning=meaning)
            for state in ("awaiting_approval", "awaiting_buyer", "awaiting_merchant")
            for action, to, meaning in (
                ("expire", "expired", _EXPIRE),
                ("lapse", "lapsed", _LAPSE),
            )
        },
    },
    awaits={
        "awaiting_approval": (Actor.FINANCE, "approve"),
        "awaiting_buyer": (Actor.BUYER, "accept"),
        "awaiting_merchant": (Actor.AGENT, "accept"),
    },
    timers=(
        Timer(
            "offer_approval",
            ("awaiting_approval",),
            Actor.FINANCE,
            ("approve", "decline"),
            ("expire",),
            _WITHIN,
        ),
        Timer(
            "offer_answer",
            ("awaiting_buyer",),
            Actor.BUYER,
            ("accept", "counter", "decline"),
            ("expire",),
            _WITHIN,
        ),
        Timer(
            "counter_answer",
            ("awaiting_merchant",),
            Actor.AGENT,
            ("accept", "counter", "decline"),
            ("expire",),
            _WITHIN,
        ),
    ),
    conditions={"made_by_another": "somebody else made it"},
)

OPEN_OFFER: Final = ("awaiting_approval", "awaiting_buyer", "awaiting_merchant")
"""States of which a return has at most one offer."""
TIMER_OF: Final = {
    "awaiting_approval": "offer_approval",
    "awaiting_buyer": "offer_answer",
    "awaiting_merchant": "counter_answer",
}
