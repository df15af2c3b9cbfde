"""Signals that nobody can have, and those that everybody has.

Each signal is a box of histories; all that hold are a buyer's, so none hides another one.
"""

from __future__ import annotations

from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.document import SignalRule
from returns_api.domain.policy.signals import parts_of
from returns_api.domain.policy.vocabulary import PPM, Severity

_SHARE = "return_rate_ppm"


def check(study: Study) -> None:
    """Report signals whose conditions exclude each other, say nothing, or know no currency."""
    document = study.document
    for number, rule in enumerate(document.review.when if document.review else ()):
        named = {each: parts_of(rule, each, document.home_currency) for each in document.currency}
        for currency, parts in named.items():
            if parts is None:
                _unknown(study, number, rule, currency)
        parts = named[document.home_currency]
        if parts == ():
            study.report(
                "signal.everybody", Severity.WARNING,
                f"Every buyer has the signal {rule.signal}: nothing is approved by itself.",
                ("review", "when", number),
                suggestion="Say what it looks at: returns_30_days: {min: 10}.",
            )  # fmt: skip
        elif parts and any(
            low > high or (name == _SHARE and low > PPM) for name, low, high in parts
        ):
            study.report(
                "signal.unreachable", Severity.ERROR,
                f"No buyer can have the signal {rule.signal}.", ("review", "when", number),
                suggestion="Its conditions exclude each other; change one.",
            )  # fmt: skip


def _unknown(study: Study, number: int, rule: SignalRule, currency: str) -> None:
    study.report(
        "signal.no_amount", Severity.WARNING,
        f"{rule.signal} names no amount in {currency}: nobody has it there.",
        ("review", "when", number, "returned_value_30_days"),
        suggestion=f"Add the amount in {currency}.",
    )  # fmt: skip
