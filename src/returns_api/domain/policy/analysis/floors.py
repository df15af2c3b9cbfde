"""Where a rule gives less than the law: what the buyer gets instead, with a case.

A finding here does not stop anything, as the law is applied in any case; it tells the merchant what
the document will not achieve. Rights that only bind a shop which did not inform the buyer, and
those without a number, are left out: no document can meet them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from returns_api.domain.calendars import Unit
from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.boxes import Box
from returns_api.domain.policy.chosen_terms import NEVER
from returns_api.domain.policy.document import Rule
from returns_api.domain.policy.law import Right
from returns_api.domain.policy.merge import JOINS, all_grades
from returns_api.domain.policy.term_values import DEFAULT_STARTS, Grades, Window
from returns_api.domain.policy.vocabulary import RefundAt, Severity, StartEvent

_ORDER: Final = {event: number for number, event in enumerate(RefundAt)}
_DAYS: Final = {
    Unit.DAYS: 1,
    Unit.BUSINESS_DAYS: 1,
    Unit.WEEKS: 7,
    Unit.MONTHS: 28,
    Unit.YEARS: 365,
}
_MOST: Final = {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 31, Unit.YEARS: 366}


def check(study: Study) -> None:
    """Report each term of a rule that is below a right in some case, once per rule and term."""
    binding = [
        (n, right)
        for n, right in enumerate(study.policy.rights)
        if right.when.informed is not False and not right.judgement
    ]
    for number, rule in enumerate(study.rules):
        for term in ("refuse", *JOINS, "resolutions", "refund_within"):
            if getattr(rule, term) is None or (rule.refuse == NEVER and term == "refuse"):
                continue
            below = list(_below(study, number, rule, term, binding))
            if below:
                _report(study, number, rule, term, below)


def _below(
    study: Study, number: int, rule: Rule, term: str, binding: list[tuple[int, Right]]
) -> Iterator[tuple[Right, Box]]:
    for position, right in binding:
        if not _is_below(study, number, rule, term, right):
            continue
        for cut in study.right_boxes[position]:
            part = study.deciding(number, term, cut)
            if term not in {"refuse", "resolutions"} and part is not None:
                part = study.alive(number, term, cut)
            if part is not None:
                yield right, part
                break


def _is_below(study: Study, number: int, rule: Rule, term: str, right: Right) -> bool:
    value = getattr(rule, term)
    if term == "refuse":
        return right.resolutions is not None
    if term == "resolutions":
        return _shorter(study, rule, right)
    if term == "refund_within":
        return _paid_later(study, number, rule, right)
    demanded: Any = getattr(right, term)
    if demanded is None:
        return False
    if term == "grades":
        value = Grades(tuple(all_grades(value).items()))
    return bool(JOINS[term](value, demanded) != value)


def _shorter(study: Study, rule: Rule, right: Right) -> bool:
    """Whether a granted resolution is missing or surely ends earlier than the right's own."""
    if right.resolutions is None or rule.resolutions is None:
        return False
    ours = {item.kind: item.window for item in rule.resolutions.items}
    granted_from = (right.starts or DEFAULT_STARTS).items[0].event
    starts = (rule.starts or _last_starts(study)).items[0].event
    early = starts is not StartEvent.DELIVERED and granted_from is StartEvent.DELIVERED
    for item in right.resolutions.items:
        window = ours.get(item.kind)
        if window is None:
            return True
        if not _lasts(window, item.window) or (early and window.period is not None):
            return True
    return False


def _last_starts(study: Study) -> Any:
    found = [rule.starts for rule in study.rules if rule.starts is not None]
    return found[-1] if found else DEFAULT_STARTS


def _lasts(ours: Window, floor: Window) -> bool:
    """Whether ``ours`` surely is as long as ``floor`` when both begin on the same day."""
    if ours.period is None:
        return True  # no end, or a fixed day, which is looked at elsewhere
    if floor.period is None:
        return False
    if ours.period.unit is floor.period.unit:
        return ours.period.amount >= floor.period.amount
    least = ours.period.amount * _DAYS[ours.period.unit]
    return least >= floor.period.amount * _MOST[floor.period.unit]


def _paid_later(study: Study, number: int, rule: Rule, right: Right) -> bool:
    """Whether the merchant's promise surely ends after the law's, whatever happens when."""
    due = right.refund_due
    if due is None or rule.refund_within is None or rule.refund_within.seconds is None:
        return False
    timing = rule.refund_at
    if timing is None:
        deciding = [study.rules[n].refund_at for n in study.setters["refund_at"] if n >= number]
        timing = deciding[-1] if deciding else None
    if timing is None:
        return False
    bound = due.not_before or due.after
    return _ORDER[timing.at] >= _ORDER[bound] and rule.refund_within.seconds > due.within.seconds


def _report(
    study: Study, number: int, rule: Rule, term: str, below: list[tuple[Right, Box]]
) -> None:
    right, part = below[0]
    ids = ", ".join(dict.fromkeys(found.id for found, _ in below))
    what = "refuses" if term == "refuse" else f"sets {term} below"
    study.report(
        "law.below_floor", Severity.WARNING,
        f"{rule.id} {what} what the law gives ({ids}); buyers there get the law's.",
        ("rules", number, term),
        suggestion=_suggestion(term, right),
        case=study.case(part), shows=f"{right.id} holds instead",
    )  # fmt: skip


def _suggestion(term: str, right: Right) -> str:
    if term == "refuse":
        places = right.when.place.values if right.when.place else ()
        return f"Limit the rule to other places{f' than {places[0]}' if places else ''}."
    demanded: Any = right.refund_due if term == "refund_within" else getattr(right, term)
    written = demanded.written() if hasattr(demanded, "written") else demanded
    return f"The law: {written}."
