"""Exchange and replacement as facts: which goods, at what price, for which goods.

Owns the facts of an exchange, its kinds and its deadlines. Refuses to own what follows from answers
(``exchange_answers``) and from judged goods (``exchange_goods``), what returned goods count for
(``settlement``), whether a policy offers an exchange (``quotes``), the books and the rows. States
move only through ``lifecycle.exchanges``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain.lifecycle.deadlines import Clockwork, Deadline
from returns_api.domain.lifecycle.exchanges import EXCHANGE, OPEN_EXCHANGE, RELEASED
from returns_api.domain.lifecycle.machine import Actor

EXCHANGE_KIND: Final = "exchange"
REPLACEMENT: Final = "replacement"
IN_GOODS: Final = frozenset({EXCHANGE_KIND, REPLACEMENT})
"""Resolutions by which the buyer gets goods; money only for a difference, or if none come."""
REFUND: Final = "refund"
STORE_CREDIT: Final = "store_credit"
IN_MONEY: Final = (REFUND, STORE_CREDIT)
"""What an exchange that comes to nothing is settled as."""
GOODS_KINDS: Final = ("variant", "upgrade")
WITH_GIFT: Final = "refund_and_gift"
"""The refund and, for the disappointment, store credit as goodwill."""
ALTERNATIVES_MAX: Final = 20
NOTHING_PASSED: Final = "no_unit_passed_inspection"
NOT_COVERED: Final = "payments_do_not_cover_it"
FAILED_SINCE: Final = (NOTHING_PASSED, NOT_COVERED)
"""Why an exchange came to nothing although the goods came."""

_CLOCK: Final = Clockwork(
    EXCHANGE,
    {
        "stock_answer": timedelta(days=3),
        "alternative": timedelta(days=7),
        "price_answer": timedelta(days=7),
        "difference": timedelta(days=7),
        "dispatch": timedelta(days=7),
        "arrival": timedelta(days=14),
    },
    runs_on=frozenset({"link", "overdue"}),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The goods that the buyer wants; the shop knows them by its variant, its SKU or both."""

    variant: str | None
    sku: str | None


@dataclass(frozen=True, slots=True)
class Alternative:
    """Something else that a shop has. ``unit_price_minor`` only for goods of an exchange,
    ``gift_minor`` (above zero) only with a gift."""

    kind: str
    variant: str | None = None
    sku: str | None = None
    title: str | None = None
    unit_price_minor: int | None = None
    gift_minor: int | None = None


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """The exchange of one line of a return as the database has it; amounts in minor units of
    ``currency``.

    ``expected_minor`` is what the goods of that line count for by the accepted quote,
    ``credit_minor`` what they counted for when they were judged, for the unit numbers in ``units``.
    """

    id: UUID
    return_id: UUID
    order_id: UUID
    return_line_id: UUID
    kind: str
    state: str
    fallback: str
    quantity: int
    currency: str
    expected_minor: int
    variant: str | None
    sku: str | None
    title: str | None
    unit_price_minor: int | None
    alternatives: Sequence[Mapping[str, Any]]
    payment_url: str | None
    units: Sequence[int] | None
    credit_minor: int | None
    due_minor: int | None
    drawn_minor: int
    paid_minor: int
    payment_reference: str | None
    refund_id: UUID | None
    in_advance: bool
    """The goods went before the old ones were seen: those are set against them (``advances``)."""
    gift_drawn_minor: int
    """The highest gift that the shop's people offered, counted against what they may promise."""
    gift_minor: int | None
    """The gift of the alternative that the buyer took; given once goods came back."""
    gift_refund_id: UUID | None
    """The goodwill that gave it."""
    outcome: str | None
    failed_since: str | None
    carrier: str | None
    tracking: str | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    order_external: str
    order_number: str
    line_external: str
    deadlines: tuple[Deadline, ...]

    @property
    def is_open(self) -> bool:
        """Whether neither goods nor money are decided yet."""
        return self.state in OPEN_EXCHANGE

    @property
    def given(self) -> bool:
        """Whether its goods are the buyer's."""
        return self.state in RELEASED

    @property
    def unsent(self) -> bool:
        """Whether its goods went first, and can still be kept here."""
        return self.in_advance and self.state == "released"

    @property
    def ended_in_money(self) -> bool:
        """Whether it is decided, and not in goods."""
        return not self.is_open and not self.given

    @property
    def free(self) -> bool:
        """A replacement costs nothing, whatever the goods are worth."""
        return self.kind == REPLACEMENT

    def difference_minor(self) -> int | None:
        """What the buyer owes (above zero) or gets back, as far as it is known; None without a
        price."""
        if self.free:
            return 0
        if self.unit_price_minor is None:
            return None
        count = self.quantity if self.units is None else len(self.units)
        credit = self.expected_minor if self.credit_minor is None else self.credit_minor
        return self.unit_price_minor * count - credit


@dataclass(frozen=True, slots=True)
class ExchangeChange:
    """One transition, saved where the exchange still has ``before``'s sequence."""

    before: ExchangeRecord
    state: str
    event: str
    deadlines: tuple[Deadline, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the event says besides."""


def opening(kind: str, now: datetime) -> tuple[str, tuple[Deadline, ...]]:
    """State and first deadline: the stock of a replacement is presumed until the shop says."""
    if kind == REPLACEMENT:
        return "awaiting_goods", ()
    return "requested", _CLOCK.begun("requested", now)


def moved(
    before: ExchangeRecord,
    action: str,
    actor: Actor,
    event: str,
    now: datetime,
    to: str | None = None,
    values: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> ExchangeChange:
    """One transition and the deadline that it begins. Raises ``ActionNotAllowed``."""
    state, deadlines = _CLOCK.step(before.state, before.deadlines, action, actor, now, to)
    return ExchangeChange(before, state, event, deadlines, values or {}, data or {})
