"""The life of an order, as far as it is ours: what can be asked about it, and until when.

Its shop's platform moves it (``send``, ``edit``), and what is asked about it has a life of its own:
a quote, a cancellation, an address change, a withdrawal, a complaint, a refund.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Rule, rule

_S: Final = (Actor.SYSTEM,)
_ASK: Final = (Actor.BUYER, Actor.AGENT, Actor.ADMIN)
_PAY: Final = (Actor.AGENT, Actor.FINANCE, Actor.ADMIN)


def _asked(state: str) -> dict[tuple[str, str], Rule]:
    """What can be asked whether or not everything was sent."""
    return {
        (state, "quote"): rule(
            _ASK, state, meaning="A binding offer for units that came.", when="units_here"
        ),
        (state, "add_photo"): rule(
            _ASK, state, meaning="A photo for the return to come.", when="units_here"
        ),
        (state, "cancel"): rule(
            _ASK,
            state,
            "ended",
            meaning="Units that should not be sent, or should not or did not arrive.",
            when="units_to_stop",
        ),
        (state, "withdraw"): rule(
            _ASK,
            state,
            meaning="The buyer withdraws from the contract: the statement.",
            when="units_kept",
        ),
        (state, "give"): rule(
            _ASK,
            state,
            meaning="A gift receipt: whoever got units of it may bring them back.",
            when="units_kept",
        ),
        **_always(state),
    }


def _always(state: str) -> dict[tuple[str, str], Rule]:
    return {
        (state, "complain"): rule(_ASK, state, meaning="An answer is promised."),
        (state, "refund"): rule(
            _PAY, state, meaning="An amount goes back without a return.", when="money_left"
        ),
    }


ORDER: Final = Machine(
    name="order",
    initial=("to_send", "sent"),
    terminal=frozenset(),
    rest=frozenset({"to_send", "sent", "ended"}),
    rules={
        **_asked("to_send"),
        ("to_send", "change_address"): rule(
            _ASK, "to_send", meaning="What was not sent yet goes elsewhere."
        ),
        ("to_send", "send"): rule(_S, "sent", "to_send", meaning="The platform says what left."),
        ("to_send", "end"): rule(_S, "ended", meaning="Nothing of it is left: all was cancelled."),
        **_asked("sent"),
        ("sent", "edit"): rule(_S, "to_send", meaning="The platform adds what is to be sent."),
        ("sent", "end"): rule(_S, "ended", meaning="Nothing of it is left: all came back."),
        **_always("ended"),
        ("ended", "edit"): rule(
            _S, "sent", "to_send", meaning="Something is left again: a return was given up."
        ),
    },
    conditions={
        "units_here": "a unit of it came and is not in a return",
        "units_to_stop": "a unit is to be sent, or went out with a parcel and is not in a return",
        "units_kept": "a unit of it is neither cancelled nor in a return",
        "money_left": "something of what was paid can go back",
    },
)
