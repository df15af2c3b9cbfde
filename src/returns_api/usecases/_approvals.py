"""Whether a refund waits for a second person, inside the transaction that makes it.

Lock order: payments, the return, then the counters of allowances, then refund rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.db import approvals as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.access import Role
from returns_api.domain.approvals import (
    OTHER_CURRENCY,
    Asked,
    Destination,
    RefundLimits,
    allowances,
    binding,
    exceeded,
)
from returns_api.domain.errors import NothingLeftToRefund
from returns_api.domain.events import By
from returns_api.usecases.context import Context


async def hold_for_person(
    tx: Transaction, ctx: Context, by: By, order_id: UUID, amount_minor: int, currency: str
) -> str | None:
    """Why a person's refund waits for a second one: the limit that it exceeds; None when it does
    not, and then it is drawn from the person's allowances."""
    shop = await shop_rows.one(tx)
    asked = Asked(
        shop=tx.shop,
        order=order_id,
        person=by.credential_id or tx.shop,
        is_agent=by.actor == Role.AGENT,
        at=ctx.clock(),
        zone=ZoneInfo(shop["timezone"]),
    )
    counters = allowances(RefundLimits.of(shop["refund_limits"]), asked)
    if not counters:
        return None
    if currency != shop["currency"]:
        return OTHER_CURRENCY
    over = exceeded(counters, await rows.lock_spent(tx, counters, currency), amount_minor)
    if over is None and not await rows.spend(tx, counters, currency, amount_minor):
        raise NothingLeftToRefund("The allowance is used up.")
    return over


async def hold_for_return(tx: Transaction, amount_minor: int, currency: str) -> str | None:
    """The same for the refund of a return, whose amount nobody chose."""
    shop = await shop_rows.one(tx)
    limit = RefundLimits.of(shop["refund_limits"]).return_above
    if limit is None:
        return None
    if currency != shop["currency"]:
        return OTHER_CURRENCY
    return "return_above" if amount_minor > limit else None


def held_binding(head: Row, moves: Sequence[Row]) -> str | None:
    """What an approval of the refund is bound to now; None when nothing waits for one."""
    waiting = [move for move in moves if move["state"] == "on_hold"]
    if not waiting:
        return None
    to = [
        Destination(move["id"], move["store_credit_id"] or move["payment_id"], move["amount_minor"])
        for move in waiting
    ]
    return binding(head["amount_minor"], head["currency"], to)


def releases(moves: Sequence[Row]) -> list[dict[str, Any]]:
    """The transfers that an approval sets free, as the database compares them."""
    return [
        {
            "transfer": str(move["id"]),
            "payment": move["payment_id"] and str(move["payment_id"]),
            "amount": move["amount_minor"],
            "currency": move["currency"],
        }
        for move in moves
    ]
