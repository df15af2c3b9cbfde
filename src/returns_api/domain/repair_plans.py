"""What follows from each step of a repair, and from nobody taking it; pure.

What is due is fixed once, by how the work ended: the agreed total for a repair, the quoted costs
for a quote that was declined, nothing for what could not be repaired. Goods leave when it is paid
or waived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from returns_api.domain.errors import unfit
from returns_api.domain.lifecycle.deadlines import Deadline, next_due, passed
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.repair_prices import Asked, PriceList, estimate
from returns_api.domain.repairs import (
    DECLINED,
    GOODS,
    REPAIRED,
    UNREPAIRABLE,
    RepairChange,
    RepairRecord,
    moved,
)

_NO_QUOTE: Final = ("total_minor", "decline_minor")


def plan_judge(before: RepairRecord, units: Sequence[int], now: datetime) -> RepairChange:
    """The goods were graded: ``units`` came and are looked at; without any there is no repair."""
    if units:
        values = {"units": list(units)}
        return moved(before, "judge", Actor.SYSTEM, "diagnosing", now, "diagnosing", values)
    return moved(before, "judge", Actor.SYSTEM, "failed", now, "failed")


def plan_quote(
    before: RepairRecord,
    actor: Actor,
    now: datetime,
    prices: PriceList,
    asked: Sequence[Asked],
    note: str | None,
) -> RepairChange:
    """The workshop says what it takes. Where that costs the buyer nothing, the work begins.

    Raises:
        ActionNotAllowed: it is not asked.
        DoesNotFit: no position, where somebody has to pay; or one that the price list has not.
    """
    REPAIR.require(before.state, "quote", actor)
    if not asked and not before.free:
        raise unfit("positions", "Name at least one position of the price list.")
    found = estimate(
        prices.positions(asked, before.currency, free=before.free),
        before.freight_minor,
        before.decline_most_minor,
    )
    values = {
        "positions": found.as_json(),
        "note": note,
        "total_minor": found.total_minor,
        "decline_minor": found.decline_minor,
    }
    if not found.total_minor:
        return moved(before, "quote", actor, "begun", now, "repairing", values)
    data = {"amount": found.total_minor, "if_declined": found.decline_minor}
    return moved(before, "quote", actor, "quoted", now, "quoted", values, data)


def plan_accept(before: RepairRecord, actor: Actor, now: datetime) -> RepairChange:
    """The buyer agrees to pay once the work is done. Raises ``ActionNotAllowed``."""
    return moved(before, "accept", actor, "begun", now)


def plan_decline(before: RepairRecord, actor: Actor, now: datetime, take: str) -> RepairChange:
    """No repair: the goods as they are, or what the policy offered besides (nothing is charged
    then: the return is settled like any other).

    Raises:
        ActionNotAllowed: nothing is to be declined.
        DoesNotFit: something is asked that the policy does not offer.
    """
    REPAIR.require(before.state, "decline", actor)
    if _something_else(before, take):
        return _converted(before, "decline", actor, now, take)
    return _back(before, "decline", actor, now, DECLINED, before.decline_minor or 0)


def plan_give_up(before: RepairRecord, actor: Actor, now: datetime, cause: str) -> RepairChange:
    """It cannot be repaired: the buyer chooses, or gets the goods back where there is no choice.
    Raises ``ActionNotAllowed``."""
    REPAIR.require(before.state, "give_up", actor)
    values: dict[str, Any] = {"cause": cause, **dict.fromkeys(_NO_QUOTE)}
    if before.instead() == (GOODS,):
        change = _back(before, "give_up", actor, now, UNREPAIRABLE, 0)
        return replace(change, values={**values, **change.values}, data={"cause": cause})
    data = {"cause": cause}
    event = UNREPAIRABLE
    return moved(before, "give_up", actor, event, now, "unrepairable", values, data)


def plan_choose(before: RepairRecord, actor: Actor, now: datetime, take: str) -> RepairChange:
    """What the buyer gets for goods that cannot be repaired: them, or what the policy offered.

    Raises:
        ActionNotAllowed: nothing is to be chosen.
        DoesNotFit: something is asked that the policy does not offer.
    """
    REPAIR.require(before.state, "choose", actor)
    if _something_else(before, take):
        return _converted(before, "choose", actor, now, take)
    return _back(before, "choose", actor, now, UNREPAIRABLE, 0)


def plan_finish(before: RepairRecord, actor: Actor, now: datetime) -> RepairChange:
    """The work is done. Raises ``ActionNotAllowed``."""
    REPAIR.require(before.state, "finish", actor)
    return _back(before, "finish", actor, now, REPAIRED, before.total_minor or 0)


def plan_link(before: RepairRecord, actor: Actor, now: datetime, payment_url: str) -> RepairChange:
    """Where the buyer can pay. Raises ``ActionNotAllowed``."""
    return moved(before, "link", actor, "payment_link", now, values={"payment_url": payment_url})


def plan_pay(
    before: RepairRecord, actor: Actor, now: datetime, amount_minor: int, reference: str
) -> RepairChange:
    """The buyer paid: all that is due, and no more.

    Raises:
        ActionNotAllowed: nothing is due, or not for this caller.
        DoesNotFit: another amount is due.
    """
    REPAIR.require(before.state, "pay", actor)
    if amount_minor != before.due_minor:
        raise unfit("amount", f"{before.due_minor} is due, in one payment (minor units).")
    values = {"paid_minor": amount_minor, "payment_reference": reference}
    return moved(before, "pay", actor, "ready", now, values=values)


def plan_waive(before: RepairRecord, actor: Actor, now: datetime) -> RepairChange:
    """The goods go back without payment. Raises ``ActionNotAllowed``."""
    REPAIR.require(before.state, "waive", actor)
    return moved(before, "waive", actor, "ready", now, values={"waived_minor": before.due_minor})


def plan_ship(
    before: RepairRecord, actor: Actor, now: datetime, carrier: str | None, tracking: str | None
) -> RepairChange:
    """The goods are on their way back. The event is for ever, so it does not say where to follow
    them. Raises ``ActionNotAllowed``."""
    values = {"carrier": carrier, "tracking": tracking}
    data = {"carrier": carrier}
    return moved(before, "ship", actor, "shipped", now, values=values, data=data)


def plan_complete(before: RepairRecord, actor: Actor, now: datetime) -> RepairChange:
    """The goods arrived. Raises ``ActionNotAllowed``."""
    return moved(before, "complete", actor, "completed", now)


def plan_lapse(before: RepairRecord, now: datetime) -> RepairChange:
    """The return ended without goods coming back."""
    return moved(before, "lapse", Actor.SYSTEM, "lapsed", now)


def plan_repair_silence(before: RepairRecord, now: datetime) -> RepairChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, now)
    if late is None:
        return None
    change = _on_silence(before, late, now)
    return replace(change, deadlines=passed(late, change.deadlines))


def _on_silence(before: RepairRecord, late: Deadline, now: datetime) -> RepairChange:
    by = Actor.SYSTEM
    if late.on_silence == "escalate":
        return moved(before, "escalate", by, "escalated", now)
    if late.on_silence == "give_up":
        return plan_give_up(before, by, now, "no_answer")
    if late.on_silence == "decline":
        return plan_decline(before, by, now, GOODS)
    if late.on_silence == "convert":
        return _converted(before, "convert", by, now, before.instead()[-1])
    if late.on_silence == "complete":
        return plan_complete(before, by, now)
    return moved(before, "overdue", by, "overdue", now, data={"deadline": late.kind})


def _back(
    before: RepairRecord, action: str, actor: Actor, now: datetime, result: str, due_minor: int
) -> RepairChange:
    """The goods go back as ``result``: at once, or when what is due for that is paid."""
    values = {"result": result, "due_minor": due_minor}
    if not due_minor:
        return moved(before, action, actor, "ready", now, "ready", values)
    event, data = "payment_due", {"due": due_minor}
    return moved(before, action, actor, event, now, "awaiting_payment", values, data)


def _converted(
    before: RepairRecord, action: str, actor: Actor, now: datetime, outcome: str
) -> RepairChange:
    data = {"outcome": outcome}
    values = {"outcome": outcome}
    return moved(before, action, actor, "converted", now, "converted", values, data)


def _something_else(before: RepairRecord, take: str) -> bool:
    """Whether the buyer takes anything but the goods: only what the accepted quote promised."""
    if take not in before.instead():
        raise unfit("take", f"Offered instead of a repair: {', '.join(before.instead())}.")
    return take != GOODS
