"""Where a repair meets its return: the goods are here, and the goods leave again.

Lock order: the order's payments, then the return. Between the two the return is not settled; it is
once, for nothing where the goods go back, else for what the policy offered besides.
"""

from __future__ import annotations

from collections.abc import Sequence

from returns_api.db import ledger
from returns_api.db import repairs as rows
from returns_api.db import returns as return_rows
from returns_api.db import warehouse as warehouse_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain.events import By, Event
from returns_api.domain.exchanges import NOTHING_PASSED, REPLACEMENT
from returns_api.domain.ledger import RepairRef, repair_paid
from returns_api.domain.receiving import plan_settle
from returns_api.domain.repair_plans import plan_judge
from returns_api.domain.repairs import RepairChange
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import _returns
from returns_api.usecases._books import stamp
from returns_api.usecases._due import came_back
from returns_api.usecases._exchanging import Goods, replace_goods
from returns_api.usecases._repairs import save
from returns_api.usecases.context import Context


async def take_in(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Goods:
    """Begin the repair of a judged return, replace what could not be repaired, say that it is to be
    settled in money, or wait for it.

    Where none of the goods came, the grades say what is due: money only where the policy offered
    any. Goods that came, are not repaired and cannot be replaced are never kept for nothing.
    """
    repair = await rows.of_return(tx, ret.id)
    assert repair is not None, "it was opened with its return"
    if repair.outcome == REPLACEMENT:
        given = await replace_goods(tx, ctx, ret, by)
        if given.decided[0].failed_since != NOTHING_PASSED:
            return given
        return await _in_money(tx, ctx, ret, by, given.events, repair.fallback)
    if repair.state != "awaiting_goods":
        return Goods(repair.outcome)
    claims = came_back(ret, await warehouse_rows.graded_units(tx, ret.id))
    change = plan_judge(repair, [each.unit for each in claims if each.came], ctx.clock())
    told = await save(tx, ctx, change, by)
    if change.state != "failed":
        return Goods(None, [told])
    return await _in_money(tx, ctx, ret, by, [told], repair.fallback)


async def give_back(
    tx: Transaction, ctx: Context, change: RepairChange, by: By
) -> tuple[list[Event], list[Job]]:
    """The goods leave: the return is settled, its units are the buyer's and can come back again."""
    told = await save(tx, ctx, change, by)
    ret = await return_rows.one(tx, change.before.return_id)
    assert ret is not None
    events, jobs = await _settled(tx, ctx, ret, by, change.before.units or ())
    return [told, *events], jobs


async def pay(tx: Transaction, ctx: Context, change: RepairChange, by: By) -> Event:
    """The buyer's payment, in the books in the transaction that takes note of it."""
    repair = change.before
    told = await save(tx, ctx, change, by)
    ref = RepairRef(repair.id, repair.order_id, repair.currency)
    await ledger.post(tx, repair_paid(stamp(ctx, by), ref, change.values["paid_minor"]))
    return told


async def _in_money(
    tx: Transaction,
    ctx: Context,
    ret: ReturnRecord,
    by: By,
    told: Sequence[Event],
    fallback: str | None,
) -> Goods:
    """No goods: the grades say what is due, where the policy offered money; else nothing is."""
    if fallback is not None:
        return Goods(fallback, told)
    events, jobs = await _settled(tx, ctx, ret, by)
    return Goods(None, [*told, *events], jobs)


async def _settled(
    tx: Transaction, ctx: Context, ret: ReturnRecord, by: By, units: Sequence[int] = ()
) -> tuple[list[Event], list[Job]]:
    return await _returns.save(tx, ctx, plan_settle(ret, ctx.clock(), 0, units), by)
