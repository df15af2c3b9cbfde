"""Receiving and inspecting: what came, unit by unit, and the money that follows from it.

The warehouse sees no payment data; that its word makes money due is the policy's doing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import refunds as refund_rows
from returns_api.db import reservations
from returns_api.db import returns as rows
from returns_api.db import warehouse as warehouse_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict, DoesNotFit
from returns_api.domain.events import By, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.receiving import plan_inspect, plan_receive
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases._loading import visible_return
from returns_api.usecases._returns import save
from returns_api.usecases._settlement import settle_if_due
from returns_api.usecases.context import Context
from returns_api.usecases.photos import require_of_return


@dataclass(frozen=True, slots=True)
class GradedUnit:
    """What the inspector saw of one unit."""

    return_line_id: UUID
    grade: str
    disposition: str | None
    sku_seen: str | None
    photos: tuple[UUID, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Units counted in at one time; ``unexpected`` is what nobody announced."""

    id: UUID
    return_id: UUID
    reference: str
    at: datetime
    lines: Mapping[UUID, int]
    unexpected: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection and where the return stands after it."""

    id: UUID
    ret: ReturnRecord
    units: Sequence[Row]
    refunds: Sequence[Row]


async def receive(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    return_id: UUID,
    *,
    reference: str,
    lines: Mapping[UUID, int],
    unexpected: Sequence[Mapping[str, Any]],
) -> Receipt:
    """Count units in. The same reference again adds nothing and answers the same.

    Raises:
        NotFound, ActionNotAllowed, Invalid, DoesNotFit.
        Conflict: the reference was used with other counts.
    """
    ret = await _locked_for_money(tx, principal, return_id)
    known = await _known(tx, ret.id, reference)
    if known is not None:
        if known.lines != lines or _found(known.unexpected) != _found(unexpected):
            raise Conflict("This reference was used for a receipt with other counts.")
        return known
    now = ctx.clock()
    change = plan_receive(ret, Actor(principal.role.value), now, lines)
    receipt = Receipt(ctx.new_id(), ret.id, reference, now, lines, unexpected)
    await _write_receipt(tx, receipt, principal)
    events, jobs = await save(tx, ctx, change, by)
    more, further = await settle_if_due(tx, ctx, ret.id, by)
    await emit(tx, [*events, *more], [*jobs, *further])
    return receipt


async def inspect(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    return_id: UUID,
    units: Sequence[GradedUnit],
    *,
    close: bool,
) -> Inspection:
    """Grade units; when the last one is graded, the refund that follows is made in the same breath.

    Raises:
        NotFound, ActionNotAllowed, Invalid, DoesNotFit.
    """
    ret = await _locked_for_money(tx, principal, return_id)
    await require_of_return(tx, ret.id, [photo for unit in units for photo in unit.photos])
    now, inspection_id = ctx.clock(), ctx.new_id()
    graded = Counter(unit.return_line_id for unit in units)
    change = plan_inspect(ret, Actor(principal.role.value), graded, close=close)
    await warehouse_rows.add_inspection(
        tx,
        {
            "id": inspection_id,
            "return_id": ret.id,
            "inspector": str(principal.credential_id),
            "at": now,
        },
        _unit_rows(ctx, ret, inspection_id, units),
    )
    events, jobs = await save(tx, ctx, change, by)
    more, further = await settle_if_due(tx, ctx, ret.id, by)
    stock = _stock_event(ctx, ret, inspection_id, units, by)
    await emit(tx, [*events, *stock, *more], [*jobs, *further])
    after = await rows.one(tx, ret.id)
    assert after is not None
    return Inspection(
        inspection_id,
        after,
        await warehouse_rows.graded_units(tx, ret.id),
        await refund_rows.of_returns(tx, [ret.id]),
    )


async def list_receipts(ctx: Context, principal: Principal, return_id: UUID) -> list[Receipt]:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        await visible_return(tx, principal, return_id, lock=False)
        return _receipts(await warehouse_rows.receipts_of(tx, return_id))


async def list_graded(ctx: Context, principal: Principal, return_id: UUID) -> list[Row]:
    """Every graded unit, oldest first. Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        await visible_return(tx, principal, return_id, lock=False)
        return await warehouse_rows.graded_units(tx, return_id)


async def _locked_for_money(tx: Transaction, principal: Principal, return_id: UUID) -> ReturnRecord:
    """Payments first, then the return: the lock order of everything that may move money."""
    seen = await visible_return(tx, principal, return_id, lock=False)
    await reservations.lock_payments(tx, seen.order_id)
    return await visible_return(tx, principal, return_id, lock=True)


async def _write_receipt(tx: Transaction, receipt: Receipt, principal: Principal) -> None:
    await warehouse_rows.add_receipt(
        tx,
        {
            "id": receipt.id,
            "return_id": receipt.return_id,
            "reference": receipt.reference,
            "received_by": str(principal.credential_id),
            "unexpected": list(receipt.unexpected),
            "at": receipt.at,
        },
        [
            {"receipt_id": receipt.id, "return_line_id": line, "quantity": count}
            for line, count in receipt.lines.items()
        ],
    )


async def _known(tx: Transaction, return_id: UUID, reference: str) -> Receipt | None:
    if await warehouse_rows.receipt_by_reference(tx, return_id, reference) is None:
        return None
    every = _receipts(await warehouse_rows.receipts_of(tx, return_id))
    return next(receipt for receipt in every if receipt.reference == reference)


def _found(unexpected: Sequence[Mapping[str, Any]]) -> list[tuple[str | None, int]]:
    """What nobody announced, without notes: those go with the person."""
    return [(each.get("sku"), each.get("quantity", 1)) for each in unexpected]


def _receipts(found: Sequence[Row]) -> list[Receipt]:
    receipts: dict[UUID, Receipt] = {}
    for row in found:
        receipt = receipts.setdefault(
            row["id"],
            Receipt(
                row["id"], row["return_id"], row["reference"], row["at"], {}, row["unexpected"]
            ),
        )
        if row["return_line_id"] is not None:
            assert isinstance(receipt.lines, dict)
            receipt.lines[row["return_line_id"]] = row["quantity"]
    return list(receipts.values())


def _unit_rows(
    ctx: Context, ret: ReturnRecord, inspection_id: UUID, units: Sequence[GradedUnit]
) -> list[dict[str, Any]]:
    """Each graded unit takes the next unit number of its line."""
    lines = {line.id: line for line in ret.lines}
    taken = {line.id: line.inspected for line in ret.lines}
    found = []
    for unit in units:
        line = lines[unit.return_line_id]
        number = line.units[taken[line.id]]
        taken[line.id] += 1
        _check_sku(unit, line.sku)
        found.append(
            {
                "id": ctx.new_id(),
                "inspection_id": inspection_id,
                "return_line_id": line.id,
                "line_id": line.order_line_id,
                "unit_no": number,
                "grade": unit.grade,
                "disposition": unit.disposition,
                "sku_seen": unit.sku_seen,
                "photos": [ids.encode("ev", photo) for photo in unit.photos],
                "note": unit.note,
            }
        )
    return found


def _stock_event(
    ctx: Context, ret: ReturnRecord, inspection_id: UUID, units: Sequence[GradedUnit], by: By
) -> list[Event]:
    """What the shop's stock has to know: one event per inspection, only where somebody said what
    becomes of the goods. Money is none of its business."""
    items = _sorted(ret, units)
    if not items:
        return []
    event = Event(
        id=ctx.new_id(),
        type="stock.returned",
        resource_type="inspection",
        resource_id=inspection_id,
        sequence=1,
        at=ctx.clock(),
        by=by,
        order_id=ret.order_id,
        return_id=ret.id,
        data={
            "inspection": ids.encode("ins", inspection_id),
            "return": ids.encode("ret", ret.id),
            "order": ids.encode("ord", ret.order_id),
            "items": items,
        },
    )
    return [event]


def _sorted(ret: ReturnRecord, units: Sequence[GradedUnit]) -> list[dict[str, Any]]:
    """Units of which somebody said what becomes of them, counted by line, disposition and SKU."""
    lines = {line.id: line for line in ret.lines}
    counted = Counter(
        (unit.return_line_id, unit.disposition, unit.sku_seen or lines[unit.return_line_id].sku)
        for unit in units
        if unit.disposition is not None
    )
    return [
        {
            "line": ids.encode("li", lines[line].order_line_id),
            "external_line": lines[line].external_id,
            "sku": sku,
            "disposition": disposition,
            "quantity": count,
        }
        for (line, disposition, sku), count in counted.items()
    ]


def _check_sku(unit: GradedUnit, expected: str | None) -> None:
    """A different SKU is a wrong item; saying otherwise would pay for goods that never came."""
    wrong = expected is not None and unit.sku_seen is not None and unit.sku_seen != expected
    if wrong and unit.grade != "wrong_item":
        line = ids.encode("rl", unit.return_line_id)
        problem = f"SKU {unit.sku_seen} was seen, {expected} is expected: grade it 'wrong_item'."
        raise DoesNotFit(problem, errors=[{"field": "units", "line": line, "problem": problem}])
