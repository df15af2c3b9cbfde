"""The life of one movement of money (transfer) and of the refund that a buyer sees.

A timeout is ``unknown``, never ``failed``; ``succeeded`` can still fail or be reversed days later.
The refund's own state is not stored independently: ``refund_state`` derives it from its transfers,
and ``REFUND`` says what a person may do in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Rule, rule

_S = (Actor.SYSTEM,)
_F = (Actor.FINANCE, Actor.ADMIN)

_FACTS: Final = ("succeeded", "pending", "requires_action", "failed", "canceled")
_GIVE_UP: Final = rule(_S, "needs_review", meaning="It cannot go on by itself: a person must look.")
_FACT: Final = rule(_S, *_FACTS, meaning="Evidence from the provider.")
_LATER_FACT: Final = rule(_S, *_FACTS, "reversed", meaning="Evidence from the provider.")

TRANSFER: Final = Machine(
    name="transfer",
    initial=("queued", "needs_review", "on_hold"),
    terminal=frozenset({"failed", "canceled", "reversed"}),
    rules={
        ("on_hold", "release"): rule(_F, "queued", "needs_review", meaning="It was approved."),
        ("on_hold", "cancel"): rule(_F, "canceled", meaning="The refund was not approved."),
        ("queued", "send"): rule(_S, "sending", meaning="The provider key is stored; send now."),
        ("queued", "cancel"): rule(_F, "canceled", meaning="Nothing was sent yet."),
        ("queued", "fact"): _FACT,
        ("queued", "put_back"): rule(_S, "queued", meaning="Looked up first: nothing is there."),
        ("queued", "lose"): rule(_S, "unknown", meaning="Looked up first: no answer."),
        ("queued", "give_up"): _GIVE_UP,
        ("sending", "fact"): rule(_S, *_FACTS, meaning="The provider answered."),
        ("sending", "put_back"): rule(_S, "queued", meaning="It certainly did not act."),
        ("sending", "lose"): rule(_S, "unknown", meaning="No answer: it may have acted."),
        ("sending", "give_up"): _GIVE_UP,
        ("unknown", "fact"): rule(_S, *_FACTS, meaning="The provider was asked and answered."),
        ("unknown", "put_back"): rule(_S, "queued", meaning="The provider certainly has nothing."),
        ("unknown", "lose"): rule(_S, "unknown", meaning="Asked again: no answer."),
        ("unknown", "give_up"): rule(_S, "needs_review", meaning="Asked often enough."),
        ("pending", "fact"): _LATER_FACT,
        ("pending", "wait"): rule(_S, "pending", meaning="Asked again: nothing new."),
        ("pending", "give_up"): _GIVE_UP,
        ("requires_action", "fact"): _LATER_FACT,
        ("requires_action", "wait"): rule(
            _S, "requires_action", meaning="Asked again: nothing new."
        ),
        ("requires_action", "give_up"): _GIVE_UP,
        ("succeeded", "fact"): rule(
            _S, "succeeded", "failed", "reversed", "canceled", meaning="Late failure or reversal."
        ),
        ("needs_review", "fact"): _FACT,
        ("needs_review", "retry"): rule(_F, "queued", "unknown", meaning="Look again, then send."),
        ("needs_review", "cancel"): rule(_F, "canceled", meaning="Close it without money."),
    },
    rest=frozenset({"succeeded"}),
    awaits={
        "on_hold": (Actor.FINANCE, "release"),
        "queued": (Actor.SYSTEM, "send"),
        **dict.fromkeys(
            ("sending", "unknown", "pending", "requires_action"), (Actor.SYSTEM, "fact")
        ),
        "needs_review": (Actor.FINANCE, "retry"),
    },
)

HOLDING: Final = frozenset(
    {"on_hold", "queued", "sending", "unknown", "pending", "requires_action", "needs_review"}
)
"""States in which the amount stays reserved on the payment."""

_PRECEDENCE: Final = (
    "needs_review",
    "unknown",
    "sending",
    "requires_action",
    "queued",
    "pending",
    "on_hold",
)

_PRECEDENCE_OF_HELD: Final = (
    "requested",
    *(state for state in _PRECEDENCE if state != "on_hold"),
)
"""What a refund can be while a transfer of it waits for an approval."""

REFUND_STATES: Final = (
    "requested",
    "queued",
    "sending",
    "unknown",
    "pending",
    "requires_action",
    "needs_review",
    "succeeded",
    "partially_succeeded",
    "failed",
    "reversed",
    "canceled",
)


def _persons() -> dict[tuple[str, str], Rule]:
    again = "Look again at what is stuck; send anew, as a new transfer, what did not arrive."
    give_up = "Give up what was never sent and what no payment covers."
    approve = "A second person sets free what waits for one."
    return {
        **{
            (state, "approve"): rule(
                _F, *dict.fromkeys(("queued", "needs_review", state)), meaning=approve
            )
            for state in _PRECEDENCE_OF_HELD
        },
        **{
            (state, "retry"): rule(
                _F,
                "queued",
                "unknown",
                "requires_action",
                "needs_review",
                "requested",
                meaning=again,
            )
            for state in ("needs_review", "partially_succeeded", "failed", "reversed")
        },
        **{
            (state, "cancel"): rule(_F, "canceled", "partially_succeeded", meaning=give_up)
            for state in (
                "requested",
                "queued",
                "needs_review",
                "partially_succeeded",
                "failed",
                "reversed",
            )
        },
    }


REFUND: Final = Machine(
    name="refund",
    initial=("queued", "needs_review", "requested"),
    terminal=frozenset({"canceled"}),
    rules={
        **_persons(),
        **{
            (state, "follow"): rule(
                _S,
                *(other for other in REFUND_STATES if other != state),
                meaning="Its transfers moved.",
            )
            for state in REFUND_STATES
            if state != "canceled"
        },
    },
    rest=frozenset({"succeeded"}),
    awaits={
        "requested": (Actor.FINANCE, "approve"),
        **dict.fromkeys(
            ("queued", "sending", "unknown", "pending", "requires_action"), (Actor.SYSTEM, "follow")
        ),
        **dict.fromkeys(
            ("needs_review", "partially_succeeded", "failed", "reversed"), (Actor.FINANCE, "retry")
        ),
    },
)


def is_settled(state: str, *, given_up: bool) -> bool:
    """Whether nothing more is to come of a refund, unless the provider takes it back."""
    return state in {"succeeded", "canceled"} or (given_up and state == "partially_succeeded")


def refund_state(
    transfers: Iterable[tuple[str, int]], amount_minor: int, *, given_up: bool = False
) -> str:
    """What the buyer and the merchant see, from state and amount of all transfers of the refund.

    The least settled transfer decides while one is open; after that, all or some or none of
    ``amount_minor`` arrived. A refund that no payment covers waits for a person, until finance has
    ``given_up`` what is missing.
    """
    moves = list(transfers)
    states = {state for state, _ in moves}
    undecided = next((state for state in _PRECEDENCE if state in states), None)
    if undecided is not None:
        return "requested" if undecided == "on_hold" else undecided
    arrived = sum(amount for state, amount in moves if state == "succeeded")
    if arrived:
        return "succeeded" if arrived >= amount_minor else "partially_succeeded"
    if given_up:
        return "canceled"
    if not moves:
        return "needs_review"
    return "reversed" if "reversed" in states else "failed"
