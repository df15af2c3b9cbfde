"""Whether anything about an order is still open between the buyer and the shop.

Owns the one question that keeps a shop from asking for a review in the middle of a quarrel: a
return, an exchange, a repair, a dispute, a complaint, a withdrawal, a chargeback, money on its way
or to come back. Which states are open is said by the lifecycle tables.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, Uuid, and_, or_, select

from returns_api.db.engine import Transaction
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import (
    complaints,
    disputes,
    exchanges,
    orders,
    outside_facts,
    recoveries,
    refunds,
    repairs,
    returns,
    withdrawals,
)
from returns_api.domain.complaints import UNDER_WAY
from returns_api.domain.lifecycle.advances import OPEN
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Machine
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.lifecycle.returns import RETURN

_order: Final = given("order_id", Uuid)


def _open(machine: Machine) -> list[str]:
    return [state for state in machine.states if state not in machine.terminal | machine.rest]


def _some(table: Table, *conditions: Any) -> ColumnElement[bool]:
    return (
        select(table.c.order_id)
        .where(here(table), table.c.order_id == _order, *conditions)
        .exists()
    )


def _in(table: Table, states: list[str]) -> ColumnElement[bool]:
    return _some(table, among(table.c.state, states))


_disputed: Final = (
    select(disputes.c.id)
    .join(
        returns, and_(returns.c.shop_id == disputes.c.shop_id, returns.c.id == disputes.c.return_id)
    )
    .where(here(disputes), returns.c.order_id == _order, among(disputes.c.state, _open(DISPUTE)))
    .exists()
)
_settled: Final = or_(
    among(refunds.c.state, ("succeeded", "canceled")),
    and_(refunds.c.given_up, refunds.c.state == "partially_succeeded"),
)
"""As ``lifecycle.refunds.is_settled``."""
_OPEN: Final = Query(
    select(
        or_(
            _in(returns, _open(RETURN)),
            _in(exchanges, _open(EXCHANGE)),
            _in(repairs, _open(REPAIR)),
            _disputed,
            _in(complaints, list(UNDER_WAY)),
            _in(withdrawals, ["confirmed"]),
            _in(recoveries, sorted(OPEN)),
            _some(refunds, ~_settled),
            _some(outside_facts, outside_facts.c.kind == "dispute", outside_facts.c.active),
        )
    )
)
_LOCK: Final = Query(
    select(orders.c.id).where(here(orders), orders.c.id == _order).with_for_update(key_share=True)
)


async def is_open(tx: Transaction, order_id: UUID) -> bool:
    """Whether a case of the order is under way."""
    return bool(await tx.value(_OPEN, order_id=order_id))


async def lock_order(tx: Transaction, order_id: UUID) -> None:
    """The order's head, as intake locks it: before all that is kept by it."""
    await tx.first(_LOCK, order_id=order_id)
