"""What shop and buyer answer about the goods of an exchange, and what their silence means; pure.

The price is the shop's word, never the storefront's. What the shop leaves open ends in a refund,
what the buyer leaves open as the accepted quote says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from returns_api.domain.errors import unfit
from returns_api.domain.exchange_goods import plan_complete
from returns_api.domain.exchanges import (
    GOODS_KINDS,
    IN_MONEY,
    REFUND,
    WITH_GIFT,
    Alternative,
    ExchangeChange,
    ExchangeRecord,
    moved,
)
from returns_api.domain.lifecycle.deadlines import Deadline, next_due, passed
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Actor


def plan_in_stock(
    before: ExchangeRecord,
    actor: Actor,
    now: datetime,
    *,
    unit_price_minor: int | None,
    title: str | None,
    payment_url: str | None,
) -> ExchangeChange:
    """The wanted goods are there. Above what the goods count for, the buyer has to agree first.

    Raises:
        ActionNotAllowed: the shop is not asked.
        DoesNotFit: the price was told already, is missing, or is told of a replacement.
    """
    rule = EXCHANGE.require(before.state, "answer", actor)
    if "awaiting_goods" not in rule.to:
        raise unfit("in_stock", "The price was told already; say only that they ran out.")
    _require_price(before, unit_price_minor, "unit_price")
    costs = (unit_price_minor or 0) * before.quantity
    to = "offered" if costs > before.expected_minor else "awaiting_goods"
    values: dict[str, Any] = {
        "unit_price_minor": unit_price_minor,
        "title": title or before.title,
        "payment_url": payment_url,
        "alternatives": [],
    }
    if to == "awaiting_goods":
        return moved(before, "answer", actor, "exchange.reserved", now, to, values)
    data = {"difference": costs - before.expected_minor}
    return moved(before, "answer", actor, "exchange.offered", now, to, values, data)


def plan_out_of_stock(
    before: ExchangeRecord, actor: Actor, now: datetime, alternatives: Sequence[Alternative]
) -> ExchangeChange:
    """The goods are not there; money back is always among what there is instead.

    Raises:
        ActionNotAllowed: goods or money are decided, or the caller is not the shop.
        DoesNotFit: a price is missing, or is told where nothing is to be paid; a gift is missing.
    """
    EXCHANGE.require(before.state, "answer", actor)
    for each in alternatives:
        if each.kind in GOODS_KINDS:
            _require_price(before, each.unit_price_minor, "alternatives")
        if each.kind == WITH_GIFT and not each.gift_minor:
            raise unfit("alternatives", "Say what the gift is, in minor units.")
    return _out(before, "answer", actor, now, alternatives)


def gift_offered(change: ExchangeChange) -> int:
    """The highest gift among the alternatives that a change puts to the buyer (minor units)."""
    told = change.values.get("alternatives") or ()
    return max((each["gift_minor"] or 0 for each in told), default=0)


def plan_accept(before: ExchangeRecord, actor: Actor, now: datetime) -> ExchangeChange:
    """The buyer agrees to the price. Raises ``ActionNotAllowed``."""
    return moved(before, "accept", actor, "exchange.reserved", now)


def plan_choose(before: ExchangeRecord, actor: Actor, now: datetime, number: int) -> ExchangeChange:
    """The buyer takes an alternative, by its number from 1: other goods, or money.

    Raises:
        ActionNotAllowed: nothing is to be chosen.
        DoesNotFit: there is no alternative of this number.
    """
    EXCHANGE.require(before.state, "choose", actor)
    if not 1 <= number <= len(before.alternatives):
        raise unfit("alternative", f"There are {len(before.alternatives)} alternatives.")
    taken = before.alternatives[number - 1]
    if taken["kind"] == WITH_GIFT:
        return _converted(before, "choose", actor, now, REFUND, gift_minor=taken["gift_minor"])
    if taken["kind"] in IN_MONEY:
        return _converted(before, "choose", actor, now, taken["kind"])
    values = {
        **{name: taken[name] for name in ("variant", "sku", "title", "unit_price_minor")},
        "alternatives": [],
    }
    event = "exchange.reserved"
    return moved(before, "choose", actor, event, now, to="awaiting_goods", values=values)


def plan_cancel(before: ExchangeRecord, actor: Actor, now: datetime) -> ExchangeChange:
    """No goods, but what the accepted quote falls back to. Raises ``ActionNotAllowed``."""
    return _converted(before, "cancel", actor, now, before.fallback)


def plan_link(
    before: ExchangeRecord, actor: Actor, now: datetime, payment_url: str
) -> ExchangeChange:
    """Where the buyer can pay the difference. Raises ``ActionNotAllowed``."""
    values = {"payment_url": payment_url}
    return moved(before, "link", actor, "exchange.payment_link", now, values=values)


def plan_lapse(before: ExchangeRecord, now: datetime) -> ExchangeChange:
    """The return, or its line, ended without goods coming back."""
    return moved(before, "lapse", Actor.SYSTEM, "exchange.lapsed", now)


def plan_exchange_silence(before: ExchangeRecord, now: datetime) -> ExchangeChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, now)
    if late is None:
        return None
    change = _on_silence(before, late, now)
    return replace(change, deadlines=passed(late, change.deadlines))


def _on_silence(before: ExchangeRecord, late: Deadline, now: datetime) -> ExchangeChange:
    by = Actor.SYSTEM
    if late.on_silence == "presume_out":
        return _out(before, "presume_out", by, now, ())
    if late.on_silence == "complete":
        return plan_complete(before, by, now)
    if late.on_silence == "overdue":
        data = {"deadline": late.kind}
        return moved(before, "overdue", by, "exchange.overdue", now, data=data)
    outcome = REFUND if before.state == "out_of_stock" else before.fallback
    return _converted(before, "convert", by, now, outcome)


def _out(
    before: ExchangeRecord,
    action: str,
    actor: Actor,
    now: datetime,
    alternatives: Sequence[Alternative],
) -> ExchangeChange:
    told = [each for each in alternatives if each.kind != REFUND]
    every = [asdict(each) for each in (*told, Alternative(REFUND))]
    values: dict[str, Any] = {"alternatives": every, "unit_price_minor": None}
    values |= dict.fromkeys(("payment_url", "units", "credit_minor", "due_minor"))
    event, data = "exchange.out_of_stock", {"alternatives": len(every)}
    return moved(before, action, actor, event, now, "out_of_stock", values, data)


def _converted(
    before: ExchangeRecord,
    action: str,
    actor: Actor,
    now: datetime,
    outcome: str,
    *,
    gift_minor: int | None = None,
) -> ExchangeChange:
    values: dict[str, Any] = {"outcome": outcome, "alternatives": [], "due_minor": None}
    values["gift_minor"] = gift_minor
    data = {"outcome": outcome, "gift": gift_minor}
    return moved(before, action, actor, "exchange.converted", now, "converted", values, data)


def _require_price(before: ExchangeRecord, price: int | None, name: str) -> None:
    """An exchange has a price, a replacement has none."""
    if before.free and price is not None:
        raise unfit(name, "A replacement costs nothing: leave the price out.")
    if not before.free and price is None:
        raise unfit(name, "Say what a unit costs, in minor units.")
