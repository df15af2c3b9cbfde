"""Gift receipts: made for an order, revoked, and the way in for whoever holds one.

The code is shown once and kept as a hash; every wrong one gets one answer, and guesses are counted.
Refuses to own what its holder does then (``gifts``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.db import gifts as rows
from returns_api.db import orders as order_rows
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal, Role
from returns_api.domain.errors import Conflict, NotFound
from returns_api.domain.events import By, Event
from returns_api.domain.gifts import (
    PER_ORDER,
    GiftReceipt,
    draw_code,
    lasts_until,
    normalise_code,
    plan_lines,
)
from returns_api.usecases._loading import NO_SUCH_THING, visible_order
from returns_api.usecases._lookups import count_lookup
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import issue

SESSION: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class GiftSession:
    """A recipient's token, shown once, and what it is bound to."""

    token: str
    receipt_id: UUID
    expires_at: datetime


async def make_receipt(
    ctx: Context,
    principal: Principal,
    by: By,
    order_id: UUID,
    lines: Mapping[UUID, int] | None,
    lasts_days: int | None,
) -> tuple[GiftReceipt, str]:
    """A receipt for units of an order (None: all of its goods), and its code, known this once.

    Raises:
        NotFound, DoesNotFit.
        Conflict: the order has as many as one can have, or nothing to give.
    """
    if not principal.sees_order(order_id):
        raise NotFound(NO_SUCH_THING)
    now, receipt_id, code = ctx.clock(), ctx.new_id(), draw_code(ctx.new_secret())
    async with ctx.database.transaction(principal.shop) as tx:
        await order_rows.lock(tx, order_id)
        order = await visible_order(tx, principal, order_id)
        if await rows.count(tx, order_id) >= PER_ORDER:
            raise Conflict(f"An order has at most {PER_ORDER} gift receipts.")
        await rows.add(
            tx,
            plan_lines(order, lines),
            id=receipt_id,
            order_id=order_id,
            code_key=_key(ctx, code),
            made_by=principal.role.value,
            created_at=now,
            expires_at=lasts_until(now, lasts_days),
        )
        made = _found(await rows.one(tx, receipt_id))
        await emit(tx, [_event(ctx, made, "created", 1, by)])
    ctx.wake()
    return made, code


async def list_receipts(ctx: Context, principal: Principal, order_id: UUID) -> list[GiftReceipt]:
    """Newest first, revoked ones too. Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        await visible_order(tx, principal, order_id)
        return await rows.of_order(tx, order_id)


async def revoke_receipt(ctx: Context, principal: Principal, by: By, receipt_id: UUID) -> None:
    """It opens no returns from now on; those that it opened go their way. Twice changes nothing.

    Raises:
        NotFound.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        receipt = _found(await rows.one(tx, receipt_id))
        if not principal.sees_order(receipt.order_id):
            raise NotFound(NO_SUCH_THING)
        sequence = await rows.revoke(tx, receipt_id, ctx.clock())
        if sequence is not None:
            await emit(tx, [_event(ctx, receipt, "revoked", sequence, by)])
    ctx.wake()


async def open_session(
    ctx: Context, principal: Principal, code: str, host: str | None
) -> GiftSession:
    """A token for whoever has the code of a receipt that opens returns, or has opened one.

    ``host`` is the address of the socket's other end. Guesses are counted with those at orders.

    Raises:
        RateLimited.
        NotFound: no receipt has this code, or it is over; nobody learns which.
    """
    await count_lookup(ctx, principal.shop, host, None)
    async with ctx.database.transaction(principal.shop) as tx:
        found = await rows.by_code(tx, _key(ctx, code), ctx.clock())
        if found is None:
            raise NotFound("No gift receipt has this code, or its time is over.")
        made = await issue(
            tx,
            ctx,
            role=Role.RECIPIENT,
            label="gift session",
            order_id=found["order_id"],
            gift_receipt_id=found["id"],
            expires_in=SESSION,
        )
    assert made.expires_at is not None
    return GiftSession(made.token, found["id"], made.expires_at)


def _key(ctx: Context, code: str) -> bytes:
    return ctx.sealer.keyed_hash(f"gift receipt {normalise_code(code)}")


def _found(receipt: GiftReceipt | None) -> GiftReceipt:
    if receipt is None:
        raise NotFound(NO_SUCH_THING)
    return receipt


def _event(ctx: Context, receipt: GiftReceipt, what: str, sequence: int, by: By) -> Event:
    """``gift_receipt.<what>``; nobody learns the code from it."""
    return Event(
        id=ctx.new_id(),
        type=f"gift_receipt.{what}",
        resource_type="gift_receipt",
        resource_id=receipt.id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=receipt.order_id,
        data={
            "gift_receipt": ids.encode("gft", receipt.id),
            "order": ids.encode("ord", receipt.order_id),
            "expires_at": receipt.expires_at.isoformat(),
        },
    )
