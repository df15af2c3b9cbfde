"""Everything that buyer and agent can do with an open return, and reading it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import events as event_rows
from returns_api.db import quotes as quote_rows
from returns_api.db import returns as rows
from returns_api.db import shipments as shipment_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal, Role, Scope
from returns_api.domain.errors import (
    Invalid,
)
from returns_api.domain.events import By
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.policy.facts import for_the_buyer
from returns_api.domain.return_plans import (
    plan_approve,
    plan_cancel,
    plan_provide_info,
    plan_reject,
    plan_request_info,
    plan_ship,
)
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.domain.shipments import ShipmentRecord
from returns_api.usecases._acting import require_seen
from returns_api.usecases._granting import REQUEST, lock_if_due, save_and_grant
from returns_api.usecases._loading import visible_return
from returns_api.usecases._returns import Early, early_of, refunds_of
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class ReturnView:
    """A return with what belongs to it, for one caller."""

    ret: ReturnRecord
    shipment: ShipmentRecord | None
    refunds: Sequence[Row]
    early: Early | None = None


async def get_return(ctx: Context, principal: Principal, return_id: UUID) -> ReturnView:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        ret = await visible_return(tx, principal, return_id, lock=False)
        return (await _views(tx, [ret]))[0]


async def list_returns(
    ctx: Context,
    principal: Principal,
    *,
    before: UUID,
    limit: int,
    order_id: UUID | None = None,
    states: Sequence[str] | None = None,
    flagged: bool = False,
) -> list[ReturnView]:
    """Newest first; a buyer sees only those of the own order, and none by a gift receipt.

    Raises ``Forbidden`` where ``flagged`` ones are asked for by who may not review returns.
    """
    if flagged:
        principal.require(Scope.RETURNS_REVIEW)
    if principal.order_id is not None:
        order_id = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        found = await rows.page(
            tx,
            before=before,
            limit=limit,
            order_id=order_id,
            states=None if states is None else list(states),
            gifts=principal.order_id is None,
            flagged=flagged,
        )
        return await _views(tx, found)


async def get_decision(ctx: Context, principal: Principal, return_id: UUID) -> Row:
    """The decision as it was stored when the quote was made. Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        ret = await visible_return(tx, principal, return_id, lock=False)
        row = await quote_rows.decision(tx, ret.decision_id)
    assert row is not None
    return row


async def timeline(
    ctx: Context, principal: Principal, return_id: UUID, cursor: str | None, limit: int
) -> Sequence[Row]:
    """Events of a return and of what hangs on it, oldest first; buyers and arbiters do not read
    what is internal to the merchant. Raises ``NotFound``."""
    after = UUID(int=0) if cursor is None else ids.decode("evt", cursor)
    if after is None:
        problem = "not a cursor of this list"
        raise Invalid(problem, errors=[{"field": "cursor", "in": "query", "problem": problem}])
    async with ctx.database.transaction(principal.shop) as tx:
        await visible_return(tx, principal, return_id, lock=False)
        staff = principal.role not in {Role.BUYER, Role.PLATFORM}
        return await event_rows.of_return(tx, return_id, after, limit, everything=staff)


def facts_for(principal: Principal, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stored facts of each line; what signals look at, for who may review returns alone."""
    if Scope.RETURNS_REVIEW in principal.scopes:
        return stored
    return {line: for_the_buyer(facts) for line, facts in stored.items()}


def by_public_line(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored by line, keyed by the line's public id."""
    return {ids.encode("li", UUID(line)): value for line, value in stored.items()}


async def act(
    ctx: Context,
    principal: Principal,
    by: By,
    return_id: UUID,
    plan: Callable[[ReturnRecord, Actor, datetime], Change],
    expected_sequence: int | None = None,
) -> ReturnView:
    """Lock, plan, save, announce: one action of a person on one return.

    Raises:
        NotFound, ActionNotAllowed, Invalid.
        PreconditionFailed: the return is not the version that the caller read.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        await lock_if_due(tx, return_id, REQUEST)
        ret = await visible_return(tx, principal, return_id, lock=True)
        require_seen("return", ret.sequence, expected_sequence)
        change = plan(ret, Actor(principal.acts_as), ctx.clock())
        await emit(tx, *await save_and_grant(tx, ctx, change, by))
        view = (await _views(tx, [await visible_return(tx, principal, return_id, lock=False)]))[0]
    ctx.wake()
    return view


def approving(lines: Collection[UUID] | None) -> Callable[[ReturnRecord, Actor, datetime], Change]:
    return lambda ret, actor, now: plan_approve(ret, actor, now, lines)


def rejecting(
    code: str, note: str | None, lines: Collection[UUID] | None
) -> Callable[[ReturnRecord, Actor, datetime], Change]:
    return lambda ret, actor, now: plan_reject(ret, actor, now, code, note, lines)


def asking(question: str) -> Callable[[ReturnRecord, Actor, datetime], Change]:
    return lambda ret, actor, now: plan_request_info(ret, actor, now, question)


def answering(answer: str) -> Callable[[ReturnRecord, Actor, datetime], Change]:
    return lambda ret, actor, now: plan_provide_info(ret, actor, now, answer)


shipping = plan_ship
canceling = plan_cancel


async def _views(tx: Transaction, found: Sequence[ReturnRecord]) -> list[ReturnView]:
    if not found:
        return []
    keys = [ret.id for ret in found]
    parcels = {s.return_id: s for s in await shipment_rows.of_returns(tx, keys)}
    refunds, early = await refunds_of(tx, keys), await early_of(tx, found)
    return [
        ReturnView(ret, parcels.get(ret.id), refunds.get(ret.id, ()), early.get(ret.id))
        for ret in found
    ]
