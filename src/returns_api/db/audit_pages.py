"""What an audit walks along, page by page, and the rows of a page that the domain judges itself.

Refuses to own what is wrong with them (``db.audit_checks``, ``domain.audits``), where an audit is
(``usecases._auditing``), and the pages of the chain (``db.ledger``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from returns_api.db.checks import sql
from returns_api.db.engine import Row, Transaction

_STEPS: Final = sql("""
    WITH heads AS (
        SELECT shop_id, id, 'refund' AS kind, amount_minor FROM refunds
        WHERE shop_id = :shop AND order_id = ANY (:orders)
        UNION ALL SELECT shop_id, id, 'return', NULL FROM returns
        WHERE shop_id = :shop AND order_id = ANY (:orders)
        UNION ALL SELECT shop_id, id, 'advance', NULL FROM advances
        WHERE shop_id = :shop AND order_id = ANY (:orders)
        UNION ALL SELECT shop_id, id, 'recovery', NULL FROM recoveries
        WHERE shop_id = :shop AND order_id = ANY (:orders)
        UNION ALL SELECT s.shop_id, s.id, 'shipment', NULL FROM shipments s
        JOIN returns r ON r.shop_id = s.shop_id AND r.id = s.return_id
        WHERE r.shop_id = :shop AND r.order_id = ANY (:orders))
    SELECT h.kind, h.id, e.data ->> 'state' AS state,
           lag(e.data ->> 'state') OVER (PARTITION BY h.id ORDER BY e.sequence) AS before,
           (SELECT count(*) = 1 AND sum(t.amount_minor) = h.amount_minor FROM transfers t
            WHERE t.shop_id = h.shop_id AND t.refund_id = h.id) AS alone
    FROM heads h JOIN events e ON e.shop_id = h.shop_id AND e.resource_id = h.id
     AND e.resource_type = h.kind""")
_REFUNDS: Final = sql("""
    SELECT r.id, r.state, r.amount_minor, r.given_up,
           coalesce(array_agg(t.state ORDER BY t.id) FILTER (WHERE t.id IS NOT NULL), '{}')
               AS states,
           coalesce(array_agg(t.amount_minor ORDER BY t.id) FILTER (WHERE t.id IS NOT NULL), '{}')
               AS amounts
    FROM refunds r LEFT JOIN transfers t ON t.shop_id = r.shop_id AND t.refund_id = r.id
    WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
    GROUP BY r.shop_id, r.id""")
_ORDERS: Final = sql(
    "SELECT id FROM orders WHERE shop_id = :shop AND id > :after ORDER BY id LIMIT :limit"
)
_LAST_EVENT: Final = sql(
    "SELECT id FROM (SELECT id FROM events WHERE shop_id = :shop AND id > :after"
    " ORDER BY id LIMIT :limit) page ORDER BY id"
)
_ACCOUNTS: Final = sql(
    "SELECT id FROM store_credits WHERE shop_id = :shop AND id > :after ORDER BY id LIMIT :limit"
)
_TOTALS: Final = sql("""
    SELECT (SELECT count(*) FROM orders WHERE shop_id = :shop) AS orders,
           (SELECT count(*) FROM events WHERE shop_id = :shop) AS events,
           (SELECT count(*) FROM ledger_seals WHERE shop_id = :shop) AS entries""")


async def steps(tx: Transaction, orders: Sequence[UUID]) -> list[Row]:
    """Every told state of refunds, returns and shipments with the one before."""
    return await tx.all(_STEPS, orders=list(orders))


async def refunds(tx: Transaction, orders: Sequence[UUID]) -> list[Row]:
    """Refunds with the states and amounts of their transfers."""
    return await tx.all(_REFUNDS, orders=list(orders))


async def orders_after(tx: Transaction, after: UUID, limit: int) -> list[UUID]:
    return [row["id"] for row in await tx.all(_ORDERS, after=after, limit=limit)]


async def events_after(tx: Transaction, after: UUID, limit: int) -> list[UUID]:
    return [row["id"] for row in await tx.all(_LAST_EVENT, after=after, limit=limit)]


async def accounts_after(tx: Transaction, after: UUID, limit: int) -> list[UUID]:
    return [row["id"] for row in await tx.all(_ACCOUNTS, after=after, limit=limit)]


async def totals(tx: Transaction) -> Mapping[str, int]:
    """How many orders, events and sealed entries there are."""
    row = await tx.first(_TOTALS)
    assert row is not None
    return dict(row.items())
