"""The life of a courier's visit: booked once, until the parcel is scanned; missed, booked anew."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_S = (Actor.SYSTEM,)
_ANY = (Actor.BUYER, Actor.AGENT, Actor.ADMIN)
_REBOOK: Final = "Choose another time; the missed one ends."
_LAPSE: Final = "Nobody chose another time."

PICKUP: Final = Machine(
    name="pickup",
    initial=("booking",),
    terminal=frozenset({"collected", "canceled", "rebooked", "lapsed"}),
    rules={
        ("booking", "book"): rule(
            _S, "booked", "failed", meaning="Book the chosen time at the carrier, once."
        ),
        ("booked", "collect"): rule(_S, "collected", meaning="The parcel was scanned."),
        ("booked", "cancel"): rule(
            (*_ANY, *_S), "canceling", meaning="Call the courier off, or the return ended."
        ),
        ("booked", "miss"): rule((*_ANY, *_S), "missed", meaning="Nobody came for the parcel."),
        ("canceling", "end"): rule(
            _S, "canceled", "booked", meaning="The carrier called it off, or it is too late."
        ),
        ("canceling", "collect"): rule(_S, "collected", meaning="The courier was quicker."),
        ("missed", "rebook"): rule(_ANY, "rebooked", meaning=_REBOOK),
        ("missed", "collect"): rule(_S, "collected", meaning="The parcel was scanned after all."),
        ("missed", "lapse"): rule(_S, "lapsed", meaning=_LAPSE),
        ("failed", "rebook"): rule(_ANY, "rebooked", meaning=_REBOOK),
        ("failed", "lapse"): rule(_S, "lapsed", meaning=_LAPSE),
    },
    awaits={
        "booking": (Actor.SYSTEM, "book"),
        "booked": (Actor.SYSTEM, "collect"),
        "canceling": (Actor.SYSTEM, "end"),
        "missed": (Actor.BUYER, "rebook"),
        "failed": (Actor.BUYER, "rebook"),
    },
    timers=(
        Timer(
            "pickup_scan",
            ("booked",),
            Actor.SYSTEM,
            ("collect",),
            ("miss",),
            "24 hours after the chosen time",
        ),
        Timer(
            "pickup_rebook",
            ("missed", "failed"),
            Actor.BUYER,
            ("rebook",),
            ("lapse",),
            "7 days",
        ),
    ),
)

STANDING: Final = ("booking", "booked", "canceling", "missed", "failed")
"""States of which a return has at most one pickup."""
