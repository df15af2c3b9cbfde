"""The queries of an audit about refunds and what stands for them on paper.

Like ``db.checks``: every row that a statement gives is a breach. The tries that carry a refund
out are ``transfer_checks``'s.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import HELD, Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N2",
        "refund amounts",
        sql(f"""
            SELECT r.id, r.amount_minor, sum(t.amount_minor)::bigint AS under_way FROM refunds r
            JOIN transfers t ON t.shop_id = r.shop_id AND t.refund_id = r.id
             AND t.state IN ('succeeded', {HELD})
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
            GROUP BY r.shop_id, r.id, r.amount_minor
            HAVING sum(t.amount_minor) > r.amount_minor"""),
    ),
    Check(
        "N2",
        "refund parts",
        sql("""
            SELECT r.id, r.amount_minor, s.parts FROM refunds r
            CROSS JOIN LATERAL (SELECT coalesce(sum((part ->> 'amount')::bigint), 0)::bigint
                                       AS parts
                                FROM jsonb_array_elements(r.parts) part) s
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
              AND r.amount_minor <> s.parts"""),
    ),
    Check(
        "N2",
        "credit notes",
        sql("""
            SELECT r.id, r.state, r.arrived_minor, t.arrived, r.noted_minor, n.noted
            FROM refunds r
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(CASE kind WHEN 'cancellation' THEN -amount_minor
                                    ELSE amount_minor END), 0)::bigint AS noted
                FROM credit_notes WHERE shop_id = r.shop_id AND refund_id = r.id) n
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_minor), 0)::bigint AS arrived FROM transfers
                WHERE shop_id = r.shop_id AND refund_id = r.id AND state = 'succeeded') t
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
              AND (r.arrived_minor <> t.arrived OR r.noted_minor <> n.noted
                   OR (r.noted_minor <> t.arrived AND r.note_at IS NULL AND r.state IN
                       ('succeeded', 'partially_succeeded', 'failed', 'reversed', 'canceled')))"""),
    ),
    Check(
        "N2",
        "returned amount",
        sql("""
            SELECT r.id, r.refunded_minor, coalesce(sum(t.amount_minor), 0)::bigint AS arrived
            FROM returns r
            LEFT JOIN refunds f ON f.shop_id = r.shop_id AND f.return_id = r.id
            LEFT JOIN transfers t ON t.shop_id = f.shop_id AND t.refund_id = f.id
             AND t.state = 'succeeded'
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
            GROUP BY r.shop_id, r.id, r.refunded_minor
            HAVING r.refunded_minor <> coalesce(sum(t.amount_minor), 0)"""),
    ),
)
"""What must hold of the refunds of each order: every amount is the sum of its rows."""

SHOP_CHECKS: Final = (
    Check(
        "N2",
        "numbers of credit notes",
        sql("""
            SELECT s.shop_id AS id, s.last_number, count(n.number) AS notes, max(n.number) AS newest
            FROM number_series s LEFT JOIN credit_notes n ON n.shop_id = s.shop_id
            WHERE s.shop_id = :shop AND s.name = 'credit_notes'
            GROUP BY s.shop_id, s.last_number
            HAVING count(n.number) <> s.last_number
                OR coalesce(max(n.number), 0) <> s.last_number"""),
    ),
)
"""What must hold of the whole shop: credit notes are numbered without a gap."""
