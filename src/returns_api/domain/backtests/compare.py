"""One return of the past under two policies: how each line turns, and for how much.

Money is what the buyer would get for the goods, in minor units: paid for the units, less the
deduction of the grade and the restocking fee, plus refunded original shipping, less the fee of the
way back, as ``settlement`` cuts them. A grade is the one that the warehouse gave, else the one that
the buyer claimed. Only a refund moves money.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from returns_api.domain.backtests.history import PastLine, PastReturn
from returns_api.domain.backtests.recorded import Recorded
from returns_api.domain.policy import Policy, Weighed
from returns_api.domain.policy.outcome import Outcome
from returns_api.domain.policy.vocabulary import PPM, Grade, MethodKind, Payer, ResolutionKind

PAIRS_MAX: Final = 16_384
"""Pairs of outcomes whose differences are remembered."""
PARTS: Final = (
    "methods", "freight", "restocking_ppm", "refund_original_shipping", "evidence", "approval",
    "deadlines", "refund_at", "refund_due", "grades", "advance", "exchange_first",
    "insurance", "keep",
)  # fmt: skip
"""What a buyer can notice of an outcome, besides what is open and until when."""


class Turn(StrEnum):
    """What becomes of one line of a past return under the draft."""

    OPENED = "opened"
    """It was refused and would be taken back."""
    CLOSED = "closed"
    """It was taken back and would be refused."""
    KINDER = "kinder"
    """The buyer would get more money."""
    STRICTER = "stricter"
    """The buyer would get less money."""
    REVIEWED = "reviewed"
    """The same money, but a person would look at it first."""
    WAVED_THROUGH = "waved_through"
    """The same money, but nobody would look at it first."""
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Compared:
    """One past return under both policies; ``deltas`` are what each line gains for the buyer.

    What belongs to the whole return (the way back, original shipping) stands with its first line.
    ``changes`` names the parts of each line's outcome that differ, whether or not money moves.
    """

    past: PastReturn
    before: tuple[Weighed, ...]
    after: tuple[Weighed, ...]
    turns: tuple[Turn, ...]
    deltas: tuple[int, ...]
    changes: tuple[tuple[str, ...], ...]

    @property
    def delta_minor(self) -> int:
        return sum(self.deltas)


class Trial:
    """Two policies side by side. It only remembers what it computed.

    Without a policy ``before``, the decisions that the history recorded take its place.
    """

    def __init__(self, before: Policy | None, after: Policy) -> None:
        self.before = before
        self.after = after
        self._recorded = Recorded()
        self._pairs: dict[tuple[int, int], tuple[Outcome, Outcome, tuple[str, ...]]] = {}

    def compare(self, past: PastReturn) -> Compared:
        """Judge a past return by both policies.

        Raises:
            Invalid: without a policy before, a line whose decision was not recorded.
        """
        if self.before is None:
            old = tuple([self._recorded.weighed(line) for line in past.lines])
        else:
            old = tuple([self.before.weigh(line.facts) for line in past.lines])
        new = tuple([self.after.weigh(line.facts) for line in past.lines])
        had, has = _money(past, old), _money(past, new)
        deltas = tuple([b - a for a, b in zip(had, has, strict=True)])
        pairs = list(zip(old, new, strict=True))
        turns = tuple([_turn(past, *pair, d) for pair, d in zip(pairs, deltas, strict=True)])
        return Compared(past, old, new, turns, deltas, tuple([self._differ(*p) for p in pairs]))

    def _differ(self, old: Weighed, new: Weighed) -> tuple[str, ...]:
        """The parts that differ; of two refusals nothing does."""
        if not (old.standing.resolutions or new.standing.resolutions):
            return ()
        parts = self._parts(old.outcome, new.outcome)
        if old.standing.resolutions == new.standing.resolutions:
            return parts
        return ("resolutions", *parts)

    def _parts(self, old: Outcome, new: Outcome) -> tuple[str, ...]:
        key = (id(old), id(new))
        known = self._pairs.get(key)
        if known is None:
            if len(self._pairs) >= PAIRS_MAX:
                self._pairs.clear()
            parts = tuple(name for name in PARTS if getattr(old, name) != getattr(new, name))
            # The outcomes are kept too, so that their ids stay theirs.
            known = self._pairs[key] = (old, new, parts)
        return known[2]


def _turn(past: PastReturn, old: Weighed, new: Weighed, delta: int) -> Turn:
    had, has = granted(past, old), granted(past, new)
    if had != has:
        return Turn.OPENED if has else Turn.CLOSED
    if delta:
        return Turn.KINDER if delta > 0 else Turn.STRICTER
    if had and old.approval.auto != new.approval.auto:
        return Turn.WAVED_THROUGH if new.approval.auto else Turn.REVIEWED
    return Turn.SAME


def granted(past: PastReturn, judged: Weighed) -> bool:
    """Whether the buyer gets what was asked for: a refund, an exchange …"""
    asked = past.resolution
    for one in judged.standing.resolutions:  # noqa: SIM110 - the innermost loop of a history
        if one.kind == asked:
            return True
    return False


def _money(past: PastReturn, judged: Sequence[Weighed]) -> list[int]:
    """What each line gives the buyer; the return's own share is in the first line that is granted.

    Terms are combined as for a quote: the merchant pays the way back as soon as one line says so.
    """
    found = [0] * len(judged)
    if past.resolution != ResolutionKind.REFUND:
        return found
    taken = [n for n, one in enumerate(judged) if granted(past, one)]
    if not taken:
        return found
    outcomes = [judged[n].outcome for n in taken]
    for number, outcome in zip(taken, outcomes, strict=True):
        found[number] = _goods(past.lines[number], outcome)
    shared = 0
    if past.shipping_minor and any(one.refund_original_shipping for one in outcomes):
        shared = past.shipping_minor
    shared -= min(_freight(past, outcomes), sum(found) + shared)
    found[taken[0]] += shared
    return found


def _goods(line: PastLine, outcome: Outcome) -> int:
    """All units of a line: as they were graded, the rest as the buyer claimed."""
    facts = line.facts
    graded = sum(count for _, count in line.found)
    total = sum(_unit(facts.unit_paid_minor, outcome, grade) * count for grade, count in line.found)
    claimed = None if facts.condition is None else Grade(facts.condition)
    return total + _unit(facts.unit_paid_minor, outcome, claimed) * (line.quantity - graded)


def _unit(paid: int, outcome: Outcome, grade: Grade | None) -> int:
    """As ``settlement``: the grade first, then restocking from what it left; rounded per unit."""
    share = 0 if grade is None else outcome.grades.get(grade, 0)
    deduction = paid if share is None else paid * share // PPM
    return paid - deduction - min(paid * outcome.restocking_ppm // PPM, paid - deduction)


def _freight(past: PastReturn, taken: Sequence[Outcome]) -> int:
    fees = [_fee(past, outcome) for outcome in taken]
    return 0 if 0 in fees else max(fees)


def _fee(past: PastReturn, outcome: Outcome) -> int:
    """Of the way that was chosen, or of the first one where it is not offered any more."""
    if outcome.freight.payer is Payer.MERCHANT:
        return 0
    for method in outcome.methods:
        if method.kind == past.method:
            return method.fee_minor
    kept = (m.fee_minor for m in outcome.methods if m.kind is not MethodKind.KEEP)
    return next(kept, outcome.freight.fee_minor)
