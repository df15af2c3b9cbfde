"""A decision in the making, and what may be shared by those of the same times.

Owns what a comparison of cases needs. Refuses to own the record (``decisions``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from returns_api.domain.policy.decisions import Approval, Because
from returns_api.domain.policy.offers import Grants, Standing
from returns_api.domain.policy.outcome import Outcome
from returns_api.domain.reasons import Fault


@dataclass(frozen=True, slots=True)
class Weighed:
    """A decision in the making: cheaper than a ``Decision`` and enough to compare cases."""

    outcome: Outcome
    standing: Standing
    fault: Fault
    tier: str

    @property
    def eligible(self) -> bool:
        """Whether anything is open to the buyer."""
        return bool(self.standing.resolutions)

    @property
    def approval(self) -> Approval:
        """Who says yes."""
        outcome = self.outcome
        return outcome.judged_approval if self.standing.by_judgement else outcome.approval

    @property
    def because(self) -> tuple[Because, ...]:
        """One reason for the outcome after the other."""
        return (*self.standing.because, *self.outcome.remarks)


@dataclass(slots=True)
class Dates:
    """What follows from the times of one case: the local days of events, and open grants."""

    days: dict[str, date] = field(default_factory=dict)
    grants: dict[int, tuple[Grants, int]] = field(default_factory=dict)

    def asked_otherwise(self) -> Dates:
        """For the same case asked for at another time."""
        return Dates(self.days)
