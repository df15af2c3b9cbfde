"""The life of an advance (money, or new goods, before the old ones are seen) and of a recovery
(what of it is to come back).

An advance is granted or declined once per return, and settled once: when the goods were judged, or
when their time is over. What it paid too much is a recovery from then on. A recovery ends when
nothing of it is open; goods that come after all still count, also against what was given up.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_S = (Actor.SYSTEM,)
_F = (Actor.FINANCE, Actor.ADMIN)

ADVANCE: Final = Machine(
    name="advance",
    initial=("outstanding", "declined"),
    terminal=frozenset({"declined", "settled"}),
    rules={
        ("outstanding", "settle"): rule(
            _S, "settled", meaning="The goods were judged, or their time is over."
        ),
    },
    awaits={"outstanding": (Actor.SYSTEM, "settle")},
)

OPEN: Final = frozenset({"open", "requested", "to_approve"})
"""States of a recovery in which something of it is open."""

_PAY: Final = rule(_F, "paid", "open", "requested", meaning="The shop was paid, with evidence.")
_DEBIT: Final = rule(
    _F, "paid", "open", "requested", meaning="It was taken from the buyer's store credit."
)
_WRITE_OFF: Final = rule(
    _F, "written_off", "open", "requested", "to_approve", meaning="Nobody will pay it."
)
_WAIVE: Final = rule(
    _F, "waived", "open", "requested", "to_approve", meaning="The buyer may keep it."
)
_CLEAR: Final = rule(_S, "cleared", "open", "requested", meaning="The goods came after all.")

RECOVERY: Final = Machine(
    name="recovery",
    initial=("open",),
    terminal=frozenset({"cleared"}),
    rules={
        ("open", "request"): rule(_F, "requested", meaning="Ask the buyer to pay it back."),
        ("open", "pay"): _PAY,
        ("open", "debit"): _DEBIT,
        ("open", "write_off"): _WRITE_OFF,
        ("open", "waive"): _WAIVE,
        ("open", "clear"): _CLEAR,
        ("requested", "pay"): _PAY,
        ("requested", "debit"): _DEBIT,
        ("requested", "write_off"): _WRITE_OFF,
        ("requested", "waive"): _WAIVE,
        ("requested", "lapse"): rule(_S, "open", meaning="It was not paid in time."),
        ("requested", "clear"): _CLEAR,
        ("to_approve", "approve"): rule(
            _F, "written_off", "waived", "open", "requested", meaning="A second person agrees."
        ),
        ("to_approve", "decline"): rule(_F, "open", "requested", meaning="It is not given up."),
        ("to_approve", "pay"): _PAY,
        ("to_approve", "debit"): _DEBIT,
        ("to_approve", "clear"): _CLEAR,
        ("paid", "clear"): rule(_S, "paid", meaning="The goods came after all."),
        ("written_off", "clear"): rule(
            _S, "cleared", "written_off", meaning="The goods came after all."
        ),
        ("waived", "clear"): rule(_S, "cleared", "waived", meaning="The goods came after all."),
    },
    rest=frozenset({"paid", "written_off", "waived"}),
    awaits={
        "open": (Actor.FINANCE, "request"),
        "requested": (Actor.FINANCE, "pay"),
        "to_approve": (Actor.FINANCE, "approve"),
    },
)
