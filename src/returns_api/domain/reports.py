"""What a shop can learn from its returns: the reports, as data.

Owns which reports there are, by which keys of a source each tells its rows apart, and what is made
of the figures when they are added up. Refuses to own the sources (``report_sources``), the days of
a question (``report_days``) and where the figures come from (``db.report_sources``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from returns_api.domain.errors import DoesNotFit, NotFound
from returns_api.domain.report_sources import (
    CARRIERS,
    COMPLAINTS,
    COSTS,
    DEADLINES,
    FAST_REFUNDS,
    ITEMS,
    REASONS,
    RECOVERY,
    STEPS,
    VARIANTS,
    Column,
    Source,
)

ROWS_USUAL: Final = 1_000
ROWS_MAX: Final = 10_000
VOLUME_USUAL: Final = 20
"""Below so many units sold, a rate is chance."""
PPM: Final = 1_000_000
_CURRENCY: Final = Column("currency", "text", "ISO 4217; null where there is no money yet.")


@dataclass(frozen=True, slots=True)
class Ratio:
    """A column that is made of two figures when they are added up: parts per million of ``of``, or
    seconds for each of them. Null where there is none of ``of``."""

    column: Column
    part: str
    of: str

    def value(self, figures: Mapping[str, int]) -> int | None:
        """Rounded down."""
        whole = figures[self.of]
        if not whole:
            return None
        return figures[self.part] * (PPM if self.column.unit == "ppm" else 1) // whole


@dataclass(frozen=True, slots=True)
class Report:
    """One report: some keys of a source, all its figures, and what is made of them."""

    name: str
    about: str
    source: Source
    keys: tuple[str, ...]
    first: str
    """The column by which rows are ordered, the highest first."""
    ratios: tuple[Ratio, ...] = ()
    volume: str | None = None
    """The figure that has to reach ``min_volume``, where a rate needs one."""

    def columns(self, group: str | None) -> tuple[Column, ...]:
        """Those of an answer, in their order."""
        keys = [key for key in self.source.keys if key.name in self.grouped(group)]
        money = (_CURRENCY,) if self.source.money else ()
        return (*keys, *money, *self.source.figures, *(each.column for each in self.ratios))

    def grouped(self, group: str | None) -> tuple[str, ...]:
        """The keys that rows are told apart by. Raises ``DoesNotFit`` for one it does not have."""
        if group is None:
            return self.keys
        if group in self.keys:
            return (group,)
        known = ", ".join(self.keys)
        problem = f"one of: {known}"
        raise DoesNotFit(
            f"This report has no key '{group}'; it has: {known}.",
            errors=[{"field": "group", "in": "query", "problem": problem}],
        )


_RATES: Final = (
    Ratio(Column("return_rate", "ppm", "Returned of sold."), "returned", "sold"),
    Ratio(Column("quality_rate", "ppm", "For quality, of sold."), "quality", "sold"),
)


def _report(name: str, about: str, source: Source, first: str, *ratios: Ratio) -> Report:
    return Report(name, about, source, tuple(c.name for c in source.keys), first, ratios)


_LIST: Final = (
    _report("reasons", "Why goods come back.", REASONS, "units"),
    Report(
        "skus",
        "Return rates of what was sold, the highest first.",
        ITEMS,
        ("sku", "vendor"),
        "return_rate",
        _RATES,
        "sold",
    ),
    Report(
        "vendors",
        "Return rates by supplier, the highest first.",
        ITEMS,
        ("vendor",),
        "return_rate",
        _RATES,
        "sold",
    ),
    _report("variants", "Which sizes, colours … come back, and why.", VARIANTS, "units"),
    _report(
        "carriers",
        "Return parcels by carrier: cost, time and loss.",
        CARRIERS,
        "parcels",
        Ratio(
            Column("mean_transit_seconds", "seconds", "From the first scan to delivery."),
            "transit_seconds",
            "timed",
        ),
    ),
    _report("costs", "What returns cost, and what buyers bore of it.", COSTS, "amount"),
    _report("recovery", "What becomes of the goods and what they were worth.", RECOVERY, "value"),
    _report(
        "steps",
        "How long returns stay in each state.",
        STEPS,
        "seconds",
        Ratio(Column("mean_seconds", "seconds", "For each return."), "seconds", "returns"),
    ),
    _report(
        "deadlines",
        "Deadlines kept and breached, by who had to act.",
        DEADLINES,
        "breached",
        Ratio(Column("breach_rate", "ppm", "Breached of begun."), "breached", "begun"),
    ),
    _report(
        "fast-refunds",
        "Money that went out before the goods were seen, and what of it was lost.",
        FAST_REFUNDS,
        "lost",
        Ratio(Column("loss_rate", "ppm", "Lost of paid early."), "lost", "paid_early"),
    ),
    _report(
        "complaints",
        "Complaints: promises broken, time until answered, how satisfied buyers were.",
        COMPLAINTS,
        "complaints",
        Ratio(Column("breach_rate", "ppm", "Escalated of opened."), "escalated", "complaints"),
        Ratio(Column("mean_seconds", "seconds", "Until answered."), "seconds", "resolved"),
        Ratio(Column("satisfied_rate", "ppm", "Satisfied of rated."), "satisfied", "rated"),
    ),
)
REPORTS: Final[Mapping[str, Report]] = MappingProxyType({each.name: each for each in _LIST})
"""By name, in the order of the list."""


def known(name: str) -> Report:
    """Raises ``NotFound``."""
    found = REPORTS.get(name)
    if found is None:
        raise NotFound(f"There is no such report; there are: {', '.join(REPORTS)}.")
    return found


def shown(report: Report, group: str | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """One row of an answer: keys, currency, figures and ratios under their columns' names.

    ``row`` has ``keys`` and ``figures`` as lists and ``currency`` (empty for none).
    """
    figures = dict(
        zip((column.name for column in report.source.figures), row["figures"], strict=True)
    )
    money = {"currency": row["currency"] or None} if report.source.money else {}
    return {
        **dict(zip(report.grouped(group), row["keys"], strict=True)),
        **money,
        **figures,
        **{each.column.name: each.value(figures) for each in report.ratios},
    }
