"""Money, or new goods, before the old ones are seen: when it is granted, what of it they settle.

Owns the pure decisions: which counters bound an advance, why one is declined, how what came in is
set against what was paid. Refuses to own the counters (``db.caps``), what a return is due
(``settlement``) and what becomes of money that has to come back (``recoveries``).

An advance is no promise: whatever speaks against it, money or goods come at the ordinary moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import local_date
from returns_api.domain.exchanges import EXCHANGE_KIND
from returns_api.domain.refunds import PlannedTransfer
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.terms import AdvanceTerms

BUYER_CAP: Final = "buyer_cap"
SHOP_CAP: Final = "shop_cap"
UNKNOWN_BUYER: Final = "unknown_buyer"
NOT_COVERED: Final = "payments_do_not_cover_it"
NEEDS_APPROVAL: Final = "needs_approval"
DIFFERENCE_DUE: Final = "difference_due"
"""New goods cost more than the old ones count for: what is due is known once those were judged."""
SEVERAL_LINES: Final = "several_lines"
"""The new goods of several lines: they go once the old ones were judged, each by itself."""
DECLINED: Final = (
    SEVERAL_LINES,
    DIFFERENCE_DUE,
    UNKNOWN_BUYER,
    NOT_COVERED,
    NEEDS_APPROVAL,
    BUYER_CAP,
    SHOP_CAP,
)
"""Why an advance was declined, in the order in which it is found out."""

RECOVER_WITHIN: Final = timedelta(days=30)
"""How long goods may take that a policy sets no time for: no advance waits for ever."""
LOOK_AGAIN: Final = timedelta(minutes=15)
"""When an advance is looked at again whose money is still on its way."""
LATER: Final = timedelta(days=1)
"""When an advance is looked at again of whose goods some are here and not judged yet, or whose new
goods were not sent yet."""
NO_DAY: Final = ""

_NOBODY: Final = "shop"
"""The provider of a payment that no connection stands behind."""
_EARLY: Final = frozenset({"refund", EXCHANGE_KIND})
_BEFORE_THE_GOODS: Final = frozenset({"approved", "in_transit"})


@dataclass(frozen=True, slots=True)
class Cap:
    """A counter that bounds advances: what one buyer has out, or what a shop gives in a day."""

    kind: str
    subject: UUID
    day: str
    """The shop's local date, ``YYYY-MM-DD``; empty for a buyer, whose counter runs for ever."""
    cap_minor: int

    @property
    def key(self) -> tuple[str, UUID, str]:
        return self.kind, self.subject, self.day


@dataclass(frozen=True, slots=True)
class AdvanceRecord:
    """An advance as the database has it; amounts in minor units."""

    id: UUID
    order_id: UUID
    return_id: UUID
    refund_id: UUID | None
    """The refund that paid it in money; None where it was declined or given in goods."""
    exchange_id: UUID | None
    """The exchange whose new goods went first."""
    state: str
    reason: str | None
    buyer: UUID | None
    """Whose counter it takes from; see ``buyer_subject``."""
    amount_minor: int
    never_paid_minor: int
    """What of it was given up before the goods were judged: it never reached the buyer."""
    applied_minor: int
    """What of it was set against goods that came."""
    currency: str
    due_at: datetime | None
    created_at: datetime
    settled_at: datetime | None
    sequence: int


def wanted(ret: ReturnRecord, state: str, moment: str) -> AdvanceTerms | None:
    """The terms of the advance that this moment may grant, the return being in ``state`` now."""
    terms = ret.terms.advance
    if terms is None or terms.at != moment or ret.resolution not in _EARLY:
        return None
    if ret.settled_at is not None:
        return None
    return terms if state in _BEFORE_THE_GOODS else None


def buyer_subject(customer_key: bytes | None) -> UUID | None:
    """A buyer as the counters know one: made from the keyed hash, and no way back to it."""
    if customer_key is None:
        return None
    return UUID(bytes=sha256(b"fast_refund_caps\0" + customer_key).digest()[:16])


def caps(
    terms: AdvanceTerms, *, shop: UUID, buyer: UUID | None, at: datetime, zone: ZoneInfo
) -> tuple[Cap, ...]:
    """The counters of one advance, always in this order, so that two never deadlock."""
    found = []
    if terms.per_buyer_minor is not None and buyer is not None:
        found.append(Cap("buyer", buyer, NO_DAY, terms.per_buyer_minor))
    if terms.per_day_minor is not None:
        day = local_date(at, zone).isoformat()
        found.append(Cap("shop_day", shop, day, terms.per_day_minor))
    return tuple(found)


def reached(
    counters: Sequence[Cap], used: Mapping[tuple[str, UUID, str], int], amount_minor: int
) -> str | None:
    """The cap that ``amount_minor`` does not fit under beside what is used; None when it does."""
    for each in counters:
        if used.get(each.key, 0) + amount_minor > each.cap_minor:
            return BUYER_CAP if each.kind == "buyer" else SHOP_CAP
    return None


def covered(transfers: Sequence[PlannedTransfer], amount_minor: int) -> bool:
    """Whether the payments give it all back at once, by a provider that we can call."""
    sent = sum(
        move.amount_minor
        for move in transfers
        if move.state == "queued" and move.payment and move.payment.provider != _NOBODY
    )
    return sent == amount_minor


def recover_at(terms: AdvanceTerms, now: datetime) -> datetime:
    """By when the goods of an advance that is granted now have to be here."""
    within = terms.recover_within_seconds
    return now + (RECOVER_WITHIN if within is None else timedelta(seconds=within))


@dataclass(frozen=True, slots=True)
class Kept:
    """What a buyer still has of an advance, in minor units.

    ``open_minor`` is to be paid back or covered by goods; the others were given up.
    """

    open_minor: int
    written_off_minor: int = 0
    waived_minor: int = 0

    @property
    def total_minor(self) -> int:
        return self.open_minor + self.written_off_minor + self.waived_minor


@dataclass(frozen=True, slots=True)
class Applied:
    """How what the goods are worth is set against what was advanced (minor units).

    ``open_minor`` + ``written_off_minor`` + ``waived_minor`` + ``rest_minor`` is that worth: first
    goes what is open, then what was given up; the rest is refunded like any return.
    """

    open_minor: int
    written_off_minor: int
    waived_minor: int
    rest_minor: int
    short_minor: int
    """What stays open: the goods are worth less than what was advanced."""

    @property
    def total_minor(self) -> int:
        """What is paid by the advance."""
        return self.open_minor + self.written_off_minor + self.waived_minor


def apply(kept: Kept, worth_minor: int) -> Applied:
    """Set goods of this worth against what the buyer keeps of an advance."""
    covered_minor = min(worth_minor, kept.open_minor)
    left = worth_minor - covered_minor
    written_off = min(left, kept.written_off_minor)
    waived = min(left - written_off, kept.waived_minor)
    return Applied(
        open_minor=covered_minor,
        written_off_minor=written_off,
        waived_minor=waived,
        rest_minor=left - written_off - waived,
        short_minor=kept.open_minor - covered_minor,
    )
