"""The queries of an audit about the units of an order: claimed, received, graded.

Like ``db.checks``: every row that a statement gives is a breach. Units that were cancelled are
``cancellation_checks``'s.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N2",
        "claimed units",
        sql("""
            SELECT l.id, l.claimed, c.claims FROM order_lines l CROSS JOIN LATERAL (
                SELECT count(*) AS claims FROM unit_claims c
                LEFT JOIN cancellation_lines x ON x.shop_id = c.shop_id
                 AND x.id = c.cancellation_line_id
                WHERE c.shop_id = l.shop_id AND c.line_id = l.id
                  AND coalesce(x.dispatched, true)) c
            WHERE l.shop_id = :shop AND l.order_id = ANY (:orders) AND c.claims <> l.claimed"""),
    ),
    Check(
        "N2",
        "received units",
        sql("""
            SELECT l.id, l.quantity, l.received, l.inspected, s.received AS counted, s.inspected
                   AS graded
            FROM returns x
            JOIN return_lines l ON l.shop_id = x.shop_id AND l.return_id = x.id
            CROSS JOIN LATERAL (
                SELECT (SELECT coalesce(sum(r.quantity), 0)::bigint FROM receipt_lines r
                        JOIN receipts h ON h.shop_id = r.shop_id AND h.id = r.receipt_id
                        WHERE h.shop_id = l.shop_id AND h.return_id = l.return_id
                          AND r.return_line_id = l.id) AS received,
                       (SELECT count(*) FROM inspected_units u
                        WHERE u.shop_id = l.shop_id AND u.return_line_id = l.id) AS inspected) s
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
              AND (l.inspected > l.received OR l.received > l.quantity
                   OR (l.received, l.inspected) <> (s.received, s.inspected))"""),
    ),
    Check(
        "N5",
        "claimed beyond shipped",
        sql("""
            SELECT l.id, l.claimed, l.outside_returned, l.ordered, l.removed, l.shipped
            FROM order_lines l CROSS JOIN LATERAL (
                -- A parcel that came back unopened may be told as never sent afterwards.
                SELECT count(*) AS back FROM unit_claims c
                WHERE c.shop_id = l.shop_id AND c.line_id = l.id
                  AND c.cancellation_line_id IS NOT NULL) c
            WHERE l.shop_id = :shop AND l.order_id = ANY (:orders)
              AND l.claimed > 0 AND l.claimed > least(l.ordered, l.shipped + c.back)"""),
    ),
    Check(
        "N5",
        "unit that was never sold",
        sql("""
            SELECT c.line_id AS id, c.unit_no, l.ordered FROM order_lines l
            JOIN unit_claims c ON c.shop_id = l.shop_id AND c.line_id = l.id
            WHERE l.shop_id = :shop AND l.order_id = ANY (:orders) AND c.unit_no > l.ordered"""),
    ),
)
"""What must hold of the lines of each order: counters are the sums of their rows, and no unit is
claimed that was not sold or not shipped."""
