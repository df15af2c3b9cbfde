"""Steps that move an offer, inside the transaction of their caller, who holds the return's lock."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.db import moves
from returns_api.db import offers as rows
from returns_api.db.engine import Transaction
from returns_api.db.tables import offers as table
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.offers import OfferChange, OfferRecord, plan_lapse
from returns_api.usecases.context import Context


async def save(tx: Transaction, ctx: Context, change: OfferChange, by: By, **more: Any) -> Event:
    """Write a planned change; ``more`` are further columns.

    Raises:
        Conflict: somebody moved the offer meanwhile; nothing is written.
    """
    before = change.before
    sequence = await moves.move(
        tx,
        table,
        "offer",
        before.id,
        before.sequence,
        ctx.clock(),
        change.deadlines,
        state=change.state,
        **{**change.values, **more},
    )
    internal = before.shown_at is None and "shown_at" not in change.values
    return offer_event(ctx, before, change.event, change.state, sequence, by, internal=internal)


async def lapse(tx: Transaction, ctx: Context, return_id: UUID) -> list[Event]:
    """End the offer that stands on a return which went on or ended without it."""
    standing = await rows.standing(tx, return_id)
    return [] if standing is None else [await save(tx, ctx, plan_lapse(standing), SYSTEM)]


def offer_event(
    ctx: Context,
    offer: OfferRecord,
    type_: str,
    state: str,
    sequence: int,
    by: By,
    *,
    internal: bool,
) -> Event:
    """``internal`` ones are no part of what the buyer reads."""
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="offer",
        resource_id=offer.id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=offer.order_id,
        return_id=offer.return_id,
        data={
            "offer": ids.encode("off", offer.id),
            "return": ids.encode("ret", offer.return_id),
            "order": ids.encode("ord", offer.order_id),
            "state": state,
            "party": offer.party,
            "amount": offer.amount_minor,
            "currency": offer.currency,
            **({"internal": True} if internal else {}),
        },
    )
