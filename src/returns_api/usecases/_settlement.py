"""The moment money is due for a return: units and grades in, refund out, once.

Lock order: the order's payments, then the return. What is due is the accepted quote's own sum over
the units that came back, with the deductions of their grades, never more than the quote announced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from returns_api.db import orders as order_rows
from returns_api.db import refunds as refund_rows
from returns_api.db import returns as rows
from returns_api.db import warehouse as warehouse_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job
from returns_api.domain.allocation import from_json
from returns_api.domain.events import By, Event
from returns_api.domain.quotes import settlement_terms
from returns_api.domain.refunds import PlannedTransfer, tenders
from returns_api.domain.returns import ReturnRecord, due_for_settlement, plan_settle
from returns_api.domain.settlement import Claim, Settlement, plan_settlement
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases._returns import save
from returns_api.usecases.context import Context


async def settle_if_due(
    tx: Transaction, ctx: Context, return_id: UUID, by: By
) -> tuple[list[Event], list[Job]]:
    """Refund what the policy's moment has made due; nothing when it has not come or has passed.

    The caller has locked the order's payments already (``refund_rows.lock_payments``).
    """
    ret = await rows.lock_whole(tx, return_id)
    if ret is None or not due_for_settlement(ret):
        return [], []
    payments = await refund_rows.lock_payments(tx, ret.order_id)
    certificate = from_json(await order_rows.certificate(tx, ret.order_id))
    graded = await warehouse_rows.graded_units(tx, ret.id)
    settlement = plan_settlement(
        certificate,
        _claims(ret, graded),
        settlement_terms(
            ret.terms, await refund_rows.shipping_refunded(tx, ret.order_id), quoting=False
        ),
        tenders(payments),
    )
    by_id = {str(payment.id): payment for payment in payments}
    moves = [PlannedTransfer(by_id[t.tender], t.amount_minor) for t in settlement.transfers]
    due = sum(move.amount_minor for move in moves)
    change = plan_settle(ret, ctx.clock(), due)
    events, jobs = await save(tx, ctx, change, by)
    if due:
        new = _new_refund(ret, settlement, moves, change.values["refund_by"])
        written = await reserve_and_store(tx, ctx, new, by)
        events, jobs = [*events, *written.events], [*jobs, *written.jobs]
    return events, jobs


def _claims(ret: ReturnRecord, graded: Sequence[Row]) -> list[Claim]:
    """The units that came back. Money due before the inspection knows no grades."""
    lines = {line.id: line for line in ret.lines}
    if graded:
        return [
            Claim(
                line=lines[unit["return_line_id"]].external_id,
                unit=unit["unit_no"],
                deduction_ppm=ret.terms.of_line(
                    lines[unit["return_line_id"]].order_line_id
                ).deduction_ppm(unit["grade"]),
                because=unit["grade"],
            )
            for unit in graded
        ]
    return [
        Claim(line.external_id, unit)
        for line in ret.open_lines()
        for unit in line.units[: line.received]
    ]


def _new_refund(
    ret: ReturnRecord, settlement: Settlement, moves: list[PlannedTransfer], due_by: Any
) -> NewRefund:
    return NewRefund(
        order_id=ret.order_id,
        kind="return",
        currency=settlement.currency,
        transfers=moves,
        parts=[part.as_dict() for part in settlement.parts],
        return_id=ret.id,
        reason="return",
        due_by=due_by,
    )
