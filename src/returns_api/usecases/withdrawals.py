"""The online withdrawal function: a statement, its confirmation, the acknowledgement, a return.

The withdrawal is what the buyer confirmed, whatever follows from it: it is acknowledged in the same
transaction. Its return is opened by a job; where none can be opened, the withdrawal stands and a
person is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.db import histories
from returns_api.db import shops as shop_rows
from returns_api.db import withdrawals as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Principal, Role
from returns_api.domain.allocation import from_json
from returns_api.domain.errors import Conflict, NotFound, ReturnsError, Unavailable
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.withdrawals import WITHDRAWAL
from returns_api.domain.notifications import WITHDRAWN, languages
from returns_api.domain.withdrawals import (
    OPEN_PER_ORDER,
    RESOLUTION,
    WithdrawnLine,
    content,
    named,
    returnable,
    sealed_text,
    words_of,
)
from returns_api.usecases._loading import NO_SUCH_THING, policy_of, visible_order
from returns_api.usecases._quotes import store_quote
from returns_api.usecases.context import Context
from returns_api.usecases.opening import open_return

AGAIN_AFTER: Final = timedelta(minutes=5)
"""When an opening that was cut short is tried again."""
NOTHING: Final = "nothing_to_return"
_NO_LINK: Final = {"number": None, "opt_out_url": None}


@dataclass(frozen=True, slots=True)
class WithdrawalView:
    """A withdrawal; once confirmed, with the words of its acknowledgement: those that were sent,
    less what was erased since."""

    row: Row
    text: str | None


async def submit_withdrawal(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    order_id: UUID,
    *,
    name: str,
    contact: str,
    lines: Sequence[WithdrawnLine],
) -> WithdrawalView:
    """The first step: who, from what, and where the acknowledgement is to go. Nothing follows yet.

    Raises:
        NotFound.
        DoesNotFit: a line that the order does not have.
        Conflict: too many statements of the order wait for their confirmation.
    """
    order = await visible_order(tx, principal, order_id)
    if await rows.waiting(tx, order_id) >= OPEN_PER_ORDER:
        raise Conflict("Confirm a withdrawal that you submitted before.")
    shop, now, withdrawal_id = await shop_rows.one(tx), ctx.clock(), ctx.new_id()
    await rows.add(
        tx,
        now,
        id=withdrawal_id,
        order_id=order_id,
        state=WITHDRAWAL.initial[0],
        name=name,
        contact=contact,
        lines=named(order, lines),
        language=languages(order.locale, shop["locale"]),
    )
    made = await _visible(tx, ctx, principal, withdrawal_id)
    await emit(tx, [_event(ctx, made.row, "submitted", 1, by)])
    return made


async def confirm_withdrawal(
    tx: Transaction, ctx: Context, principal: Principal, by: By, withdrawal_id: UUID
) -> WithdrawalView:
    """The second step: from now on the contract is withdrawn from, and receipt is acknowledged.

    Raises:
        NotFound.
        ActionNotAllowed: it was confirmed before.
    """
    row = await rows.lock(tx, withdrawal_id)
    if row is None or not principal.sees_order(row["order_id"]):
        raise NotFound(NO_SUCH_THING)
    state = WITHDRAWAL.step(row["state"], "confirm", Actor(principal.role.value))
    order = await visible_order(tx, principal, row["order_id"])
    shop, now = await shop_rows.one(tx), ctx.clock()
    changes = {"confirmed_at": now, "confirmed_by": by.credential_id, "due_at": now}
    sequence = await rows.move(tx, row, now, state=state, **changes)
    body = content(order, dict(row), shop["name"], now)
    seal = ctx.sealer.keyed_hash(sealed_text(body, row["name"] or "", row["contact"] or ""))
    await rows.acknowledge(tx, withdrawal_id=withdrawal_id, at=now, body=body, seal=seal)
    told = _event(ctx, {**row, "state": state}, "confirmed", sequence, by)
    await emit(tx, [told], [Job("open_withdrawn", withdrawal_id)])
    return await _visible(tx, ctx, principal, withdrawal_id)


async def get_withdrawal(ctx: Context, principal: Principal, withdrawal_id: UUID) -> WithdrawalView:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _visible(tx, ctx, principal, withdrawal_id)


async def list_withdrawals(
    ctx: Context, principal: Principal, **filters: Any
) -> list[WithdrawalView]:
    """Newest first; ``before``, ``limit`` and ``state``. A buyer sees those of the own order."""
    async with ctx.database.transaction(principal.shop) as tx:
        zone = ZoneInfo((await shop_rows.one(tx))["timezone"])
        found = await rows.page(tx, order_id=principal.order_id, **filters)
    return [_view(ctx, row, zone) for row in found]


async def open_withdrawn(ctx: Context, shop: UUID, withdrawal_id: UUID) -> None:
    """Open the return of a confirmed withdrawal, for the units that can come back; or say that a
    person has to look. Nothing happens when that was done."""
    async with ctx.database.transaction(shop) as tx:
        row = await rows.lock(tx, withdrawal_id)
        if row is None or row["due_at"] is None or row["due_at"] > ctx.clock():
            return
        await rows.put_off(tx, withdrawal_id, ctx.clock() + AGAIN_AFTER)
    async with ctx.database.transaction(shop, savepoint=True) as tx:
        row = await rows.lock(tx, withdrawal_id)
        if row is None or row["due_at"] is None:
            return
        try:
            return_id = await _open(tx, ctx, row)
        except Unavailable:
            raise
        except ReturnsError as refused:
            await tx.undo()
            row = await rows.lock(tx, withdrawal_id)
            if row is None or row["due_at"] is None:
                return
            await _leave(tx, ctx, row, refused.code)
        else:
            await _follow(tx, ctx, row, return_id)
    ctx.wake()


async def due_withdrawals(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Confirmed withdrawals over all shops whose return is to be opened."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def _open(tx: Transaction, ctx: Context, row: Row) -> UUID | None:
    """The return's id; None where no unit can come back."""
    person = Principal(
        tx.shop, row["confirmed_by"], Role.BUYER, ROLE_SCOPES[Role.BUYER], row["order_id"]
    )
    order = await visible_order(tx, person, row["order_id"])
    history = await histories.load_history(tx, order, ctx.clock())
    _, policy = await policy_of(tx, ctx, order)
    certificate = from_json(order.certificate)
    lines = returnable(order, certificate, history, policy, row["lines"], ctx.clock())
    if not lines:
        return None
    quote = await store_quote(tx, ctx, order, lines, resolution=RESOLUTION, method=None)
    by = By(Role.BUYER.value, row["confirmed_by"])
    return (await open_return(tx, ctx, person, by, quote.id, ())).ret.id


async def _follow(tx: Transaction, ctx: Context, row: Row, return_id: UUID | None) -> None:
    if return_id is None:
        await _leave(tx, ctx, row, NOTHING)
        return
    state = WITHDRAWAL.step(row["state"], "open", Actor.SYSTEM)
    sequence = await rows.move(tx, row, ctx.clock(), state=state, return_id=return_id, due_at=None)
    after = {**row, "state": state, "return_id": return_id}
    await emit(tx, [_event(ctx, after, "opened", sequence, SYSTEM)])


async def _leave(tx: Transaction, ctx: Context, row: Row, problem: str) -> None:
    state = WITHDRAWAL.step(row["state"], "leave", Actor.SYSTEM)
    sequence = await rows.move(tx, row, ctx.clock(), state=state, problem=problem, due_at=None)
    after = {**row, "state": state}
    await emit(tx, [_event(ctx, after, "unopened", sequence, SYSTEM, problem)])


async def _visible(
    tx: Transaction, ctx: Context, principal: Principal, withdrawal_id: UUID
) -> WithdrawalView:
    row = await rows.one(tx, withdrawal_id)
    if row is None or not principal.sees_order(row["order_id"]):
        raise NotFound(NO_SUCH_THING)
    return _view(ctx, row, ZoneInfo((await shop_rows.one(tx))["timezone"]))


def _view(ctx: Context, row: Row, zone: ZoneInfo) -> WithdrawalView:
    if row["body"] is None:
        return WithdrawalView(row, None)
    facts = {**words_of(row["body"], dict(row), zone), **_NO_LINK}
    return WithdrawalView(row, ctx.composer.compose(WITHDRAWN, row["language"], facts).text)


def _event(
    ctx: Context,
    row: Mapping[str, Any] | Row,
    what: str,
    sequence: int,
    by: By,
    reason: str | None = None,
) -> Event:
    return_id = row["return_id"]
    return Event(
        id=ctx.new_id(),
        type=f"withdrawal.{what}",
        resource_type="withdrawal",
        resource_id=row["id"],
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=row["order_id"],
        return_id=return_id,
        reason=reason,
        data={
            "withdrawal": ids.encode("wdr", row["id"]),
            "order": ids.encode("ord", row["order_id"]),
            "return": None if return_id is None else ids.encode("ret", return_id),
            "state": row["state"],
        },
    )
