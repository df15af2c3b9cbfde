"""Amounts that cannot be: missing in a currency, in a foreign one, or above what comes back.

Owns the checks on money in a document. Refuses to own how amounts are read (``values``).
"""

from __future__ import annotations

from collections.abc import Iterator

from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.conditions import Range
from returns_api.domain.policy.document import Rule
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.findings import Path
from returns_api.domain.policy.loader import amounts_of
from returns_api.domain.policy.term_values import (
    ReturnShipping,
)
from returns_api.domain.policy.values import Amount
from returns_api.domain.policy.vocabulary import PPM, Severity


def check(study: Study) -> None:
    """Report amounts that cannot be meant."""
    for number, rule in enumerate(study.rules):
        _amounts(study, number, rule)
    _fees(study)


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
