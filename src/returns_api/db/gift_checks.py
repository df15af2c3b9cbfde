"""The queries of an audit about gifts, page by page of orders.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N5",
        "units brought back by a gift receipt",
        sql("""
            SELECT g.id, c.line_id, count(*) AS claimed, l.quantity FROM gift_receipts g
            JOIN returns r ON r.shop_id = g.shop_id AND r.gift_receipt_id = g.id
            JOIN return_lines rl ON rl.shop_id = r.shop_id AND rl.return_id = r.id
            JOIN unit_claims c ON c.shop_id = rl.shop_id AND c.return_line_id = rl.id
            LEFT JOIN gift_receipt_lines l ON l.shop_id = g.shop_id
                AND l.gift_receipt_id = g.id AND l.order_line_id = c.line_id
            WHERE g.shop_id = :shop AND g.order_id = ANY (:orders)
            GROUP BY g.shop_id, g.id, c.line_id, l.quantity
            HAVING count(*) > coalesce(l.quantity, 0)"""),
    ),
    Check(
        "N2",
        "credit of a gift's recipient",
        sql("""
            SELECT t.id, t.store_credit_id, p.return_id FROM returns r
            JOIN gift_recipients p ON p.shop_id = r.shop_id AND p.return_id = r.id
            JOIN refunds f ON f.shop_id = r.shop_id AND f.return_id = r.id
            JOIN transfers t ON t.shop_id = f.shop_id AND t.refund_id = f.id
            LEFT JOIN store_credits s ON s.shop_id = t.shop_id AND s.id = t.store_credit_id
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
              AND r.gift_receipt_id IS NOT NULL
              AND (s.id IS NULL OR s.holder NOT IN ('email', 'nobody')
                   OR (s.holder = 'email' AND s.holder_key IS DISTINCT FROM p.email_key))"""),
    ),
    Check(
        "N11",
        "gift without its recipient",
        sql("""
            SELECT r.id, r.gift_receipt_id, q.gift_receipt_id AS quoted FROM returns r
            JOIN quotes q ON q.shop_id = r.shop_id AND q.id = r.quote_id
            LEFT JOIN gift_recipients p ON p.shop_id = r.shop_id AND p.return_id = r.id
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
              AND r.gift_receipt_id IS NOT NULL
              AND (p.return_id IS NULL OR q.gift_receipt_id IS DISTINCT FROM r.gift_receipt_id)"""),
    ),
)
"""Of the rows below each order: what came back by a receipt was given, and was paid to whoever
brought it and nobody else."""
