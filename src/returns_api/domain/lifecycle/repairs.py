"""The life of a repair: the same goods again, mended, quoted or given back as they were.

Nothing is repaired that the buyer did not agree to pay for, nothing is paid before the work is
done, and the goods leave once. Every end without a repair gives them back or leaves the return a
stated outcome in money.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_B, _S = (Actor.BUYER,), (Actor.SYSTEM,)
_STAFF = (Actor.AGENT, Actor.ADMIN)
_MONEY = (Actor.FINANCE, Actor.ADMIN)
_QUOTE: Final = "Say what it takes, by the price list; what costs nothing is begun at once."
_GIVE_UP: Final = "It cannot be repaired, or is not worth it; nothing is charged."
_DECLINE: Final = "No repair: take the goods back as they are, or what the policy offers instead."
_OVERDUE: Final = "Nobody acted in time: told once, so that a person looks."
_AGREED: Final = ("quoted", "repairing")
_NOT_REPAIRED: Final = ("unrepairable", "ready")
_DECLINED: Final = ("ready", "awaiting_payment", "converted")

REPAIR: Final = Machine(
    name="repair",
    initial=("awaiting_goods",),
    terminal=frozenset({"completed", "converted", "failed", "lapsed"}),
    rules={
        ("awaiting_goods", "judge"): rule(
            _S, "diagnosing", "failed", meaning="The goods are here: those that came are looked at."
        ),
        ("awaiting_goods", "lapse"): rule(
            _S, "lapsed", meaning="The return ended without goods coming back."
        ),
        ("diagnosing", "quote"): rule(_STAFF, *_AGREED, meaning=_QUOTE),
        ("diagnosing", "give_up"): rule(_STAFF, *_NOT_REPAIRED, meaning=_GIVE_UP),
        ("diagnosing", "escalate"): rule(
            _S,
            "escalated",
            meaning="The repair point did not answer: a person has to look.",
        ),
        ("escalated", "quote"): rule(_STAFF, *_AGREED, meaning=_QUOTE),
        ("escalated", "give_up"): rule(
            (*_STAFF, *_S), *_NOT_REPAIRED, meaning="It cannot be repaired; silence says so, too."
        ),
        ("escalated", "decline"): rule(_B, *_DECLINED, meaning=f"{_DECLINE} It costs nothing."),
        ("quoted", "quote"): rule(_STAFF, *_AGREED, meaning="Quote anew; the old one is over."),
        ("quoted", "accept"): rule(
            _B, "repairing", meaning="Agree to pay what is quoted once the work is done."
        ),
        ("quoted", "decline"): rule(
            (*_B, *_S), *_DECLINED, meaning=f"{_DECLINE} It costs what the quote says for that."
        ),
        ("quoted", "give_up"): rule(_STAFF, *_NOT_REPAIRED, meaning=_GIVE_UP),
        ("repairing", "finish"): rule(
            _STAFF, "ready", "awaiting_payment", meaning="The work is done."
        ),
        ("repairing", "give_up"): rule(_STAFF, *_NOT_REPAIRED, meaning=_GIVE_UP),
        ("repairing", "overdue"): rule(_S, "repairing", meaning=_OVERDUE),
        ("unrepairable", "choose"): rule(
            _B, "ready", "converted", meaning="Take the goods back, or what the policy offers."
        ),
        ("unrepairable", "convert"): rule(
            _S, "converted", meaning="Nobody chose in time: the fallback of the quote holds."
        ),
        ("awaiting_payment", "link"): rule(
            _STAFF, "awaiting_payment", meaning="Say where the buyer can pay."
        ),
        ("awaiting_payment", "pay"): rule(
            _MONEY, "ready", meaning="Take note that the buyer paid what is due."
        ),
        ("awaiting_payment", "waive"): rule(
            _MONEY, "ready", meaning="Give the goods back without payment."
        ),
        ("awaiting_payment", "overdue"): rule(_S, "awaiting_payment", meaning=_OVERDUE),
        ("ready", "ship"): rule(_STAFF, "shipped", meaning="The goods are on their way back."),
        ("ready", "overdue"): rule(_S, "ready", meaning=_OVERDUE),
        ("shipped", "complete"): rule(
            (*_B, *_STAFF, *_S), "completed", meaning="The goods arrived; silence says so, too."
        ),
    },
    awaits={
        "awaiting_goods": (Actor.SYSTEM, "judge"),
        "diagnosing": (Actor.AGENT, "quote"),
        "escalated": (Actor.AGENT, "quote"),
        "quoted": (Actor.BUYER, "accept"),
        "repairing": (Actor.AGENT, "finish"),
        "unrepairable": (Actor.BUYER, "choose"),
        "awaiting_payment": (Actor.FINANCE, "pay"),
        "ready": (Actor.AGENT, "ship"),
        "shipped": (Actor.BUYER, "complete"),
    },
    timers=(
        Timer(
            "diagnosis",
            ("diagnosing",),
            Actor.AGENT,
            ("quote", "give_up"),
            ("escalate",),
            "7 days",
        ),
        Timer(
            "escalation",
            ("escalated",),
            Actor.AGENT,
            ("quote", "give_up"),
            ("give_up",),
            "7 days",
        ),
        Timer(
            "repair_answer",
            ("quoted",),
            Actor.BUYER,
            ("accept", "decline"),
            ("decline",),
            "7 days",
        ),
        Timer(
            "workmanship",
            ("repairing",),
            Actor.AGENT,
            ("finish", "give_up"),
            ("overdue",),
            "21 days",
        ),
        Timer("instead", ("unrepairable",), Actor.BUYER, ("choose",), ("convert",), "7 days"),
        Timer(
            "repair_payment",
            ("awaiting_payment",),
            Actor.FINANCE,
            ("pay", "waive"),
            ("overdue",),
            "14 days",
        ),
        Timer("giving_back", ("ready",), Actor.AGENT, ("ship",), ("overdue",), "7 days"),
        Timer("arrival", ("shipped",), Actor.BUYER, ("complete",), ("complete",), "14 days"),
    ),
)

GOING_BACK: Final = frozenset({"ready", "shipped", "completed"})
"""States in which the goods are the buyer's again: all that was due for them is paid or waived."""
GONE: Final = frozenset({"shipped", "completed"})
"""States in which the goods left: the return is settled, its units are free."""
OPEN_REPAIR: Final = frozenset(REPAIR.states) - REPAIR.terminal - GONE
"""States in which the return is not settled."""
