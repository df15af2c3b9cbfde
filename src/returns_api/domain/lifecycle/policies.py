"""The life of a policy version: written, checked, published from a date, retired."""

from __future__ import annotations

from typing import Final

from returns_api.domain.lifecycle.machine import Actor, Machine, rule

_OWNERS = (Actor.ADMIN, Actor.SYSTEM)
_PUBLISH = "Let it judge orders from a date on; checked again first, and kept back by an error."

POLICY: Final = Machine(
    name="policy version",
    initial=("draft",),
    terminal=frozenset({"retired"}),
    rules={
        ("draft", "edit"): rule(_OWNERS, "draft", meaning="Put another text into it."),
        ("draft", "check"): rule(_OWNERS, "checked", meaning="Keep what the checker says."),
        ("draft", "publish"): rule(_OWNERS, "published", "checked", meaning=_PUBLISH),
        ("checked", "edit"): rule(_OWNERS, "draft", meaning="Another text is another draft."),
        ("checked", "check"): rule(_OWNERS, "checked", meaning="Check it under the law of today."),
        ("checked", "publish"): rule(_OWNERS, "published", "checked", meaning=_PUBLISH),
        ("published", "retire"): rule(
            _OWNERS, "retired", meaning="It judges no order that is placed from now on."
        ),
    },
    rest=frozenset({"published"}),
    awaits={"draft": (Actor.ADMIN, "check"), "checked": (Actor.ADMIN, "publish")},
)
