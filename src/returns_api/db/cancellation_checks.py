"""The queries of an audit about units that ended without a return.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N2",
        "cancelled units",
        sql("""
            SELECT l.id, l.cancelled, count(x.id) AS stopped FROM order_lines l
            LEFT JOIN unit_claims c ON c.shop_id = l.shop_id AND c.line_id = l.id
              AND c.unit_no <= l.ordered - l.removed
            LEFT JOIN cancellation_lines x ON x.shop_id = c.shop_id
              AND x.id = c.cancellation_line_id AND NOT x.dispatched
            WHERE l.shop_id = :shop AND l.order_id = ANY (:orders)
            GROUP BY l.shop_id, l.id, l.cancelled HAVING count(x.id) <> l.cancelled"""),
    ),
    Check(
        "N5",
        "cancellation that holds other units than it may",
        sql("""
            SELECT x.id, k.state, x.units, array_agg(c.unit_no ORDER BY c.unit_no)
                   FILTER (WHERE c.unit_no IS NOT NULL) AS held
            FROM cancellations k
            JOIN cancellation_lines x ON x.shop_id = k.shop_id AND x.cancellation_id = k.id
            LEFT JOIN unit_claims c ON c.shop_id = x.shop_id AND c.cancellation_line_id = x.id
            WHERE k.shop_id = :shop AND k.order_id = ANY (:orders)
            GROUP BY x.shop_id, x.id, k.state, x.units
            HAVING count(c.unit_no) <> cardinality(x.units)
                OR NOT coalesce(array_agg(c.unit_no) <@ x.units, false) AND count(c.unit_no) > 0
                OR k.state IN ('declined', 'withdrawn') AND count(c.unit_no) > 0"""),
    ),
    Check(
        "N6",
        "refund of a cancellation",
        sql("""
            SELECT r.id, r.kind, count(k.id) AS cancellations FROM refunds r
            LEFT JOIN cancellations k ON k.shop_id = r.shop_id AND k.refund_id = r.id
              AND k.state = 'confirmed'
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
            GROUP BY r.shop_id, r.id, r.kind
            HAVING count(k.id) <> CASE WHEN r.kind = 'cancellation' THEN 1 ELSE 0 END"""),
    ),
)
"""Counters are the sums of the claims, claims are those of the lines, and each refund of its kind
is of one confirmed cancellation."""
