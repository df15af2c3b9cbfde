"""The life of one movement of money (transfer) and of the refund that a buyer sees.

A timeout is ``unknown``, never ``failed``; ``succeeded`` can still fail or be reversed days later.
The refund's own state is not stored independently: ``refund_state`` derives it from its transfers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_S = (Actor.SYSTEM,)
_F = (Actor.FINANCE, Actor.ADMIN)

_FACTS: Final = ("succeeded", "pending", "requires_action", "failed", "canceled")

TRANSFER: Final = Machine(
    name="transfer",
    initial=("queued", "needs_review", "on_hold"),
    terminal=frozenset({"failed", "canceled", "reversed"}),
    rules={
        ("on_hold", "release"): rule((*_F, *_S), "queued", meaning="The refund was approved."),
        ("on_hold", "cancel"): rule(_F, "canceled", meaning="The refund was not approved."),
        ("queued", "send"): rule(_S, "sending", meaning="The provider key is stored; send now."),
        ("queued", "cancel"): rule(_F, "canceled", meaning="Nothing was sent yet."),
        ("queued", "fact"): rule(_S, *_FACTS, meaning="Evidence from the provider."),
        ("sending", "fact"): rule(_S, *_FACTS, meaning="The provider answered."),
        ("sending", "put_back"): rule(_S, "queued", meaning="It certainly did not act."),
        ("sending", "lose"): rule(_S, "unknown", meaning="No answer: it may have acted."),
        ("sending", "give_up"): rule(_S, "needs_review", meaning="A person must look."),
        ("unknown", "fact"): rule(_S, *_FACTS, meaning="The provider was asked and answered."),
        ("unknown", "put_back"): rule(_S, "queued", meaning="The provider certainly has nothing."),
        ("unknown", "give_up"): rule(_S, "needs_review", meaning="Asked often enough."),
        ("pending", "fact"): rule(_S, *_FACTS, "reversed", meaning="Evidence from the provider."),
        ("requires_action", "fact"): rule(
            _S, *_FACTS, "reversed", meaning="Evidence from the provider."
        ),
        ("succeeded", "fact"): rule(
            _S, "succeeded", "failed", "reversed", "canceled", meaning="Late failure or reversal."
        ),
        ("needs_review", "fact"): rule(_S, *_FACTS, meaning="Evidence from the provider."),
        ("needs_review", "retry"): rule(_F, "queued", "unknown", meaning="Look again, then send."),
        ("needs_review", "cancel"): rule(_F, "canceled", meaning="Close it without money."),
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


def refund_state(transfers: Iterable[str]) -> str:
    """What the buyer and the merchant see, from the states of all transfers of the refund.

    The least settled transfer decides while one is open; after that, all or some or none arrived.
    """
    states = set(transfers)
    for state in _PRECEDENCE:
        if state in states:
            return "requested" if state == "on_hold" else state
    if states == {"succeeded"}:
        return "succeeded"
    if "succeeded" in states:
        return "partially_succeeded"
    for state in ("reversed", "failed"):
        if state in states:
            return state
    return "canceled"
