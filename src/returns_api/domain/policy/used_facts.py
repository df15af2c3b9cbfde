"""Which facts the conditions of a rule look at: what a decision tells with each term."""

from __future__ import annotations

from typing import Final

from returns_api.domain.policy.document import When

_FACTS_OF: Final = {
    "reason": ("reason",),
    "fault": ("reason",),
    "condition": ("condition",),
    "goods": ("sku", "category", "vendor", "tags"),
    "tags": ("tags",),
    "sku": ("sku",),
    "category": ("category",),
    "vendor": ("vendor",),
    "unit_price": ("unit_paid_minor",),
    "order_value": ("order_paid_minor",),
    "place": ("country", "region"),
    "channel": ("channel",),
    "tier": ("buyer",),
    "placed": ("placed_at",),
    "discounted": ("discounted",),
    "rollout": ("rollout_ppm",),
    "informed": ("informed",),
}


def facts_of(when: When) -> tuple[str, ...]:
    """The facts that the conditions of a rule look at."""
    found: dict[str, None] = {}
    for name, facts in _FACTS_OF.items():
        if getattr(when, name, None) is not None:
            found.update(dict.fromkeys(facts))
    return tuple(found)
