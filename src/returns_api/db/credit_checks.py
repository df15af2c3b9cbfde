"""The queries of an audit about store credit, page by page of accounts or of orders.

Like ``db.checks``: every row that a statement gives is a breach. Balance, lots, movements and
ledger say the same four times.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

ACCOUNT_CHECKS: Final = (
    Check(
        "N2",
        "balance of store credit",
        sql("""
            SELECT t.id, t.balance_minor, t.sequence, l.left_minor, m.moved, m.movements
            FROM store_credits t
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(remaining_minor), 0)::bigint AS left_minor
                FROM store_credit_lots
                WHERE shop_id = t.shop_id AND store_credit_id = t.id AND remaining_minor > 0) l
            CROSS JOIN LATERAL (
                SELECT count(*) AS movements, coalesce(sum(CASE
                    WHEN kind IN ('spent', 'expired', 'recovered') THEN -amount_minor
                    ELSE amount_minor END), 0)::bigint AS moved
                FROM store_credit_movements
                WHERE shop_id = t.shop_id AND store_credit_id = t.id) m
            WHERE t.shop_id = :shop AND t.id = ANY (:accounts)
              AND (t.balance_minor, t.balance_minor, t.sequence)
                  <> (l.left_minor, m.moved, m.movements + 1)"""),
    ),
    Check(
        "N6",
        "ledger of store credit",
        sql("""
            WITH sides AS (
                SELECT m.store_credit_id AS id, p.amount_minor * CASE
                    WHEN p.credit = 'store_credit' AND p.credit_of = m.store_credit_id THEN 1
                    WHEN p.debit = 'store_credit' AND p.debit_of = m.store_credit_id THEN -1
                    ELSE 0 END AS amount
                FROM store_credit_movements m
                JOIN ledger_postings p ON p.shop_id = m.shop_id AND p.entry_id = m.entry_id
                WHERE m.shop_id = :shop AND m.store_credit_id = ANY (:accounts))
            SELECT t.id, t.balance_minor, coalesce(sum(s.amount), 0)::bigint AS in_ledger
            FROM store_credits t LEFT JOIN sides s ON s.id = t.id
            WHERE t.shop_id = :shop AND t.id = ANY (:accounts)
            GROUP BY t.shop_id, t.id, t.balance_minor
            HAVING t.balance_minor <> coalesce(sum(s.amount), 0)"""),
    ),
    Check(
        "N2",
        "purchase and its lots",
        sql("""
            SELECT m.id, m.amount_minor, d.taken, d.returned, b.back FROM store_credit_movements m
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_minor), 0)::bigint AS taken,
                       coalesce(sum(returned_minor), 0)::bigint AS returned
                FROM store_credit_draws WHERE shop_id = m.shop_id AND movement_id = m.id) d
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_minor), 0)::bigint AS back FROM store_credit_movements u
                WHERE u.shop_id = m.shop_id AND u.store_credit_id = m.store_credit_id
                  AND u.undoes_id = m.id) b
            WHERE m.shop_id = :shop AND m.store_credit_id = ANY (:accounts) AND m.kind = 'spent'
              AND (d.taken, d.returned) <> (m.amount_minor, b.back)"""),
    ),
    Check(
        "N7",
        "untold movement of store credit",
        sql("""
            SELECT t.id, t.sequence, count(e.id) AS events FROM store_credits t
            LEFT JOIN events e ON e.shop_id = t.shop_id AND e.resource_id = t.id
            WHERE t.shop_id = :shop AND t.id = ANY (:accounts)
            GROUP BY t.shop_id, t.id, t.sequence
            HAVING count(e.id) <> t.sequence OR coalesce(max(e.sequence), 0) <> t.sequence"""),
    ),
)
"""What must hold of each account."""

ORDER_CHECKS: Final = (
    Check(
        "N2",
        "transfer to store credit",
        sql("""
            SELECT t.id, t.state, t.amount_minor, m.credited FROM refunds r
            JOIN transfers t ON t.shop_id = r.shop_id AND t.refund_id = r.id
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_minor), 0)::bigint AS credited
                FROM store_credit_movements m
                WHERE m.shop_id = t.shop_id AND m.transfer_id = t.id AND m.kind = 'issued'
                  AND m.store_credit_id = t.store_credit_id) m
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders) AND t.store_credit_id IS NOT NULL
              AND m.credited <> CASE t.state WHEN 'succeeded' THEN t.amount_minor ELSE 0 END"""),
    ),
)
"""Of the rows below each order: what was paid as credit was credited, once."""

SHOP_CHECKS: Final = (
    Check(
        "N6",
        "store credit posted without a movement",
        sql("""
            SELECT p.entry_id AS id, p.rule, p.amount_minor FROM ledger_postings p
            WHERE p.shop_id = :shop AND (p.debit = 'store_credit' OR p.credit = 'store_credit')
              AND NOT EXISTS (SELECT FROM store_credit_movements m
                              WHERE m.shop_id = p.shop_id AND m.entry_id = p.entry_id)
            LIMIT 1000"""),
    ),
)
"""Of the whole shop."""
