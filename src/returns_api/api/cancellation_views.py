"""From the record of a cancellation to its shape, and what its reader may do about it."""

from __future__ import annotations

from typing import Final

from returns_api.api.actions import Action, Link, links_of, place_of, waiting_for
from returns_api.api.schemas.actions import WaitingOut
from returns_api.api.schemas.cancellations import CancellationOut, CancelledLineOut
from returns_api.api.views import action_out, deadlines_out
from returns_api.domain.access import Principal, Scope
from returns_api.domain.cancellations import GOODS_TO_COME, CancellationRecord
from returns_api.domain.lifecycle.cancellations import CANCELLATION

LINKS: Final[dict[str, Link]] = {
    "confirm": Link("confirm", Scope.RETURNS_REVIEW),
    "turn_back": Link("turn-back", Scope.RETURNS_REVIEW),
    "decline": Link("decline", Scope.RETURNS_REVIEW),
    "withdraw": Link("withdraw", Scope.RETURNS_ACT),
    "receive": Link("receive", Scope.RECEIPTS_WRITE),
}


def cancellation_actions(found: CancellationRecord, principal: Principal) -> list[Action]:
    """What the caller may do about a cancellation, in the order of its table."""
    href, holds = place_of("cancellation", found.id), found.holds()
    return links_of(CANCELLATION, found.state, holds, LINKS, href, found.deadlines, principal)


def cancellation_out(found: CancellationRecord, principal: Principal) -> CancellationOut:
    return CancellationOut(
        cancellation=found.id,
        order=found.order_id,
        cause=found.cause,
        parcel=found.parcel,
        state=found.state,
        asked_by=found.asked_by,
        reason=found.reason,
        refund=found.refund_id,
        overrun=found.overrun,
        lines=[
            CancelledLineOut(
                line=line.order_line_id,
                title=line.title,
                sku=line.sku,
                quantity=line.quantity,
                held=len(line.units),
            )
            for line in found.lines
        ],
        sequence=found.sequence,
        created_at=found.created_at,
        updated_at=found.updated_at,
        deadlines=deadlines_out(
            CANCELLATION, found.state, found.deadlines, place_of("cancellation", found.id)
        ),
        actions=[action_out(action) for action in cancellation_actions(found, principal)],
        waiting_for=_waits(found),
    )


def _waits(found: CancellationRecord) -> WaitingOut | None:
    """A parcel that is to come back is turned back first, not paid for."""
    waits = waiting_for(CANCELLATION, found.state)
    if waits is None:
        return None
    turning = found.state == "requested" and found.cause in GOODS_TO_COME
    return WaitingOut(who=waits[0], to="turn_back" if turning else waits[1])
