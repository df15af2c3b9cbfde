"""What is due for goods that came back, and what is taken off it, as postings.

One rule for a refund, for a return that goods were given for and for what was advanced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from returns_api.domain.ledger.entries import Posting, by_rule
from returns_api.domain.ledger.subjects import ExchangeRef, RefundRef, ReturnRef

PAID_IN_ADVANCE: Final = "paid_in_advance"
"""The kind of a part that was paid before the goods were seen; its amount is below zero."""

DRAWN_BY_GOODS: Final = "exchanged"
"""The kind of a part that new goods were given for; its amount is below zero. The books have it
since those were given: neither is it owed any more when the return is settled."""


def owed(
    rule: str, about: RefundRef | ExchangeRef | ReturnRef, parts: Sequence[Mapping[str, Any]]
) -> list[Posting | None]:
    """By ``rule`` what is due besides what was given in goods, and what was kept of it or paid
    before.

    ``parts`` are kind and amount (minor units): above zero they are due, below they are taken off.
    """
    due = sum(part["amount"] for part in parts if part["amount"] > 0)
    applied = -sum(part["amount"] for part in parts if part["kind"] == PAID_IN_ADVANCE)
    drawn = -sum(part["amount"] for part in parts if part["kind"] == DRAWN_BY_GOODS)
    kept = -sum(part["amount"] for part in parts if part["amount"] < 0) - applied - drawn
    return [
        by_rule(rule, due - drawn, about.currency, order=about.order_id),
        by_rule("deduction_kept", kept, about.currency, order=about.order_id),
        by_rule("advance_applied", applied, about.currency, order=about.order_id),
    ]
