"""What reports are counted over: sources, with their keys, their figures and the units of both.

A *source* is figures that add up, by day and by keys. The day is that on which a return or a
complaint was opened or, where what was sold stands beside it, on which its order was placed;
whatever becomes of it later belongs to that same day. Money is never added over currencies.

Refuses to own which reports are made of them (``reports``) and where the figures come from
(``db.report_sources``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNITS: Final = ("text", "count", "minor", "seconds", "ppm")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer; ``unit`` is one of ``UNITS``."""

    name: str
    unit: str
    about: str


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
        _count("advances", "Returns for which the policy let money, or new goods, go out early."),
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
