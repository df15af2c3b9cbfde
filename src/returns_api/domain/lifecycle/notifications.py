"""The life of a notification: one message about one transition, on one channel.

What was accepted by the buyer's mail server is never sent again; what the shop or the buyer does
not want, or what nobody can be told any more, ends without being sent.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_S: Final = (Actor.SYSTEM,)

NOTIFICATION: Final = Machine(
    name="notification",
    initial=("queued",),
    terminal=frozenset({"sent", "failed", "suppressed"}),
    rules={
        ("queued", "send"): rule(_S, "sending", meaning="The try is counted; send now."),
        ("queued", "give_up"): rule(_S, "failed", meaning="All tries were used."),
        ("queued", "suppress"): rule(_S, "suppressed", meaning="The buyer was erased."),
        ("sending", "send"): rule(
            _S, "sending", meaning="Whoever held it fell silent: another try, counted too."
        ),
        ("sending", "accept"): rule(_S, "sent", meaning="The buyer's server took it."),
        ("sending", "put_back"): rule(
            _S, "queued", meaning="It could not be sent now, or its time was put off: later."
        ),
        ("sending", "give_up"): rule(
            _S, "failed", meaning="It was refused for good, or all tries were used."
        ),
        ("sending", "suppress"): rule(
            _S, "suppressed", meaning="Not wanted, no address, or nothing to tell any more."
        ),
    },
    awaits={"queued": (Actor.SYSTEM, "send"), "sending": (Actor.SYSTEM, "accept")},
)
