"""The queries of an audit about the books of each order: they say what the rows say.

Like ``db.checks``: every row that a statement gives is a breach. What the books say of one noun
alone (an exchange, an advance …) is with that noun's checks; whether the chain holds is
``domain.audits``'s.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import HELD, Check, sql

_SIDES: Final = """
    WITH sides AS (
        SELECT p.debit AS account, p.debit_of AS owner, p.amount_minor AS amount
        FROM ledger_entries e
        JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
        WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
        UNION ALL
        SELECT p.credit, p.credit_of, -p.amount_minor
        FROM ledger_entries e
        JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
        WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
    ), sums AS (SELECT account, owner, sum(amount) AS balance FROM sides GROUP BY 1, 2)
"""
ORDER_CHECKS: Final = (
    Check(
        "N6",
        "ledger of a payment",
        sql(f"""{_SIDES}
            SELECT p.id, p.captured, p.reserved, p.refunded, p.external, p.disputed,
                   coalesce(c.balance, 0)::bigint AS clearing,
                   coalesce(r.balance, 0)::bigint AS in_reserve,
                   coalesce(d.balance, 0)::bigint AS in_dispute
            FROM payments p
            LEFT JOIN sums c ON c.account = 'clearing' AND c.owner = p.id
            LEFT JOIN sums r ON r.account = 'reserved' AND r.owner = p.id
            LEFT JOIN sums d ON d.account = 'disputed' AND d.owner = p.id
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_minor), 0) AS credited FROM transfers
                WHERE shop_id = p.shop_id AND payment_id = p.id AND state = 'succeeded'
                  AND store_credit_id IS NOT NULL) s
            WHERE p.shop_id = :shop AND p.order_id = ANY (:orders)
              AND (coalesce(c.balance, 0), coalesce(r.balance, 0), coalesce(d.balance, 0))
               <> (p.captured - p.refunded + s.credited - p.external - p.disputed, -p.reserved,
                   p.disputed)"""),
    ),
    Check(
        "N6",
        "ledger of a buyer",
        sql(f"""{_SIDES}, owed AS (
                SELECT r.order_id, sum(r.amount_minor - t.under_way) AS amount FROM refunds r
                CROSS JOIN LATERAL (
                    SELECT coalesce(sum(amount_minor), 0) AS under_way FROM transfers
                    WHERE shop_id = r.shop_id AND refund_id = r.id
                      AND state IN ('succeeded', {HELD})
                      AND (payment_id IS NOT NULL OR state = 'succeeded')) t
                WHERE r.shop_id = :shop AND r.order_id = ANY (:orders) AND NOT r.given_up
                GROUP BY r.order_id)
            SELECT o.id, coalesce(owed.amount, 0)::bigint AS owed,
                   coalesce(-b.balance, 0)::bigint AS in_ledger
            FROM orders o LEFT JOIN owed ON owed.order_id = o.id
            LEFT JOIN sums b ON b.account = 'buyer' AND b.owner = o.id
            WHERE o.shop_id = :shop AND o.id = ANY (:orders)
              AND coalesce(owed.amount, 0) <> coalesce(-b.balance, 0)"""),
    ),
    Check(
        "N10",
        "entry left out of the chain",
        sql("""
            SELECT e.id, e.fact FROM ledger_entries e
            WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
              AND NOT EXISTS (SELECT FROM ledger_seals s
                              WHERE s.shop_id = e.shop_id AND s.entry_id = e.id)
              AND NOT EXISTS (SELECT FROM ledger_unsealed u
                              WHERE u.shop_id = e.shop_id AND u.entry_id = e.id)"""),
    ),
)
"""What must hold of the ledger of each order."""
