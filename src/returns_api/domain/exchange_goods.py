"""What judged goods make of an exchange, and how the new ones reach the buyer; pure.

Owns the balance of price and credit: what the new goods draw, what the buyer owes, what is left
over. Refuses to own what the returned goods count for (``settlement``) and the books.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from returns_api.domain.errors import unfit
from returns_api.domain.exchanges import (
    NOT_COVERED,
    NOTHING_PASSED,
    ExchangeChange,
    ExchangeRecord,
    moved,
)
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Actor


@dataclass(frozen=True, slots=True)
class Judged:
    """What the goods came to: the unit numbers that passed, and what they count for together.

    ``uncovered_minor`` is what of it the order's payments do not hold any more.
    """

    units: Sequence[int]
    credit_minor: int
    uncovered_minor: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Price and credit of an exchange set against each other; one of ``due`` and ``rest`` is 0."""

    drawn_minor: int
    due_minor: int
    rest_minor: int


def balance(before: ExchangeRecord, judged: Judged) -> Balance:
    """What the new goods draw on what came back, what the buyer owes and what is left over."""
    if before.free:
        return Balance(0, 0, 0)
    assert before.unit_price_minor is not None, "no goods are waited for before they have a price"
    price = before.unit_price_minor * len(judged.units)
    drawn = min(price, judged.credit_minor)
    return Balance(drawn, price - drawn, judged.credit_minor - drawn)


def plan_first(before: ExchangeRecord, units: Sequence[int], now: datetime) -> ExchangeChange:
    """The new goods go before the old ones, those of ``units``, are seen; they cost no more than
    these count for."""
    EXCHANGE.require(before.state, "advance", Actor.SYSTEM)
    assert before.unit_price_minor is not None, "only goods with a price go first"
    found = Balance(before.unit_price_minor * len(units), 0, 0)
    values = {"units": list(units), "in_advance": True}
    return _released(before, "advance", Actor.SYSTEM, now, found, values)


def plan_recall(before: ExchangeRecord, now: datetime) -> ExchangeChange:
    """Goods that went first were not sent, and nothing is to be given any more: the return ended,
    or nothing came that earns them. Nothing is drawn or owed."""
    assert before.in_advance, "other goods are released when their return is settled"
    values = {"in_advance": False, "units": None, "drawn_minor": 0}
    return moved(before, "recall", Actor.SYSTEM, "exchange.recalled", now, values=values)


def plan_judge(before: ExchangeRecord, judged: Judged, now: datetime) -> ExchangeChange:
    """The goods were judged: release, wait for the difference, or come to nothing.

    A unit that did not pass earns no new one. What was paid back elsewhere meanwhile is not given a
    second time, and what is left of it goes the way of the accepted quote: it is not the shop that
    has no goods.
    """
    EXCHANGE.require(before.state, "judge", Actor.SYSTEM)
    since = NOTHING_PASSED if not judged.units else NOT_COVERED if judged.uncovered_minor else None
    if since is not None:
        return moved(
            before,
            "judge",
            Actor.SYSTEM,
            "exchange.failed",
            now,
            "failed",
            {"outcome": before.fallback, "failed_since": since},
            {"because": since, "outcome": before.fallback},
        )
    found = balance(before, judged)
    values: dict[str, Any] = {
        "units": list(judged.units),
        "credit_minor": None if before.free else judged.credit_minor,
        "due_minor": found.due_minor,
    }
    if not found.due_minor:
        return _released(before, "judge", Actor.SYSTEM, now, found, values)
    event, data = "exchange.payment_due", {"due": found.due_minor}
    return moved(before, "judge", Actor.SYSTEM, event, now, "awaiting_payment", values, data)


def plan_pay(
    before: ExchangeRecord,
    actor: Actor,
    now: datetime,
    judged: Judged,
    amount_minor: int,
    reference: str,
) -> ExchangeChange:
    """The buyer paid the difference: all of it, and no more.

    Raises:
        ActionNotAllowed: nothing is due, or not for this caller.
        DoesNotFit: another amount is due.
    """
    EXCHANGE.require(before.state, "pay", actor)
    if amount_minor != before.due_minor:
        raise unfit("amount", f"{before.due_minor} is due, in one payment (minor units).")
    values = {"paid_minor": amount_minor, "payment_reference": reference}
    return _released(before, "pay", actor, now, balance(before, judged), values)


def _released(
    before: ExchangeRecord,
    action: str,
    actor: Actor,
    now: datetime,
    found: Balance,
    values: Mapping[str, Any],
) -> ExchangeChange:
    """The goods are the buyer's: the shop is told what to send."""
    every = {**values, "drawn_minor": found.drawn_minor}
    units = every.get("units", before.units)
    data = {"quantity": len(units or ()), "in_advance": every.get("in_advance", False)}
    return moved(before, action, actor, "exchange.released", now, "released", every, data)


def plan_ship(
    before: ExchangeRecord, actor: Actor, now: datetime, carrier: str | None, tracking: str | None
) -> ExchangeChange:
    """The goods are on their way. The event is for ever, so it does not say where to follow them.
    Raises ``ActionNotAllowed``."""
    values = {"carrier": carrier, "tracking": tracking}
    data = {"carrier": carrier}
    return moved(before, "ship", actor, "exchange.shipped", now, values=values, data=data)


def plan_complete(before: ExchangeRecord, actor: Actor, now: datetime) -> ExchangeChange:
    """The goods arrived. Raises ``ActionNotAllowed``."""
    return moved(before, "complete", actor, "exchange.completed", now)
