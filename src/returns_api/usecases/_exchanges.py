"""Steps that open and move an exchange, inside the transaction of their caller, who holds the
return's lock."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from returns_api.db import exchanges as rows
from returns_api.db import moves
from returns_api.db.engine import Transaction
from returns_api.db.tables import exchanges as table
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.exchange_answers import plan_lapse
from returns_api.domain.exchanges import (
    REFUND,
    REPLACEMENT,
    ExchangeChange,
    ExchangeRecord,
    Wanted,
    opening,
)
from returns_api.domain.returns import ReturnLineRecord, ReturnRecord
from returns_api.usecases.context import Context


async def open_exchange(
    tx: Transaction,
    ctx: Context,
    ret: ReturnRecord,
    line: ReturnLineRecord,
    wanted: Wanted,
    by: By,
    kind: str,
) -> Event:
    """Store the exchange of one line of a return that is being opened or could not be repaired;
    tell the shop.

    An exchange asks for stock and price (``exchange.stock_requested``); a replacement is the same
    goods again, so it only says that they will be needed (``exchange.opened``).
    """
    now, exchange_id, terms = ctx.clock(), ctx.new_id(), ret.terms.of_line(line.order_line_id)
    state, deadlines = opening(kind, now)
    expected = ret.expected_minor if terms.expected_minor is None else terms.expected_minor
    await moves.add(
        tx,
        table,
        "exchange",
        now,
        deadlines,
        id=exchange_id,
        return_id=ret.id,
        order_id=ret.order_id,
        return_line_id=line.id,
        kind=kind,
        state=state,
        fallback=terms.fallback or ret.terms.fallback or REFUND,
        quantity=line.quantity,
        currency=ret.currency,
        expected_minor=expected,
        variant=wanted.variant,
        sku=wanted.sku,
        title=line.title if kind == REPLACEMENT else None,
        alternatives=[],
    )
    made = await rows.one(tx, exchange_id)
    assert made is not None
    what = "opened" if kind == REPLACEMENT else "stock_requested"
    return exchange_event(ctx, made, f"exchange.{what}", by)


async def save(tx: Transaction, ctx: Context, change: ExchangeChange, by: By, **more: Any) -> Event:
    """Write a planned change; ``more`` are further columns.

    Raises:
        Conflict: somebody moved the exchange meanwhile; nothing is written.
    """
    before = change.before
    await moves.move(
        tx,
        table,
        "exchange",
        before.id,
        before.sequence,
        ctx.clock(),
        change.deadlines,
        state=change.state,
        **{**change.values, **more},
    )
    after = await rows.one(tx, before.id)
    assert after is not None
    return exchange_event(ctx, after, change.event, by, **change.data)


async def lapse_exchanges(
    tx: Transaction, ctx: Context, return_id: UUID, lines: Collection[UUID]
) -> list[Event]:
    """End the exchanges of these lines of a return, of which no goods come back; nothing is asked
    where there are none."""
    found = await rows.of_return(tx, return_id) if lines else []
    return [
        await save(tx, ctx, plan_lapse(each, ctx.clock()), SYSTEM)
        for each in found
        if each.is_open and each.return_line_id in lines
    ]


def exchange_event(
    ctx: Context, exchange: ExchangeRecord, type_: str, by: By, **more: Any
) -> Event:
    """What happened to an exchange, with all that a shop needs to answer or to send the goods: its
    own ids of order, line and goods. Where to, it knows from its order."""
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="exchange",
        resource_id=exchange.id,
        sequence=exchange.sequence,
        at=ctx.clock(),
        by=by,
        order_id=exchange.order_id,
        return_id=exchange.return_id,
        data={
            "exchange": ids.encode("exc", exchange.id),
            "return": ids.encode("ret", exchange.return_id),
            "order": ids.encode("ord", exchange.order_id),
            "kind": exchange.kind,
            "state": exchange.state,
            "external_order": exchange.order_external,
            "order_number": exchange.order_number,
            "external_line": exchange.line_external,
            "variant": exchange.variant,
            "sku": exchange.sku,
            "title": exchange.title,
            "quantity": exchange.quantity,
            "unit_price": exchange.unit_price_minor,
            "currency": exchange.currency,
            **more,
        },
    )
