"""A refund as it is shown and as it is held: with its movements of money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from returns_api.db import refunds as rows
from returns_api.db import reservations
from returns_api.db import transfers as transfer_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.access import Principal
from returns_api.domain.errors import NotFound
from returns_api.domain.order_record import PaymentRecord
from returns_api.usecases._approvals import held_binding
from returns_api.usecases._loading import NO_SUCH_THING


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund and its movements of money."""

    refund: Row
    transfers: Sequence[Row]

    @property
    def binding(self) -> str | None:
        """What an approval is bound to; None when nothing of the refund waits for one."""
        return held_binding(self.refund, self.transfers)


async def view_of(tx: Transaction, refund_id: UUID) -> RefundView:
    head = await rows.one(tx, refund_id)
    if head is None:
        raise NotFound(NO_SUCH_THING)
    return RefundView(head, await transfer_rows.of_refunds(tx, [refund_id]))


async def locked(
    tx: Transaction, principal: Principal, refund_id: UUID
) -> tuple[Row, list[PaymentRecord], list[Row]]:
    """The refund, its order's payments and its transfers. Payments are locked first, then the
    transfers: nobody moves them while we decide."""
    head = await rows.one(tx, refund_id)
    if head is None or not principal.sees_order(head["order_id"]):
        raise NotFound(NO_SUCH_THING)
    payments = await reservations.lock_payments(tx, head["order_id"])
    moves = await transfer_rows.lock_of_refund(tx, refund_id)
    return await rows.lock(tx, refund_id), payments, moves
