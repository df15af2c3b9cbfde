"""What a shop can learn from its returns: the reports, as data.

Owns which reports there are, what each is counted over, their columns with their units, and the
days that a question is about. Refuses to own where the figures come from (``db.report_sources``).

A report is counted over a *source*: figures that add up, by day and by keys. The day is that on
which a return or a complaint was opened or, where what was sold stands beside it, on which its
order was placed; whatever becomes of it later belongs to that same day. Money is never added over
currencies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from returns_api.domain.errors import DoesNotFit, Invalid, NotFound

DAYS_MAX: Final = 3_660
"""The longest time that one question may be about: ten years."""
DAYS_USUAL: Final = 30
ROWS_USUAL: Final = 1_000
ROWS_MAX: Final = 10_000
VOLUME_USUAL: Final = 20
"""Below so many units sold, a rate is chance."""
PPM: Final = 1_000_000
UNITS: Final = ("text", "count", "minor", "seconds", "ppm")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2099


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer; ``unit`` is one of ``UNITS``."""

    name: str
    unit: str
    about: str


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
class Source:
    """Figures by day and keys. ``placed``: by the day of the order, not of the return."""

    name: str
    keys: tuple[Column, ...]
    figures: tuple[Column, ...]
    money: bool = False
    placed: bool = False

    def key(self, name: str) -> int:
        """Where a key stands, from 0."""
        return [column.name for column in self.keys].index(name)

    def figure(self, name: str) -> int:
        """Where a figure stands, from 0."""
        return [column.name for column in self.figures].index(name)


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


_CURRENCY: Final = Column("currency", "text", "ISO 4217; null where there is no money yet.")


def _count(name: str, about: str) -> Column:
    return Column(name, "count", about)


def _text(name: str, about: str) -> Column:
    return Column(name, "text", about)


def _minor(name: str, about: str) -> Column:
    return Column(name, "minor", about)


_LINES: Final = _count("lines", "Return lines.")
_UNITS: Final = _count("units", "Units that were asked to come back.")

REASONS: Final = Source(
    "reasons",
    (
        _text("reason", "Why, as the buyer said."),
        _text("fault", "Whose side the cause lies on."),
        _text("category", "The group of the reason; `custom` for the shop's own."),
    ),
    (
        _LINES,
        _UNITS,
        _count("refused_units", "Units that were refused."),
        _count("received_units", "Units that came back."),
        _count("kept_units", "Units that stayed with the buyer for an offer."),
    ),
)
VARIANTS: Final = Source(
    "variants",
    (
        _text("product", "The product's id at the shop platform, or else its SKU."),
        _text("option", "An option of the variant: size, colour …"),
        _text("value", "Its value."),
        _text("reason", "Why it came back."),
    ),
    (_LINES, _UNITS),
)
ITEMS: Final = Source(
    "items",
    (_text("sku", "What was sold; empty without one."), _text("vendor", "Who supplied it.")),
    (
        _count("sold", "Units ordered and not taken out before dispatch."),
        _count("returned", "Units of them in returns that were neither refused nor given up."),
        _count("quality", "Units of those for a reason of quality."),
    ),
    placed=True,
)
CARRIERS: Final = Source(
    "carriers",
    (_text("carrier", "Who carried the return."), _text("service", "By which service.")),
    (
        _count("parcels", "Return parcels with a label wanted or bought."),
        _count("voided", "Labels given up; what they cost is not counted."),
        _count("delivered", "Parcels that arrived."),
        _count("lost", "Parcels the carrier lost."),
        _count("late", "Parcels that did not come in the time they had."),
        _count("timed", "Parcels with a first and a last scan."),
        Column("transit_seconds", "seconds", "Time between those, all together."),
        _minor("label_cost", "What the labels cost."),
    ),
    money=True,
)
COSTS: Final = Source(
    "costs",
    (
        _text(
            "cost",
            "`label`, `refund` (arrived), `goodwill` (arrived), `fast_refund_loss`; what the buyer"
            " bore is below zero: `grade_deduction`, `restocking_fee`, `return_freight`.",
        ),
    ),
    (_count("times", "How often."), _minor("amount", "How much.")),
    money=True,
)
RECOVERY: Final = Source(
    "recovery",
    (
        _text("disposition", "What becomes of the goods; `undecided` where nobody said."),
        _text("grade", "In which condition they came."),
    ),
    (
        _count("units", "Units that were graded."),
        _minor("value", "Their unit prices when they were sold."),
    ),
    money=True,
)
STEPS: Final = Source(
    "steps",
    (_text("step", "The state of the return that was left again."),),
    (
        _count("returns", "Returns that were in it and are not any more."),
        Column("seconds", "seconds", "Time they spent in it, all together."),
        _count("within_1_day", "Returns that spent at most 24 hours."),
        _count("within_3_days", "At most 72 hours."),
        _count("within_7_days", "At most 168 hours."),
    ),
)
DEADLINES: Final = Source(
    "deadlines",
    (
        _text("object", "What has the deadline: the return, an offer, a dispute."),
        _text("deadline", "Which one."),
        _text("owner", "Who had to act."),
    ),
    (
        _count("begun", "Deadlines that began."),
        _count("kept", "Somebody acted in time."),
        _count("breached", "Nobody did: silence took its course."),
        _count("open", "They run or pause."),
        _count("dropped", "What they were for was over."),
    ),
)
FAST_REFUNDS: Final = Source(
    "fast_refunds",
    (
        _text("state", "Of the advance: `outstanding`, `settled` or `declined`."),
        _text("cause", "Why some had to come back; `none` where nothing had to."),
    ),
    (
        _count("advances", "Returns for which the policy let money go out early."),
        _minor("paid_early", "What went out before the goods were seen."),
        _minor("to_recover", "What of it had to come back."),
        _minor("repaid", "Paid by the buyer."),
        _minor("cleared", "Covered by goods that came later."),
        _minor("lost", "Written off or waived."),
        _minor("open", "Still to come back."),
    ),
    money=True,
)
COMPLAINTS: Final = Source(
    "complaints",
    (_text("category", "What the buyer complained about."),),
    (
        _count("complaints", "Complaints that were opened."),
        _count("under_way", "Not settled yet."),
        _count("escalated", "A promised time passed."),
        _count("reopened", "The buyer came back to them."),
        _count("resolved", "They were answered."),
        Column("seconds", "seconds", "Time until they were answered last, all together."),
        _count("rated", "The buyer said how satisfied they were."),
        _count("score_total", "Those scores (1 to 5), all together."),
        _count("satisfied", "Scores of 4 and 5."),
    ),
)
SOURCES: Final = (
    REASONS,
    VARIANTS,
    ITEMS,
    CARRIERS,
    COSTS,
    RECOVERY,
    STEPS,
    DEADLINES,
    FAST_REFUNDS,
    COMPLAINTS,
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


@dataclass(frozen=True, slots=True)
class Days:
    """From ``first`` up to and without ``until``, in ``whole`` months and single days beside them.

    ``whole`` is (first of the first whole month, first of the month after the last one); both are
    ``until`` where there is none.
    """

    first: date
    until: date
    whole: tuple[date, date]

    @property
    def last(self) -> date:
        return self.until - timedelta(days=1)


def read_date(text: str, field: str) -> date:
    """``2026-11-22``.

    Raises:
        Invalid: it is no day.
        DoesNotFit: one that is too far away.
    """
    problem, refused = "a day as YYYY-MM-DD", Invalid
    try:
        if _DATE.fullmatch(text):
            found = date.fromisoformat(text)
            if _FIRST_YEAR <= found.year <= _LAST_YEAR:
                return found
            problem, refused = f"from {_FIRST_YEAR} to {_LAST_YEAR}", DoesNotFit
    except ValueError:
        pass
    raise refused(
        f"'{field}' should be {problem}.",
        errors=[{"field": field, "in": "query", "problem": problem}],
    )


def asked_days(first: date | None, last: date | None, today: date) -> Days:
    """The days of a question: up to today and thirty of them, if not said otherwise.

    Raises:
        DoesNotFit: it ends before it begins, or is longer than ``DAYS_MAX``.
    """
    last = last or max(today, first or today)
    first = first or last - timedelta(days=DAYS_USUAL - 1)
    until = last + timedelta(days=1)
    if not 0 < (until - first).days <= DAYS_MAX:
        problem = f"from 'from' to 'to' at least one day and at most {DAYS_MAX}"
        raise DoesNotFit(
            f"There should be {problem}.",
            errors=[{"field": "to", "in": "query", "problem": problem}],
        )
    begins = first if first.day == 1 else next_month(first)
    ends = until.replace(day=1)
    return Days(first, until, (begins, ends) if begins < ends else (until, until))


def next_month(day: date) -> date:
    """The first of the month after that of ``day``."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def day_of(moment: datetime, zone: str) -> date:
    """The day of a moment in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The moments (UTC) at which a day begins and ends in a zone; 23 to 25 hours where clocks
    change."""
    begins = (datetime.combine(each, time(), ZoneInfo(zone)) for each in (day, _after(day)))
    since, until = (each.astimezone(UTC) for each in begins)
    return since, until


def _after(day: date) -> date:
    return day + timedelta(days=1)


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
