"""Four eyes: what one person may pay out alone, and what a second one approves.

Owns the limits, which counters a request draws on, and what an approval is bound to. Refuses to own
the counters (``db.allowances``), the refund itself (``refunds``) and who may approve (``access``).

What was asked counts, whatever becomes of it: a refund that is canceled gives nothing back to the
day's allowance, or asking and canceling would be a way around it. What a second person approves
counts against nobody's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import local_date

OTHER_CURRENCY: Final = "other_currency"
"""Why a refund waits that no limit can be compared with: its money is not the shop's."""
NO_DAY: Final = ""


@dataclass(frozen=True, slots=True)
class RefundLimits:
    """What one person may refund without a second one, in minor units of the shop's currency.

    None sets no limit, 0 lets nothing pass alone. The defaults let finance act alone and agents
    only propose.
    """

    agent_per_order: int | None = 0
    agent_per_day: int | None = 0
    finance_per_order: int | None = None
    finance_per_day: int | None = None
    shop_per_day: int | None = None
    return_above: int | None = None
    """A return's refund above this waits, too, although the certificate computed it."""
    write_off_above: int | None = None
    """What of one recovery may be written off or waived without a second person, all together."""

    @staticmethod
    def of(stored: Mapping[str, int | None]) -> RefundLimits:
        """From a shop's settings; what they do not name has its default."""
        return RefundLimits(**{f.name: stored[f.name] for f in fields(RefundLimits)
                               if f.name in stored})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Allowance:
    """One counter that a request draws on: an order, a person's day, or the shop's day."""

    name: str
    """The limit's name, told when it is exceeded."""
    kind: str
    subject: UUID
    day: str
    """The shop's local date, ``YYYY-MM-DD``; empty where the counter runs for ever."""
    limit: int

    @property
    def key(self) -> tuple[str, UUID, str]:
        return self.kind, self.subject, self.day


@dataclass(frozen=True, slots=True)
class Asked:
    """A person's request. ``shop``, ``order`` and ``person`` are ids."""

    shop: UUID
    order: UUID
    person: UUID
    is_agent: bool
    at: datetime
    zone: ZoneInfo


def allowances(limits: RefundLimits, asked: Asked) -> tuple[Allowance, ...]:
    """The counters of a request, always in the same order, so that two requests never deadlock."""
    day = local_date(asked.at, asked.zone).isoformat()
    group = "agent" if asked.is_agent else "finance"
    wanted = (
        (f"{group}_per_order", "order", asked.order, NO_DAY),
        (f"{group}_per_day", "person", asked.person, day),
        ("shop_per_day", "shop", asked.shop, day),
    )
    found = ((*each, getattr(limits, each[0])) for each in wanted)
    return tuple(Allowance(*each) for each in found if each[-1] is not None)


def exceeded(
    counters: Sequence[Allowance], spent: Mapping[tuple[str, UUID, str], int], amount_minor: int
) -> str | None:
    """The first limit that ``amount_minor`` does not fit into beside what was spent; or None."""
    return next(
        (each.name for each in counters if spent.get(each.key, 0) + amount_minor > each.limit), None
    )


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a part of the money goes: along a payment or to store credit, in minor units."""

    transfer: UUID
    to: UUID
    amount_minor: int


def binding(amount_minor: int, currency: str, destinations: Iterable[Destination]) -> str:
    """What an approver saw, as SHA-256 in hex: amount, currency and every destination.

    Any other amount, currency, payment or split has another binding, so an approval of one is
    never an approval of the other.
    """
    lines = [f"{amount_minor} {currency}"]
    lines += sorted(f"{each.transfer} {each.to} {each.amount_minor}" for each in destinations)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
