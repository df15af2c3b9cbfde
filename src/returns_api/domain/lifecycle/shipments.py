"""The life of a return parcel: a label bought once, then scans in any order."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_S = (Actor.SYSTEM,)
_STAFF = (Actor.AGENT, Actor.ADMIN)

SHIPMENT: Final = Machine(
    name="shipment",
    initial=("label_due",),
    terminal=frozenset({"delivered", "lost", "voided", "returned_to_sender"}),
    rules={
        ("label_due", "buy"): rule(
            _S, "label_ready", "label_failed", "label_due", meaning="Buy the label, once."
        ),
        ("label_due", "void"): rule(_S, "voided", meaning="The return ended before a label."),
        ("label_failed", "retry"): rule(_STAFF, "label_due", meaning="Try the carrier again."),
        ("label_failed", "void"): rule(_S, "voided", meaning="The return ended without a label."),
        ("label_ready", "void"): rule(_S, "voided", meaning="Ask the carrier for the money back."),
        ("label_ready", "scan"): rule(
            _S, "in_transit", "delivered", "lost", "returned_to_sender", meaning="First scan."
        ),
        ("in_transit", "scan"): rule(
            _S, "in_transit", "delivered", "lost", "returned_to_sender", meaning="A further scan."
        ),
        ("lost", "scan"): rule(
            _S, "lost", "in_transit", "delivered", meaning="A parcel given up shows up again."
        ),
    },
)
