"""Complaints: opened with a promise, worked on, answered, come back to, rated once.

What is said with an act is a message about the complaint, written in the same transaction; the
event names the message and not its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from returns_api.db import complaints as rows
from returns_api.db import messages as message_rows
from returns_api.db import moves
from returns_api.db.engine import Transaction
from returns_api.db.tables import complaints as table
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.complaints import (
    OPEN_PER_ORDER,
    ComplaintRecord,
    opening,
    plan,
)
from returns_api.domain.errors import Conflict, DoesNotFit
from returns_api.domain.events import By
from returns_api.domain.messages import PER_RETURN, About
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._announce import announce
from returns_api.usecases._complaints import (
    OF,
    clock_of,
    complaint_event,
    save,
    visible_complaint,
)
from returns_api.usecases._loading import visible_order, visible_return
from returns_api.usecases._saying import say
from returns_api.usecases.context import Context

_MESSAGE_IN: Final = {"resolve": "resolution_id", "rate": "comment_id"}
"""Acts whose words the complaint itself points at."""


async def open_complaint(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    order_id: UUID,
    *,
    return_id: UUID | None,
    category: str,
    text: str,
) -> ComplaintRecord:
    """Complain about an order, or about one of its returns; an answer is promised by a time.

    Raises:
        NotFound: no such order or return for this caller.
        DoesNotFit: the return is of another order.
        Conflict: enough complaints of the order are under way.
    """
    await visible_order(tx, principal, order_id)
    if return_id is not None:
        ret = await visible_return(tx, principal, return_id, lock=False)
        if ret.order_id != order_id:
            problem = "The return is one of another order."
            raise DoesNotFit(problem, errors=[{"field": "return", "problem": problem}])
    if await rows.under_way(tx, order_id) >= OPEN_PER_ORDER:
        raise Conflict(f"{OPEN_PER_ORDER} complaints about this order are under way already.")
    clock, complaint_id, statement_id = await clock_of(tx, ctx), ctx.new_id(), ctx.new_id()
    state, deadlines = opening(clock)
    await moves.add(
        tx, table, OF, clock.now, deadlines, id=complaint_id, order_id=order_id,
        return_id=return_id, category=category, state=state, statement_id=statement_id,
    )  # fmt: skip
    about = About(complaint_id=complaint_id)
    await say(tx, ctx, by, about, order_id, text, message_id=statement_id)
    made = await visible_complaint(tx, principal, complaint_id)
    await announce(tx, ctx, [complaint_event(ctx, made, "complaint.opened", by)])
    return made


async def get_complaint(ctx: Context, principal: Principal, complaint_id: UUID) -> ComplaintRecord:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await visible_complaint(tx, principal, complaint_id)


async def list_complaints(
    ctx: Context, principal: Principal, **filters: Any
) -> Sequence[ComplaintRecord]:
    """Newest first; ``before``, ``limit``, ``order_id``, ``return_id`` and ``state``. A buyer sees
    those of the own order, and none about a return by a gift receipt."""
    if principal.order_id is not None:
        if filters["order_id"] not in {None, principal.order_id}:
            return []
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, gifts=principal.order_id is None, **filters)


async def act(
    tx: Transaction,
    ctx: Context,
    who: Acting,
    /,
    action: str,
    text: str | None = None,
    **values: Any,
) -> ComplaintRecord:
    """One act of a person, with what they say; ``values`` are further columns (the score).

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        Conflict: enough was said about the complaint.
    """
    await visible_complaint(tx, who.principal, who.target)
    await rows.lock(tx, who.target)
    complaint = await visible_complaint(tx, who.principal, who.target)
    require_seen(OF, complaint.sequence, who.seen)
    change = plan(complaint, action, who.actor, await clock_of(tx, ctx), **values)
    said = await _said(tx, ctx, who, complaint, action, text)
    pointed = {} if said is None or action not in _MESSAGE_IN else {_MESSAGE_IN[action]: said}
    more = {} if said is None else {"message": ids.encode("msg", said)}
    change = replace(change, values={**change.values, **pointed})
    after, event = await save(tx, ctx, change, who.by, **more)
    await announce(tx, ctx, [event])
    return after


async def _said(
    tx: Transaction,
    ctx: Context,
    who: Acting,
    complaint: ComplaintRecord,
    action: str,
    text: str | None,
) -> UUID | None:
    """The message that goes with an act. What ends the matter may always be said."""
    if text is None:
        return None
    about = About(complaint_id=complaint.id)
    if action not in _MESSAGE_IN and await message_rows.count(tx, about) >= PER_RETURN:
        raise Conflict(f"There are at most {PER_RETURN} messages and notes about one thing.")
    return (await say(tx, ctx, who.by, about, complaint.order_id, text)).id
