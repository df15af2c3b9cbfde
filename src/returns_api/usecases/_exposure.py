"""What goes out before goods are seen, in money (``_advances``) or in new goods (``_goods_first``).

Owns what both share: the caps that one sum is taken from, the row of the advance, its event. Lock
order: payments, the return, its advance, then the counters of caps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.db import advances as rows
from returns_api.db import caps as cap_rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.advances import (
    NEEDS_APPROVAL,
    NOT_COVERED,
    UNKNOWN_BUYER,
    AdvanceRecord,
    Cap,
    buyer_subject,
    caps,
    reached,
    recover_at,
)
from returns_api.domain.errors import NothingLeftToRefund
from returns_api.domain.events import By, Event
from returns_api.domain.policy.vocabulary import Listed
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.terms import AdvanceTerms
from returns_api.usecases._approvals import hold_for_return
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Exposure:
    """A sum that is to go out for a return, and the counters that bound it."""

    terms: AdvanceTerms
    amount_minor: int
    buyer: UUID | None
    counters: tuple[Cap, ...]
    blocked: bool = False
    """The buyer is on the shop's block list by now."""


async def exposure(
    tx: Transaction, ctx: Context, ret: ReturnRecord, terms: AdvanceTerms, amount_minor: int
) -> Exposure:
    """Which counters a sum above zero has to fit under today."""
    key, listed = await rows.buyer(tx, ret.order_id, ctx.clock())
    buyer = buyer_subject(key)
    zone = ZoneInfo((await shop_rows.one(tx))["timezone"])
    counters = caps(terms, shop=tx.shop, buyer=buyer, at=ctx.clock(), zone=zone)
    return Exposure(terms, amount_minor, buyer, counters, listed == Listed.BLOCK)


async def take(tx: Transaction, wanted: Exposure, currency: str, *, covered: bool) -> str | None:
    """Take the sum from every counter, or say what speaks against it. ``covered``: the order's
    payments hold it."""
    if wanted.blocked:
        return NEEDS_APPROVAL  # a person has to look first: buyers read this, and it is true
    if wanted.terms.per_buyer_minor is not None and wanted.buyer is None:
        return UNKNOWN_BUYER
    if not covered:
        return NOT_COVERED
    if await hold_for_return(tx, wanted.amount_minor, currency) is not None:
        return NEEDS_APPROVAL
    if not wanted.counters:
        return None
    used = await cap_rows.lock_used(tx, wanted.counters, currency)
    over = reached(wanted.counters, used, wanted.amount_minor)
    if over is None and not await cap_rows.take(tx, wanted.counters, currency, wanted.amount_minor):
        raise NothingLeftToRefund("The limit of fast refunds is used up.")
    return over


async def decline(
    tx: Transaction, ctx: Context, ret: ReturnRecord, wanted: Exposure, reason: str, by: By
) -> Event:
    """Store that it waits for the ordinary moment, and why, for good."""
    return await _add(tx, ctx, ret, wanted, by, "declined", reason=reason)


async def grant(
    tx: Transaction, ctx: Context, ret: ReturnRecord, wanted: Exposure, by: By, **given: UUID
) -> Event:
    """Store that it went out; ``given`` is its ``refund_id`` or its ``exchange_id``."""
    taken = {each.kind: each for each in wanted.counters}
    return await _add(
        tx,
        ctx,
        ret,
        wanted,
        by,
        "outstanding",
        buyer=taken["buyer"].subject if "buyer" in taken else None,
        day=taken["shop_day"].day if "shop_day" in taken else None,
        due_at=recover_at(wanted.terms, ctx.clock()),
        **given,
    )


async def _add(
    tx: Transaction,
    ctx: Context,
    ret: ReturnRecord,
    wanted: Exposure,
    by: By,
    state: str,
    **values: Any,
) -> Event:
    row = {
        "id": ctx.new_id(),
        "order_id": ret.order_id,
        "return_id": ret.id,
        "refund_id": None,
        "exchange_id": None,
        "state": state,
        "reason": None,
        "buyer": None,
        "day": None,
        "amount_minor": wanted.amount_minor,
        "currency": ret.currency,
        "due_at": None,
        "created_at": ctx.clock(),
        **values,
    }
    await rows.add(tx, **row)
    type_ = "declined" if state == "declined" else "granted"
    return advance_event(ctx, row, type_, sequence=1, state=state, by=by, reason=row["reason"])


def advance_event(
    ctx: Context,
    advance: Mapping[str, Any] | AdvanceRecord,
    type_: str,
    *,
    sequence: int,
    state: str,
    by: By,
    reason: str | None = None,
    **more: Any,
) -> Event:
    """What happened to an advance; ``more`` goes into its data."""
    if isinstance(advance, AdvanceRecord):
        advance = {name: getattr(advance, name) for name in AdvanceRecord.__dataclass_fields__}
    refund_id, exchange_id = advance["refund_id"], advance["exchange_id"]
    return Event(
        id=ctx.new_id(),
        type=f"advance.{type_}",
        resource_type="advance",
        resource_id=advance["id"],
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=advance["order_id"],
        return_id=advance["return_id"],
        reason=reason,
        data={
            "advance": ids.encode("adv", advance["id"]),
            "return": ids.encode("ret", advance["return_id"]),
            "refund": refund_id and ids.encode("ref", refund_id),
            "exchange": exchange_id and ids.encode("exc", exchange_id),
            "state": state,
            "amount": advance["amount_minor"],
            "currency": advance["currency"],
            **more,
        },
    )
