"""Terms that cannot work alone.

Silence that leads nowhere, deadlines without an end, money before goods without a limit. Refuses to
own what two rules do together (``pairs``) and what money cannot be (``amounts``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from returns_api.domain.policy.analysis import amounts, pairs
from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.boxes import Box
from returns_api.domain.policy.chosen_terms import NEVER
from returns_api.domain.policy.document import Rule
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.term_values import (
    ApprovalTerm,
    Deadline,
    RefundTiming,
)
from returns_api.domain.policy.vocabulary import RefundAt, Severity, StartEvent

_DEADLINES: Final = ("ship_within", "inspect_within", "refund_within")
_ADVANCE: Final = frozenset({RefundAt.REQUEST, RefundAt.FIRST_SCAN})


def check(study: Study) -> None:
    """Report terms that cannot work."""
    for number, rule in enumerate(study.rules):
        for term, value in rule.terms().items():
            single = _SINGLE.get(term)
            if single is not None:
                single(study, number, rule, value)
        _refuses_and_offers(study, number, rule)
    pairs.check(study)
    amounts.check(study)


def _report(
    study: Study, code: str, number: int, term: str, message: str, hint: str, shows: str,
    severity: Severity = Severity.ERROR, cut: Box | None = None,
) -> None:  # fmt: skip
    """Report a term where it decides; a term that never decides is dead and not reported again."""
    part = study.alive(number, term, cut) or study.deciding(number, term, cut)
    if part is not None:
        study.report(
            code, severity, message, ("rules", number, term), suggestion=hint,
            case=study.case(part), shows=shows,
        )  # fmt: skip


def _approval(study: Study, number: int, rule: Rule, value: ApprovalTerm) -> None:
    if value.auto or (value.respond_within and value.on_silence):
        return
    missing = "respond_within" if value.on_silence else "on_silence"
    if not value.respond_within and not value.on_silence:
        missing = "respond_within and on_silence"
    _report(
        study, "approval.silence", number, "approval",
        f"Where nobody answers, {rule.id} leads nowhere: {missing} is missing.",
        "Write {respond_within: 48 hours, on_silence: approve}.",
        "a request that nobody answers waits for ever",
    )  # fmt: skip


def _deadline(term: str) -> Callable[[Study, int, Rule, Any], None]:
    def single(study: Study, number: int, rule: Rule, value: Deadline) -> None:
        if value.seconds is None:
            _report(
                study, "deadline.endless", number, term, f"{term} in {rule.id} never ends.",
                f"Write {term}: 14 days.", f"{term} has no end",
            )  # fmt: skip
        elif value.seconds == 0:
            _report(
                study, "deadline.over", number, term,
                f"{term} in {rule.id} is over before it begins.", f"Write {term}: 14 days.",
                f"{term} is 0",
            )  # fmt: skip

    return single


def _refund_at(study: Study, number: int, rule: Rule, value: RefundTiming) -> None:
    _bounded(study, number, rule, value, "refund_at", ("pays", "money goes"))
    if value.at in _ADVANCE and value.otherwise in _ADVANCE:
        _report(
            study, "advance.otherwise", number, "refund_at",
            f"Beyond its limits {rule.id} still pays before the goods are seen.",
            "Write otherwise: inspection.", "the limit has no effect",
        )  # fmt: skip


def _exchange_at(study: Study, number: int, rule: Rule, value: RefundTiming) -> None:
    _bounded(study, number, rule, value, "exchange_at", ("sends new goods", "goods go"))


def _bounded(
    study: Study, number: int, rule: Rule, value: RefundTiming, term: str, words: tuple[str, str]
) -> None:
    """What goes out before the goods are seen has limits, and nothing else has. ``words`` say what
    the rule does and what goes out."""
    does, goes = words
    limits = {
        "per_buyer": value.per_buyer, "per_day": value.per_day,
        "recover_within": value.recover_within,
    }  # fmt: skip
    if value.at not in _ADVANCE:
        extra = [name for name, found in limits.items() if found is not None]
        if extra:
            _report(
                study, "advance.needless", number, term,
                f"{extra[0]} in {rule.id} never counts: all waits for the goods anyway.",
                "Remove it, or write at: first_scan.", "there is no advance", Severity.WARNING,
            )  # fmt: skip
        return
    missing = [name for name, found in limits.items() if found is None]
    if missing:
        _report(
            study, "advance.unbounded", number, term,
            f"{rule.id} {does} before the goods are seen without {' and '.join(missing)}.",
            "Add per_buyer, per_day and recover_within.", f"{goes} out without this limit",
        )  # fmt: skip


def _starts(study: Study, number: int, rule: Rule, value: Any) -> None:
    events = {item.event for item in value.items}
    if events == {StartEvent.DELIVERED}:
        part = study.alive(number, "starts")
        if part is not None:
            case = study.case(part, delivered_at=None)
            late = replace(case, asked_at=case.asked_at + timedelta(days=3_650))
            study.report(
                "window.never_begins", Severity.WARNING,
                f"Where no delivery scan comes, the windows of {rule.id} never begin, nor end.",
                ("rules", number, "starts"),
                suggestion="Write [delivered, fulfilled + 7 days].",
                case=late, shows="ten years later the return is still open",
            )  # fmt: skip


def _resolutions(study: Study, number: int, rule: Rule, value: Any) -> None:
    """A window that ends on a fixed day is over before later orders are placed."""
    for item in value.items:
        if item.window.until is None or rule.extend_to is not None:
            continue
        after = datetime.combine(item.window.until, time(12), UTC) + timedelta(days=2)
        atom = study.geometry.axes.day.locate(after)
        later = ((1 << study.geometry.axes.day.size) - 1) >> atom << atom
        cut = study.geometry.narrow(study.geometry.universe, {"day": later})
        part = study.alive(number, "resolutions", cut) if cut else None
        if part is not None:
            low = study.geometry.axes.day.bounds(bits(study.geometry.mask(part, "day"))[0])[0]
            placed = max(after, low) if low else after
            days = {"fulfilled_at": 1, "delivered_at": 3, "asked_at": 4}
            times = {name: placed + timedelta(days=n) for name, n in days.items()}
            study.report(
                "window.over_before_order", Severity.WARNING,
                f"{item.kind.value} in {rule.id} ends on {item.window.until} for later orders too.",
                ("rules", number, "resolutions"),
                suggestion="Limit the rule: when: {placed: {until: …}}.",
                case=study.case(part, placed_at=placed, **times),
                shows=f"{item.kind.value} was over when the order was placed",
            )  # fmt: skip
            return


def _extend_to(study: Study, number: int, rule: Rule, value: Any) -> None:
    placed = rule.when.placed
    if placed and placed.first and placed.first > value:
        _report(
            study, "window.extension_over", number, "extend_to",
            f"extend_to in {rule.id} lies before the first order that the rule takes.",
            f"Write a day after {placed.first}.", "the windows are not extended", Severity.WARNING,
        )  # fmt: skip


def _insurance(study: Study, number: int, rule: Rule, value: Any) -> None:
    """Insurance is of use where somewhere in its cases the buyer pays freight."""
    for other in study.setters["return_shipping"]:
        shipping = study.rules[other].return_shipping
        paid = shipping is not None and not shipping.free
        if paid and study.alive_both({"freight_insurance": number, "return_shipping": other}):
            return
    _report(
        study, "insurance.needless", number, "freight_insurance",
        f"Wherever {rule.id} insures freight, the way back is free.",
        "Remove freight_insurance.", "no freight is paid", Severity.WARNING,
    )  # fmt: skip


_SINGLE: Final[dict[str, Callable[[Study, int, Rule, Any], None]]] = {
    "approval": _approval,
    "refund_at": _refund_at,
    "exchange_at": _exchange_at,
    "starts": _starts,
    "resolutions": _resolutions,
    "extend_to": _extend_to,
    "freight_insurance": _insurance,
    **{name: _deadline(name) for name in _DEADLINES},
}


def _refuses_and_offers(study: Study, number: int, rule: Rule) -> None:
    if rule.refuse in {None, NEVER} or rule.resolutions is None:
        return
    part = study.deciding(number, "refuse")
    if part is not None:
        study.report(
            "rule.contradiction", Severity.ERROR,
            f"{rule.id} refuses the return and offers something for it.",
            ("rules", number, "resolutions"), suggestion="Keep refuse or resolutions.",
            case=study.case(part), shows="the return is refused",
        )  # fmt: skip
