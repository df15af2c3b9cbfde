"""The queries of an audit about what is left of each payment.

Like ``db.checks``: every row that a statement gives is a breach. What the books say of a payment
is ``ledger_checks``'s.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import HELD, Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N1",
        "reserved beyond captured",
        sql("""
            SELECT id, captured, reserved, refunded, external, disputed, exchanged FROM payments
            WHERE shop_id = :shop AND order_id = ANY (:orders)
              AND (least(captured, reserved, refunded, external, disputed, exchanged) < 0
                   OR reserved + refunded + exchanged > captured)"""),
    ),
    Check(
        "N1",
        "reserved beyond what outside facts left",
        sql("""
            SELECT p.id, captured, reserved, refunded, external, disputed, exchanged
            FROM payments p
            WHERE p.shop_id = :shop AND p.order_id = ANY (:orders)
              AND reserved + refunded + external + disputed + exchanged > captured
              AND NOT EXISTS (SELECT FROM outside_facts f
                              WHERE f.shop_id = p.shop_id AND f.order_id = p.order_id
                                AND f.payment_id = p.id)"""),
    ),
    Check(
        "N2",
        "payment counters",
        sql(f"""
            SELECT p.id, p.reserved, p.refunded, p.external, p.disputed, t.held, t.paid, f.refunds,
                   f.disputes
            FROM payments p
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount_minor) FILTER (WHERE state IN ({HELD})), 0)::bigint
                           AS held,
                       coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0)::bigint
                           AS paid
                FROM transfers WHERE shop_id = p.shop_id AND payment_id = p.id) t ON true
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund'), 0)::bigint
                           AS refunds,
                       coalesce(sum(amount_minor) FILTER (WHERE kind = 'dispute'), 0)::bigint
                           AS disputes
                FROM outside_facts WHERE shop_id = p.shop_id AND order_id = p.order_id
                 AND payment_id = p.id AND active AND counted) f ON true
            WHERE p.shop_id = :shop AND p.order_id = ANY (:orders)
              AND (p.reserved, p.refunded, p.external, p.disputed)
                  <> (t.held, t.paid, f.refunds, f.disputes)"""),
    ),
)
"""What must hold of the payments of each order: none gives more than it took, and its counters are
the sums of its rows."""
