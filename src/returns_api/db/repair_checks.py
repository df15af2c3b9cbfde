"""The queries of an audit about goods that were mended.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N2",
        "repair charged other than quoted",
        sql("""
            SELECT x.id, x.total_minor, p.charged, x.due_minor FROM repairs x
            CROSS JOIN LATERAL (
                SELECT x.freight_minor + coalesce(sum(
                    (each ->> 'quantity')::bigint * (each ->> 'unit_price')::bigint)
                    FILTER (WHERE NOT (each ->> 'covered')::boolean), 0)::bigint AS charged
                FROM jsonb_array_elements(x.positions) each) p
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
              AND (x.total_minor <> p.charged OR x.due_minor > p.charged
                   OR (x.free AND coalesce(x.due_minor, 0) <> 0))"""),
    ),
    Check(
        "N5",
        "repaired unit that is still held",
        sql("""
            SELECT x.id, c.unit_no FROM repairs x
            JOIN unit_claims c ON c.shop_id = x.shop_id AND c.return_line_id = x.return_line_id
             AND c.unit_no = ANY (x.units)
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
              AND x.state IN ('shipped', 'completed')"""),
    ),
    Check(
        "N6",
        "ledger of repairs",
        sql("""
            WITH told AS (
                SELECT e.source_id AS repair, sum(p.amount_minor)::bigint AS paid
                FROM ledger_entries e
                JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
                 AND p.rule = 'repair_paid'
                WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
                GROUP BY e.source_id),
            paid AS (
                SELECT x.id AS repair, x.paid_minor AS paid FROM repairs x
                WHERE x.shop_id = :shop AND x.order_id = ANY (:orders))
            SELECT coalesce(told.repair, paid.repair) AS id, told.paid AS in_ledger, paid.paid
            FROM told FULL JOIN paid ON paid.repair = told.repair
            WHERE coalesce(told.paid, 0) <> coalesce(paid.paid, 0)"""),
    ),
    Check(
        "N9",
        "goods of a return that is over are still to be repaired",
        sql("""
            SELECT x.id, x.state, r.state AS of_return FROM repairs x
            JOIN returns r ON r.shop_id = x.shop_id AND r.id = x.return_id
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
              AND (r.settled_at IS NOT NULL OR r.closed_at IS NOT NULL)
              AND x.state IN ('awaiting_goods', 'diagnosing', 'escalated', 'quoted', 'repairing',
                              'unrepairable', 'awaiting_payment', 'ready')"""),
    ),
)
"""What must hold of the repairs of each order."""
