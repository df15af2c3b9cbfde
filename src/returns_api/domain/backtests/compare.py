"""One return of the past under two policies: how each line turns, and for how much.

Money is what the buyer would get for the goods as claimed, in minor units: paid for the units, less
the deduction of the claimed condition and the restocking fee, plus refunded original shipping, less
the fee of the way back, as ``settlement`` cuts them. Only a refund moves money.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from returns_api.domain.backtests.history import PastLine, PastReturn
from returns_api.domain.policy import Decision, Policy
from returns_api.domain.policy.vocabulary import PPM, Grade, MethodKind, Payer, ResolutionKind


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
    """

    past: PastReturn
    before: tuple[Decision, ...]
    after: tuple[Decision, ...]
    turns: tuple[Turn, ...]
    deltas: tuple[int, ...]

    @property
    def delta_minor(self) -> int:
        return sum(self.deltas)


def compare(past: PastReturn, before: Policy, after: Policy) -> Compared:
    """Judge a past return by both policies."""
    old = tuple(before.decide(line.facts) for line in past.lines)
    new = tuple(after.decide(line.facts) for line in past.lines)
    old_money, new_money = _money(past, old), _money(past, new)
    deltas = tuple(b - a for a, b in zip(old_money, new_money, strict=True))
    turns = tuple(_turn(past, a, b, delta) for a, b, delta in zip(old, new, deltas, strict=True))
    return Compared(past, old, new, turns, deltas)


def _turn(past: PastReturn, old: Decision, new: Decision, delta: int) -> Turn:
    had, has = granted(past, old), granted(past, new)
    if had != has:
        return Turn.OPENED if has else Turn.CLOSED
    if delta:
        return Turn.KINDER if delta > 0 else Turn.STRICTER
    if had and old.approval.auto != new.approval.auto:
        return Turn.WAVED_THROUGH if new.approval.auto else Turn.REVIEWED
    return Turn.SAME


def granted(past: PastReturn, decision: Decision) -> bool:
    """Whether the buyer gets what was asked for: a refund, an exchange …"""
    return any(one.kind.value == past.resolution for one in decision.resolutions)


def _money(past: PastReturn, decisions: Sequence[Decision]) -> list[int]:
    """What each line gives the buyer; the return's own share is in the first line that is granted.

    Terms are combined as for a quote: the merchant pays the way back as soon as one line says so.
    """
    yes = [granted(past, decision) for decision in decisions]
    if past.resolution != ResolutionKind.REFUND.value or not any(yes):
        return [0] * len(decisions)
    found = [
        _goods(line, decision) if is_granted else 0
        for line, decision, is_granted in zip(past.lines, decisions, yes, strict=True)
    ]
    taken = [one for one, is_granted in zip(decisions, yes, strict=True) if is_granted]
    shared = 0
    if any(decision.refund_original_shipping for decision in taken):
        shared += past.shipping_minor
    shared -= min(_freight(past, taken), sum(found) + shared)
    found[yes.index(True)] += shared
    return found


def _goods(line: PastLine, decision: Decision) -> int:
    """As ``settlement``: the grade first, then restocking from what it left; rounded per unit."""
    paid = line.facts.unit_paid_minor
    share: int | None = 0
    if line.facts.condition is not None:
        share = decision.grades.get(Grade(line.facts.condition), 0)
    graded = paid if share is None else paid * share // PPM
    restocking = min(paid * decision.restocking_ppm // PPM, paid - graded)
    return (paid - graded - restocking) * line.quantity


def _freight(past: PastReturn, taken: Sequence[Decision]) -> int:
    fees = [_fee(past, decision) for decision in taken]
    return 0 if 0 in fees else max(fees)


def _fee(past: PastReturn, decision: Decision) -> int:
    """Of the way that was chosen, or of the first one where it is not offered any more."""
    if decision.freight.payer is Payer.MERCHANT:
        return 0
    for method in decision.methods:
        if method.kind.value == past.method:
            return method.fee_minor
    kept = (m.fee_minor for m in decision.methods if m.kind is not MethodKind.KEEP)
    return next(kept, decision.freight.fee_minor)
