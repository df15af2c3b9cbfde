"""The life of a dispute: evidence of both sides, a ruling by the platform, one appeal.

Money moves when a ruling is final, and only then: nothing has to be fetched back after an appeal.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_S, _P = (Actor.SYSTEM,), (Actor.PLATFORM,)
_SIDES = (Actor.BUYER, Actor.AGENT, Actor.ADMIN)
_SAY: Final = "Put the own side's evidence forward."
_WITHDRAW: Final = "Give the dispute up; what the merchant decided stands."
_FINAL: Final = "The ruling stands; what it awards goes out once."

DISPUTE: Final = Machine(
    name="dispute",
    initial=("evidence",),
    terminal=frozenset({"final", "withdrawn"}),
    rules={
        ("evidence", "add_evidence"): rule(_SIDES, "evidence", meaning=_SAY),
        ("evidence", "begin_review"): rule(
            _P, "review", meaning="Close the evidence early.", when="both_heard"
        ),
        ("evidence", "close_evidence"): rule(
            _S, "review", meaning="The time for evidence is over."
        ),
        ("evidence", "withdraw"): rule((Actor.BUYER,), "withdrawn", meaning=_WITHDRAW),
        ("review", "rule"): rule(_P, "ruled", meaning="Award an amount to the buyer, or nothing."),
        ("review", "withdraw"): rule((Actor.BUYER,), "withdrawn", meaning=_WITHDRAW),
        ("review", "overdue"): rule(
            _S, "review", meaning="Nobody ruled in time: told once, so that a person looks."
        ),
        ("ruled", "appeal"): rule(_SIDES, "appealed", meaning="Ask for a second ruling, once."),
        ("ruled", "finalize"): rule(_S, "final", meaning=f"Nobody appealed. {_FINAL}"),
        ("appealed", "add_evidence"): rule(_SIDES, "appealed", meaning=_SAY),
        ("appealed", "rule"): rule(
            _P, "final", meaning=f"Rule for the last time. {_FINAL}", when="ruled_by_another"
        ),
        ("appealed", "finalize"): rule(
            _S, "final", meaning=f"Nobody ruled on the appeal: the first one stands. {_FINAL}"
        ),
    },
    awaits={
        "evidence": (Actor.AGENT, "add_evidence"),
        "review": (Actor.PLATFORM, "rule"),
        "ruled": (Actor.SYSTEM, "finalize"),
        "appealed": (Actor.PLATFORM, "rule"),
    },
    timers=(
        Timer(
            "evidence",
            ("evidence",),
            Actor.AGENT,
            ("add_evidence",),
            ("close_evidence",),
            "7 days, for both",
        ),
        Timer("ruling", ("review",), Actor.PLATFORM, ("rule",), ("overdue",), "14 days"),
        Timer("appeal", ("ruled",), Actor.BUYER, ("appeal",), ("finalize",), "7 days, for both"),
        Timer("appeal_ruling", ("appealed",), Actor.PLATFORM, ("rule",), ("finalize",), "30 days"),
    ),
    conditions={
        "both_heard": "both sides put evidence forward",
        "ruled_by_another": "somebody else made the first ruling",
    },
)
