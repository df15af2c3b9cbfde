"""Asking a buyer how it went: a check-in after delivery, an invitation to a review after a return.

Owns when either is due, when it waits and when it comes to nothing. Refuses to own what is sent
(``notifications``) and what a case is (``db.cases``). A shop decides whether it asks at all: in
some countries an invitation to a review is advertising that the buyer has to have agreed to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from returns_api.domain.exchanges import IN_GOODS
from returns_api.domain.repair_prices import BY_REPAIR

OBJECT: Final = "invitation"
CHECK_IN: Final = "check_in"
REVIEW: Final = "review"
EVENTS: Final = {CHECK_IN: "check_in", REVIEW: "review_invited"}
"""What is told of the order when the moment of each has come."""
DAYS_MAX: Final = 60
WAIT: Final = timedelta(days=1)
"""While a case is open, it is looked at again so much later."""
TOO_LATE: Final = timedelta(days=30)
"""Later than this after its moment, nobody wants to be asked any more."""
ASKED: Final = frozenset({"order.check_in", "order.review_invited"})
"""Kinds of notifications that are never sent while a case of the order is open."""


class Verdict(StrEnum):
    """What becomes of an invitation whose moment has come."""

    INVITE = "invite"
    WAIT = "wait"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a return came to, and what stands against it; amounts in minor units."""

    state: str
    resolution: str
    expected_minor: int
    refunded_minor: int
    refused: bool
    """A line of it was."""
    disputed: bool
    late: bool
    """Its money was overdue."""
    displeased: bool
    """A complaint about the order escalated, or was rated below what counts as satisfied."""

    @property
    def is_good(self) -> bool:
        """It was completed, nothing of it was refused, late or contested, and the buyer has all
        that was promised."""
        kept = (
            self.resolution in {*IN_GOODS, BY_REPAIR} or self.refunded_minor >= self.expected_minor
        )
        wrong = self.refused or self.disputed or self.late or self.displeased
        return self.state == "completed" and kept and not wrong


def decide(
    first_due: datetime, now: datetime, *, wanted: bool, good: bool, case_open: bool
) -> Verdict:
    """``first_due`` is the moment before anything put it off; ``wanted``: the shop still asks."""
    if not wanted or not good or now > first_due + TOO_LATE:
        return Verdict.DROP
    return Verdict.WAIT if case_open else Verdict.INVITE
