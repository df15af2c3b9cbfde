"""Steps that open and move a repair, inside the transaction of their caller, who holds the
return's lock."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.db import moves
from returns_api.db import repairs as rows
from returns_api.db.engine import Transaction
from returns_api.db.tables import repairs as table
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.repair_plans import plan_lapse
from returns_api.domain.repairs import RepairChange, RepairRecord
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases.context import Context


async def open_repair(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Event:
    """Store the repair of a return that is being opened, with what its quote promised."""
    now, repair_id, line, terms = ctx.clock(), ctx.new_id(), ret.lines[0], ret.terms.repair
    assert terms is not None, "the quote of a repair has its terms"
    await moves.add(
        tx,
        table,
        "repair",
        now,
        (),
        id=repair_id,
        return_id=ret.id,
        order_id=ret.order_id,
        return_line_id=line.id,
        state="awaiting_goods",
        free=terms.free,
        fallback=ret.terms.fallback,
        replaceable=terms.replaceable,
        quantity=line.quantity,
        currency=ret.currency,
        freight_minor=terms.freight_minor,
        decline_most_minor=terms.decline_minor,
        positions=[],
    )
    made = await rows.one(tx, repair_id)
    assert made is not None
    return repair_event(ctx, made, "repair.opened", by)


async def save(tx: Transaction, ctx: Context, change: RepairChange, by: By) -> Event:
    """Write a planned change.

    Raises:
        Conflict: somebody moved the repair meanwhile; nothing is written.
    """
    before = change.before
    await moves.move(
        tx,
        table,
        "repair",
        before.id,
        before.sequence,
        ctx.clock(),
        change.deadlines,
        state=change.state,
        **change.values,
    )
    after = await rows.one(tx, before.id)
    assert after is not None
    return repair_event(ctx, after, change.event, by, **change.data)


async def lapse_repair(tx: Transaction, ctx: Context, return_id: UUID) -> list[Event]:
    """End the repair of a return that ended without goods coming back."""
    found = await rows.of_return(tx, return_id)
    if found is None or found.state != "awaiting_goods":
        return []
    return [await save(tx, ctx, plan_lapse(found, ctx.clock()), SYSTEM)]


def repair_event(ctx: Context, repair: RepairRecord, type_: str, by: By, **more: Any) -> Event:
    """What happened to a repair, with what a repair point needs to know its goods by: the shop's
    own ids of order and line. What it wrote stays out: the event is for ever."""
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="repair",
        resource_id=repair.id,
        sequence=repair.sequence,
        at=ctx.clock(),
        by=by,
        order_id=repair.order_id,
        return_id=repair.return_id,
        data={
            "repair": ids.encode("rep", repair.id),
            "return": ids.encode("ret", repair.return_id),
            "order": ids.encode("ord", repair.order_id),
            "state": repair.state,
            "free": repair.free,
            "result": repair.result,
            "external_order": repair.order_external,
            "order_number": repair.order_number,
            "external_line": repair.line_external,
            "sku": repair.sku,
            "title": repair.title,
            "quantity": repair.quantity if repair.units is None else len(repair.units),
            "currency": repair.currency,
            **more,
        },
    )
