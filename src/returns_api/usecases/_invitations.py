"""Inviting a buyer once its moment has come: at most once, and never while a case is open.

The deadline ends in the transaction that tells the event, so a sweep that dies, doubles or comes
late asks once or not at all.
"""

from __future__ import annotations

from uuid import UUID

from returns_api.db import cases, order_intake
from returns_api.db import invitations as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.invitations import CHECK_IN, EVENTS, WAIT, Verdict, decide
from returns_api.domain.lifecycle.deadlines import DROPPED, PASSED
from returns_api.domain.shops import AfterSales
from returns_api.usecases._order_events import tell
from returns_api.usecases.context import Context


async def silence(tx: Transaction, ctx: Context, order_id: UUID, late: Row) -> None:
    """Ask, wait for a case to end, or let it be."""
    await cases.lock_order(tx, order_id)
    now, kind = ctx.clock(), late["kind"]
    due = await rows.find_due(tx, order_id, late, now)
    if due is None:
        return
    settings = AfterSales(**due["after_sales"])
    verdict = decide(
        due["due_at"],
        now,
        wanted=(settings.check_in_days if kind == CHECK_IN else settings.review_days) is not None,
        good=kind == CHECK_IN or await _went_well(tx, late["object_id"]),
        case_open=await cases.is_open(tx, order_id),
    )
    if verdict is Verdict.WAIT:
        await rows.put_off(tx, order_id, late, now, WAIT)
    else:
        state = PASSED if verdict is Verdict.INVITE else DROPPED
        await rows.end(tx, order_id, late, now, state)
    if verdict is Verdict.INVITE:
        await _invite(tx, ctx, order_id, kind, late["object_id"])


async def _went_well(tx: Transaction, return_id: UUID) -> bool:
    found = await rows.outcome(tx, return_id)
    return found is not None and found.is_good


async def _invite(tx: Transaction, ctx: Context, order_id: UUID, kind: str, of: UUID) -> None:
    version = await order_intake.step(tx, order_id, ctx.clock())
    about = {} if kind == CHECK_IN else {"return": ids.encode("ret", of)}
    await tell(tx, ctx, order_id, version, EVENTS[kind], about)
