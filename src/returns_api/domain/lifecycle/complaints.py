"""The life of a complaint: a promised time, progress, an answer, and how the buyer found it.

A promise that passed escalates by itself; what was answered is asked about, and closes when nobody
comes back to it.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_B, _S = (Actor.BUYER,), (Actor.SYSTEM,)
_STAFF: Final = (Actor.AGENT, Actor.ADMIN)
_EITHER: Final = (Actor.BUYER, Actor.AGENT, Actor.ADMIN)
"""Staff write down what a buyer tells them on the telephone."""

_PROGRESS: Final = "Tell the buyer what is being done; the promise stays as it is."
_ASK: Final = rule(
    _STAFF, "waiting", meaning="Ask the buyer something; the clock of the promise stands still."
)
_RESOLVE: Final = rule(
    _STAFF, "resolved", meaning="Answer the complaint; the buyer may come back to it for a while."
)
_WITHDRAW: Final = rule(_B, "withdrawn", meaning="Give the complaint up.")
_ESCALATE: Final = rule(
    _S, "escalated", meaning="The promised time passed: whoever leads the shop has to look."
)
_RATE: Final = rule(_B, "rated", meaning="Say how satisfied the buyer is, once.")

COMPLAINT: Final = Machine(
    name="complaint",
    initial=("open",),
    terminal=frozenset({"withdrawn", "rated", "unrated"}),
    rules={
        ("open", "progress"): rule(_STAFF, "in_progress", meaning=_PROGRESS),
        ("open", "ask"): _ASK,
        ("open", "resolve"): _RESOLVE,
        ("open", "withdraw"): _WITHDRAW,
        ("open", "escalate"): _ESCALATE,
        ("in_progress", "progress"): rule(_STAFF, "in_progress", meaning=_PROGRESS),
        ("in_progress", "ask"): _ASK,
        ("in_progress", "resolve"): _RESOLVE,
        ("in_progress", "withdraw"): _WITHDRAW,
        ("in_progress", "escalate"): _ESCALATE,
        ("waiting", "answer"): rule(
            _EITHER, "in_progress", meaning="Answer the question; the clock runs on."
        ),
        ("waiting", "resolve"): _RESOLVE,
        ("waiting", "withdraw"): _WITHDRAW,
        ("waiting", "lapse"): rule(_S, "closed", meaning="The buyer did not answer in time."),
        ("escalated", "progress"): rule(_STAFF, "escalated", meaning=_PROGRESS),
        ("escalated", "resolve"): _RESOLVE,
        ("escalated", "withdraw"): _WITHDRAW,
        ("escalated", "overdue"): rule(
            _S, "escalated", meaning="Nobody looked: told once more, so that a person does."
        ),
        ("resolved", "reopen"): rule(
            _EITHER, "in_progress", meaning="It is not settled: a new promise begins."
        ),
        ("resolved", "rate"): _RATE,
        ("resolved", "close"): rule(_S, "closed", meaning="Nobody came back to it."),
        ("closed", "rate"): _RATE,
        ("closed", "let_be"): rule(_S, "unrated", meaning="The buyer did not say."),
    },
    awaits={
        "open": (Actor.AGENT, "progress"),
        "in_progress": (Actor.AGENT, "resolve"),
        "waiting": (Actor.BUYER, "answer"),
        "escalated": (Actor.ADMIN, "resolve"),
        "resolved": (Actor.BUYER, "rate"),
        "closed": (Actor.BUYER, "rate"),
    },
    timers=(
        Timer(
            "complaint_promise",
            ("open", "in_progress"),
            Actor.AGENT,
            ("resolve",),
            ("escalate",),
            "3 business days, or what the shop says",
            paused_in=("waiting",),
        ),
        Timer(
            "complaint_escalation",
            ("escalated",),
            Actor.ADMIN,
            ("resolve",),
            ("overdue",),
            "2 business days",
        ),
        Timer("complaint_answer", ("waiting",), Actor.BUYER, ("answer",), ("lapse",), "14 days"),
        Timer(
            "complaint_follow_up",
            ("resolved",),
            Actor.BUYER,
            ("reopen", "rate"),
            ("close",),
            "7 days",
        ),
        Timer("complaint_rating", ("closed",), Actor.BUYER, ("rate",), ("let_be",), "30 days"),
    ),
)
