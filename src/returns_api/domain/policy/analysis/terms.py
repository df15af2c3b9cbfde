"""Terms that cannot work: alone, or together with what other rules decide in the same case.

Silence that leads nowhere, deadlines without an end, money before goods without a limit, fees above
the refund, amounts that are missing in a currency, promises that contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.boxes import Box
from returns_api.domain.policy.conditions import Range
from returns_api.domain.policy.document import Rule
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.findings import Path
from returns_api.domain.policy.loader import amounts_of
from returns_api.domain.policy.outcome import NEVER
from returns_api.domain.policy.outcome_values import NO_FREIGHT
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.term_values import (
    ApprovalTerm,
    Deadline,
    Grades,
    Methods,
    RefundTiming,
    ReturnShipping,
)
from returns_api.domain.policy.values import Amount
from returns_api.domain.policy.vocabulary import PPM, MethodKind, RefundAt, Severity, StartEvent

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
        _amounts(study, number, rule)
    for pair, problem in _PAIRS.items():
        _pairs(study, pair, problem)
    _fees(study)


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
    limits = {
        "per_buyer": value.per_buyer, "per_day": value.per_day,
        "recover_within": value.recover_within,
    }  # fmt: skip
    if value.at not in _ADVANCE:
        extra = [name for name, found in limits.items() if found is not None]
        if extra:
            _report(
                study, "advance.needless", number, "refund_at",
                f"{extra[0]} in {rule.id} never counts: the refund waits for the goods anyway.",
                "Remove it, or refund at first_scan.", "there is no advance", Severity.WARNING,
            )  # fmt: skip
        return
    missing = [name for name, found in limits.items() if found is None]
    if missing:
        _report(
            study, "advance.unbounded", number, "refund_at",
            f"{rule.id} pays before the goods are seen without {' and '.join(missing)}.",
            "Add per_buyer, per_day and recover_within.", "money goes out without this limit",
        )  # fmt: skip
    if value.otherwise in _ADVANCE:
        _report(
            study, "advance.otherwise", number, "refund_at",
            f"Beyond its limits {rule.id} still pays before the goods are seen.",
            "Write otherwise: inspection.", "the limit has no effect",
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


def _amounts(study: Study, number: int, rule: Rule) -> None:
    """Amounts must be named in every currency of the policy, and in no other."""
    found: list[tuple[str, Amount]] = [
        (term, amount) for term, value in rule.terms().items() for amount in amounts_of(value)
    ]
    for name in ("unit_price", "order_value"):
        asked: Range | None = getattr(rule.when, name)
        bounds = (asked.low, asked.high) if asked else ()
        found += [(f"when.{name}", bound) for bound in bounds if isinstance(bound, Amount)]
    home, currencies = study.document.home_currency, study.document.currency
    for where, amount in found:
        path: Path = ("rules", number, *where.split("."))
        missing = [code for code in currencies if amount.minor(code, home) is None]
        if missing:
            _missing_amount(study, number, rule, where, path, missing[0])
        for code, _ in amount.by_currency:
            if code not in currencies:
                study.report(
                    "amount.other_currency", Severity.WARNING,
                    f"{code} in {rule.id} is no currency of this policy.", path,
                    suggestion=f"Add it: currency: [{', '.join((*currencies, code))}].",
                )  # fmt: skip


def _missing_amount(
    study: Study, number: int, rule: Rule, where: str, path: Path, code: str
) -> None:
    atoms = sum(1 << n for n, atom in enumerate(study.geometry.money.atoms) if atom[0] == code)
    cut = study.geometry.narrow(study.geometry.universe, {"money": atoms})
    part = cut
    if cut is not None and not where.startswith("when."):
        part = study.alive(number, where, cut) or study.deciding(number, where, cut)
    if part is not None:
        study.report(
            "amount.missing", Severity.ERROR, f"{rule.id} names no amount in {code}.", path,
            suggestion=f"Write {{{study.document.home_currency}: 4.90, {code}: …}}.",
            case=study.case(part), shows=f"in {code} the amount counts as none",
        )  # fmt: skip


Problem = tuple[str, Severity, str, str, str]


def _shipping_methods(shipping: ReturnShipping, methods: Methods) -> Problem | None:
    named = {kind for kind, _ in shipping.by_method}
    offered = set(methods.items)
    lacking = offered - named - NO_FREIGHT
    if named and lacking:
        name = sorted(kind.value for kind in lacking)[0]
        return ("shipping.method_without_fee", Severity.WARNING, f"{name} has no fee here.",
                f"Add {name} to return_shipping.", f"{name} costs nothing")  # fmt: skip
    return None


def _keep_refund(methods: Methods, timing: RefundTiming) -> Problem | None:
    if methods.items == (MethodKind.KEEP,) and timing.at is not RefundAt.REQUEST:
        return ("refund.never_due", Severity.ERROR,
                "The buyer keeps the goods, so the refund waits for goods that never come.",
                "Write refund_at: {at: request, …} or another method.",
                "nothing is ever sent back")  # fmt: skip
    return None


def _refund_grades(timing: RefundTiming, grades: Grades) -> Problem | None:
    if timing.at is RefundAt.RECEIPT and any(share != 0 for _, share in grades.items):
        return ("refund.before_inspection", Severity.WARNING,
                "The refund is paid on receipt, before a grade is known; nothing can be deducted.",
                "Write refund_at: inspection, or remove the deductions.",
                "deductions come after the refund")  # fmt: skip
    return None


def _restocking_grades(restocking: int, grades: Grades) -> Problem | None:
    worst = max((share or 0 for _, share in grades.items), default=0)
    if restocking and restocking + worst > PPM:
        return ("fee.above_price", Severity.ERROR,
                "Restocking fee and deduction together take more than the price.",
                "Lower one of them.", "more than 100 % is taken off")  # fmt: skip
    return None


_PAIRS: Final[dict[tuple[str, str], Callable[[Any, Any], Problem | None]]] = {
    ("return_shipping", "methods"): _shipping_methods,
    ("methods", "refund_at"): _keep_refund,
    ("refund_at", "grades"): _refund_grades,
    ("restocking_fee", "grades"): _restocking_grades,
}
"""Pairs of terms that can contradict each other, whichever rules set them."""


def _pairs(
    study: Study, pair: tuple[str, str], problem: Callable[[Any, Any], Problem | None]
) -> None:
    one, two = pair
    for first in study.setters[one]:
        for second in study.setters[two]:
            found = problem(getattr(study.rules[first], one), getattr(study.rules[second], two))
            if found is None:
                continue
            part = study.alive_both({one: first, two: second})
            if part is None:
                continue
            code, severity, message, hint, shows = found
            later = max(first, second)
            term = one if later == first else two
            names = f"{study.rules[first].id} and {study.rules[second].id}"
            where = study.rules[first].id if first == second else names
            study.report(
                code, severity, f"{where}: {message}", ("rules", later, term), suggestion=hint,
                case=study.case(part), shows=shows,
            )  # fmt: skip


def _fees(study: Study) -> None:
    """A fixed fee is more than what comes back for cheap goods."""
    for number in study.setters["return_shipping"]:
        shipping = study.rules[number].return_shipping
        if shipping is None or shipping.free or shipping.own_cost:
            continue
        case = next(_eaten(study, number, shipping), None)
        if case is not None:
            rule = study.rules[number]
            study.report(
                "fee.above_refund", Severity.WARNING,
                f"For cheap goods the fee of {rule.id} is more than the refund.",
                ("rules", number, "return_shipping"),
                suggestion="Add a rule above it for cheap goods: return_shipping: free.",
                case=case, shows="the fee is more than what was paid for the item",
            )  # fmt: skip


def _eaten(study: Study, number: int, shipping: ReturnShipping) -> Iterator[Facts]:
    """Cases where freight and restocking fee take more than the price."""
    home = study.document.home_currency
    amounts = [amount for amount in (shipping.fee, *(a for _, a in shipping.by_method)) if amount]
    restocking = [
        (None, 0),
        *((n, study.rules[n].restocking_fee) for n in study.setters["restocking_fee"]),
    ]
    for rate_rule, rate in restocking:
        for atom in range(len(study.geometry.money.atoms)):
            currency, unit, order = study.geometry.money.lowest(atom)
            fee = max((amount.minor(currency, home) or 0 for amount in amounts), default=0)
            price = max(unit, 1)
            if fee == 0 or price > study.geometry.money.bounds(atom)[2]:
                continue
            if fee * PPM + price * (rate or 0) <= price * PPM:
                continue
            cut = study.geometry.narrow(study.geometry.universe, {"money": 1 << atom})
            deciders = {"return_shipping": number}
            if rate_rule is not None:
                deciders["restocking_fee"] = rate_rule
            part = study.alive_both(deciders, cut) if cut else None
            if part is not None:
                yield study.case(part, unit_paid_minor=price, order_paid_minor=max(order, price))
