"""From a repair to its shape, with what its reader may do."""

from __future__ import annotations

from returns_api.api.actions import place_of, repair_actions
from returns_api.api.schemas.repairs import PositionOut, RepairMoneyOut, RepairOut
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.exchanges import REPLACEMENT
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.repairs import RepairRecord


def repair_out(repair: RepairRecord, principal: Principal) -> RepairOut:
    return RepairOut(
        repair=repair.id,
        return_=repair.return_id,
        order=repair.order_id,
        return_line=repair.return_line_id,
        state=repair.state,
        free=repair.free,
        title=repair.title,
        sku=repair.sku,
        quantity=repair.quantity if repair.units is None else len(repair.units),
        positions=[PositionOut(**each) for each in repair.positions],
        note=repair.note,
        money=_money(repair),
        currency=repair.currency,
        instead=list(repair.instead()),
        result=repair.result,
        cause=repair.cause,
        outcome=repair.outcome,
        exchange=_replaced(repair),
        carrier=repair.carrier,
        tracking=repair.tracking,
        sequence=repair.sequence,
        created_at=repair.created_at,
        updated_at=repair.updated_at,
        deadlines=deadlines_out(
            REPAIR, repair.state, repair.deadlines, place_of("repair", repair.id)
        ),
        actions=[action_out(action) for action in repair_actions(repair, principal)],
        waiting_for=waiting_out(REPAIR, repair.state),
    )


def _replaced(repair: RepairRecord) -> str | None:
    if repair.outcome != REPLACEMENT:
        return None
    return f"/v1/exchanges?return={ids.encode('ret', repair.return_id)}"


def _money(repair: RepairRecord) -> RepairMoneyOut:
    return RepairMoneyOut(
        freight=repair.freight_minor,
        total=repair.total_minor,
        if_declined=repair.decline_minor,
        if_declined_at_most=repair.decline_most_minor,
        due=repair.due_minor,
        paid=repair.paid_minor,
        waived=repair.waived_minor,
        payment_url=repair.payment_url,
    )
