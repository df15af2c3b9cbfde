"""Store credit: whose it is, in which order it is used up, and how long it lasts.

An account holds lots: credit of one kind, issued at one time, lasting until one day or for ever.
Every plan takes the lots of a locked account and gives what to take from, or put back into, which.
Lots that expire first are used first, and nothing ever falls below zero. Refuses to own rows
(``db.store_credits``) and postings (``domain.ledger``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import Unit, WorkingDays, add, day_end, local_date
from returns_api.domain.errors import DoesNotFit, NotEnoughCredit
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.store_credits import LOT

KINDS: Final = ("refund", "goodwill", "bonus")
"""What a lot is: owed money, or one of two kinds of present."""
GRANTED: Final = frozenset({"goodwill", "bonus"})
"""Kinds that were not owed: what expires of them is the shop's goodwill again."""
MOVES: Final = ("issued", "bonus", "spent", "given_back", "expired", "recovered")
"""What happens to an account."""
TAKING: Final = frozenset({"spent", "expired", "recovered"})
HOLDERS: Final = ("customer", "email", "order", "nobody")
"""How the holder is known: by a keyed hash of the platform's customer or of an e-mail address, by
an order alone where neither is known, and not any more once the person was erased."""

OWED_LASTS_MIN: Final = 1827
"""Days that owed credit lasts at least: five years, the term that 15 U.S.C. 1693l-1(c)(2)(A) sets
for money paid for a stored value, which is longer than the limitation periods of the EU's states
with a lawful shorter one (three years to the end of the year in Germany, BGB 195, 199)."""
PAST_ITS_DAY: Final = 30
"""Days that credit lasts which comes back after its last day: a canceled purchase costs none."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CreditTerms:
    """A shop's terms: days that credit lasts (None: for ever), and gateways paid back as credit."""

    owed_lasts_days: int | None = None
    granted_lasts_days: int | None = None
    gateways: tuple[str, ...] = ()
    """Gateways without a payment account, such as ``gift_card``: what goes back along them becomes
    store credit."""

    @staticmethod
    def of(stored: Mapping[str, Any]) -> CreditTerms:
        """From a shop's settings; what they do not name has its default."""
        known = {f.name: stored[f.name] for f in fields(CreditTerms) if f.name in stored}
        return CreditTerms(**{**known, "gateways": tuple(known.get("gateways", ()))})

    def expiry(self, kind: str, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The first instant after the last local day of credit issued now; None for no end."""
        days = self.granted_lasts_days if kind in GRANTED else self.owed_lasts_days
        return None if days is None else end_of_day(now, days, zone)


def end_of_day(now: datetime, days: int, zone: ZoneInfo) -> datetime | None:
    """The first instant after the local day that lies so many days ahead."""
    day = add(local_date(now, zone), days, Unit.DAYS, WorkingDays())
    end = None if day is None else day_end(day, zone)
    return None if end is None else end.over


@dataclass(frozen=True, slots=True)
class Lot:
    """Credit that was issued at one time. ``remaining_minor`` is what is left of it."""

    id: UUID
    kind: str
    state: str
    amount_minor: int
    remaining_minor: int
    expires_at: datetime | None

    def over(self, now: datetime) -> bool:
        """Whether its last day is past, swept or not."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Draw:
    """An amount above zero taken from (or given back to) a lot, and the state that follows."""

    lot: Lot
    amount_minor: int
    state: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What an earlier purchase took from a lot, less what came back since."""

    lot: Lot
    left_minor: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What goes back into lots, and what needs a new lot since its own is past its day."""

    draws: tuple[Draw, ...]
    returned: tuple[tuple[UUID, int], ...]
    """Lot and amount of everything that comes back, wherever it goes."""
    fresh: tuple[tuple[str, int], ...]
    """Kind and amount of each new lot."""

    @property
    def amount_minor(self) -> int:
        return sum(amount for _, amount in self.returned)


def balance(lots: Sequence[Lot], now: datetime) -> int:
    """What can be spent now."""
    return sum(lot.remaining_minor for lot in lots if not lot.over(now))


def plan_spend(
    lots: Sequence[Lot], amount_minor: int, actor: Actor, now: datetime
) -> tuple[Draw, ...]:
    """Take exactly ``amount_minor``, from what expires first.

    Raises:
        NotEnoughCredit: there is less; names the balance.
    """
    left = balance(lots, now)
    if amount_minor > left:
        raise NotEnoughCredit(
            f"{left} is left of this store credit, not {amount_minor} (minor units).",
            requested=amount_minor,
            balance=left,
        )
    return _take(lots, amount_minor, "spend", actor, now)


def plan_recovery(
    lots: Sequence[Lot], amount_minor: int, actor: Actor, now: datetime
) -> tuple[Draw, ...]:
    """Take as much of ``amount_minor`` as there is; the caller owes the rest elsewhere."""
    return _take(lots, min(amount_minor, balance(lots, now)), "recover", actor, now)


def plan_expiry(lots: Sequence[Lot], now: datetime) -> tuple[Draw, ...]:
    """Everything that is left of lots whose last day is past, lot by lot."""
    return tuple(
        Draw(lot, lot.remaining_minor, LOT.step(lot.state, "expire", Actor.SYSTEM))
        for lot in _in_order(lots)
        if lot.remaining_minor and lot.over(now)
    )


def plan_give_back(
    taken: Sequence[Taken], amount_minor: int | None, actor: Actor, now: datetime
) -> GivenBack:
    """Undo a purchase, wholly (None) or in part: what lasts longest comes back first.

    Credit whose last day passed meanwhile comes back as a new lot of its kind.

    Raises:
        DoesNotFit: less is left of the purchase, or nothing.
    """
    left = sum(each.left_minor for each in taken)
    wanted = left if amount_minor is None else amount_minor
    if not 0 < wanted <= left:
        detail = f"{left} of this purchase can come back, not {wanted} (minor units)."
        raise DoesNotFit(detail, errors=[{"field": "amount", "problem": detail}])
    draws, returned, fresh = [], [], []
    by_lot = {each.lot.id: each.left_minor for each in taken}
    for lot in reversed(_in_order([each.lot for each in taken])):
        back = min(wanted, by_lot[lot.id])
        wanted -= back
        if back:
            returned.append((lot.id, back))
        if back and (lot.over(now) or lot.state in LOT.terminal):
            fresh.append((lot.kind, back))
        elif back:
            draws.append(Draw(lot, back, LOT.step(lot.state, "give_back", actor)))
    return GivenBack(tuple(draws), tuple(returned), tuple(fresh))


def bonus(amount_minor: int, bonus_ppm: int) -> int:
    """What the policy adds for taking store credit, rounded in the buyer's favour."""
    return -(-amount_minor * bonus_ppm // 1_000_000)


def _take(
    lots: Sequence[Lot], amount_minor: int, action: str, actor: Actor, now: datetime
) -> tuple[Draw, ...]:
    draws = []
    for lot in _in_order(lots):
        taken = 0 if lot.over(now) else min(amount_minor, lot.remaining_minor)
        if taken:
            to = "used" if taken == lot.remaining_minor else "open"
            draws.append(Draw(lot, taken, LOT.step(lot.state, action, actor, to=to)))
            amount_minor -= taken
    return tuple(draws)


def _in_order(lots: Sequence[Lot]) -> list[Lot]:
    """What expires first comes first, what never does last; of equal ones the oldest."""
    return sorted(lots, key=lambda lot: (lot.expires_at or _NEVER, lot.id))
