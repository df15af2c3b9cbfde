"""The life of a cancellation: units of an order that end without a return.

Before dispatch the shop is asked not to send them; afterwards a parcel is turned back, was refused,
got lost or never reached its buyer. Money moves once, with ``confirm`` or ``receive``.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_S: Final = Actor.SYSTEM
_SHOP: Final = (Actor.AGENT, Actor.ADMIN)
_ANSWER: Final = (*_SHOP, _S)

CANCELLATION: Final = Machine(
    name="cancellation",
    initial=("requested", "coming_back"),
    terminal=frozenset({"declined", "withdrawn"}),
    rest=frozenset({"confirmed"}),
    rules={
        ("requested", "confirm"): rule(
            _ANSWER,
            "confirmed",
            meaning="The units were not sent, or did not reach the buyer: what was paid for them"
            " goes back.",
            when="no_goods_to_come",
        ),
        ("requested", "turn_back"): rule(
            _ANSWER,
            "coming_back",
            meaning="The carrier turns the parcel back; money goes once it is here.",
            when="goods_to_come",
        ),
        ("requested", "decline"): rule(
            _ANSWER, "declined", meaning="Too late, or not so: the units can be returned as usual."
        ),
        ("requested", "reduce"): rule(
            (_S,), "requested", meaning="Some of the units were sent meanwhile; the others wait on."
        ),
        ("requested", "withdraw"): rule(
            (Actor.BUYER, *_SHOP), "withdrawn", meaning="The buyer wants the goods after all."
        ),
        ("coming_back", "receive"): rule(
            (Actor.WAREHOUSE, Actor.ADMIN),
            "confirmed",
            meaning="The parcel is back; the money goes.",
        ),
        ("coming_back", "decline"): rule(
            _SHOP, "declined", meaning="The parcel reached the buyer after all."
        ),
        ("coming_back", "overdue"): rule(
            (_S,), "coming_back", meaning="It did not come back in time: told once."
        ),
        ("confirmed", "overrun"): rule(
            (_S,),
            "confirmed",
            meaning="Units were sent that the shop had agreed not to send, or missing ones came.",
        ),
    },
    awaits={
        "requested": (Actor.AGENT, "confirm"),
        "coming_back": (Actor.WAREHOUSE, "receive"),
    },
    timers=(
        Timer(
            "cancel_answer",
            ("requested",),
            Actor.AGENT,
            ("confirm", "turn_back", "decline"),
            ("confirm", "decline"),
            "a day before dispatch; 3 days to turn a parcel back; 14 days for a missing one",
        ),
        Timer(
            "parcel_back", ("coming_back",), Actor.WAREHOUSE, ("receive",), ("overdue",), "30 days"
        ),
    ),
    conditions={
        "goods_to_come": "a parcel has to come back first",
        "no_goods_to_come": "no parcel has to come back first",
    },
)
