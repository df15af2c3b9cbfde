"""The life of a return parcel: a label bought once, scans in any order, the money back for a label
that nobody needs."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule

_S = (Actor.SYSTEM,)
_STAFF = (Actor.AGENT, Actor.ADMIN)
_SURFACED = "A purchase surfaced that a paused worker had made."

SHIPMENT: Final = Machine(
    name="shipment",
    initial=("label_due",),
    terminal=frozenset({"returned_to_sender"}),
    rules={
        ("label_due", "buy"): rule(
            _S, "label_ready", "label_failed", "label_due", meaning="Buy the label, once."
        ),
        ("label_due", "void"): rule(
            _S, "voided", "void_due", meaning="Nobody needs it; it may have been bought already."
        ),
        ("label_failed", "retry"): rule(_STAFF, "label_due", meaning="Try the carrier again."),
        ("label_failed", "buy"): rule(_S, "label_ready", meaning=_SURFACED),
        ("label_failed", "void"): rule(
            _S, "voided", "void_due", meaning="Nobody needs it; it may have been bought already."
        ),
        ("label_ready", "announce"): rule(
            _S, "label_ready", meaning="Tell the warehouse what comes and where to."
        ),
        ("label_ready", "void"): rule(_S, "void_due", meaning="Nobody needs the bought label."),
        ("label_ready", "scan"): rule(
            _S, "in_transit", "delivered", "lost", "returned_to_sender", meaning="First scan."
        ),
        ("in_transit", "scan"): rule(
            _S, "in_transit", "delivered", "lost", "returned_to_sender", meaning="A further scan."
        ),
        ("in_transit", "stall"): rule(
            _S, "in_transit", meaning="No scan for long: told once, with a cause."
        ),
        ("lost", "scan"): rule(
            _S,
            "lost",
            "in_transit",
            "delivered",
            "returned_to_sender",
            meaning="A parcel given up shows up again.",
        ),
        ("delivered", "scan"): rule(
            _S, "delivered", "returned_to_sender", meaning="Delivered, and then sent back."
        ),
        ("void_due", "buy"): rule(
            _S, "void_due", meaning="A purchase that was under way came through."
        ),
        ("void_due", "void"): rule(
            _S, "voided", "void_failed", "void_due", meaning="Ask the carrier for the money back."
        ),
        ("void_failed", "retry"): rule(_STAFF, "void_due", meaning="Ask the carrier again."),
        ("void_failed", "buy"): rule(_S, "void_due", meaning=_SURFACED),
        ("voided", "buy"): rule(_S, "void_due", meaning=_SURFACED),
    },
    rest=frozenset({"delivered", "voided"}),
    awaits={
        "label_due": (Actor.SYSTEM, "buy"),
        "label_failed": (Actor.AGENT, "retry"),
        "label_ready": (Actor.SYSTEM, "scan"),
        "in_transit": (Actor.SYSTEM, "scan"),
        "lost": (Actor.SYSTEM, "scan"),
        "void_due": (Actor.SYSTEM, "void"),
        "void_failed": (Actor.AGENT, "retry"),
    },
    timers=(
        Timer(
            "parcel_scan",
            ("in_transit",),
            Actor.SYSTEM,
            ("scan",),
            ("stall",),
            "7 days from the newest scan",
        ),
    ),
)
