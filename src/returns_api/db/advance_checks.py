"""The queries of an audit about money, or new goods, that went out before the goods were seen.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N2",
        "parts of an advance",
        sql("""
            SELECT a.id, a.amount_minor, a.never_paid_minor, a.applied_minor,
                   coalesce(r.amount_minor - r.cleared_minor, 0) AS short
            FROM advances a
            LEFT JOIN recoveries r ON r.shop_id = a.shop_id AND r.advance_id = a.id
            WHERE a.shop_id = :shop AND a.order_id = ANY (:orders)
              AND CASE WHEN a.state = 'settled'
                  THEN a.amount_minor - a.never_paid_minor - a.applied_minor
                       <> coalesce(r.amount_minor - r.cleared_minor, 0)
                  ELSE r.id IS NOT NULL OR a.never_paid_minor + a.applied_minor > 0 END"""),
    ),
    Check(
        "N2",
        "parts of a recovery",
        sql("""
            SELECT r.id, r.paid_minor, r.written_off_minor, r.waived_minor, r.cleared_minor,
                   s.paid, s.written_off, s.waived, s.cleared
            FROM recoveries r
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_minor) FILTER (
                           WHERE kind IN ('paid', 'debited')), 0)::bigint AS paid,
                       coalesce(sum(CASE kind WHEN 'written_off' THEN amount_minor
                           WHEN 'write_off_undone' THEN -amount_minor END), 0)::bigint
                           AS written_off,
                       coalesce(sum(CASE kind WHEN 'waived' THEN amount_minor
                           WHEN 'waiver_undone' THEN -amount_minor END), 0)::bigint AS waived,
                       coalesce(sum(amount_minor) FILTER (WHERE kind = 'cleared'), 0)::bigint
                           AS cleared
                FROM recovery_steps WHERE shop_id = r.shop_id AND recovery_id = r.id) s
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
              AND (r.paid_minor, r.written_off_minor, r.waived_minor, r.cleared_minor)
                  <> (s.paid, s.written_off, s.waived, s.cleared)"""),
    ),
    Check(
        "N2",
        "recovery paid by store credit",
        sql("""
            SELECT s.id, s.recovery_id, s.amount_minor, m.kind, m.amount_minor AS moved, m.order_id
            FROM recoveries r
            JOIN recovery_steps s ON s.shop_id = r.shop_id AND s.recovery_id = r.id
            JOIN store_credit_movements m ON m.shop_id = s.shop_id AND m.id = s.movement_id
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
              AND (m.kind, m.amount_minor, m.currency, m.order_id)
                  IS DISTINCT FROM ('recovered', s.amount_minor, s.currency, r.order_id)"""),
    ),
    Check(
        "N6",
        "ledger of advances",
        sql("""
            WITH sides AS (
                SELECT p.debit_of AS owner, p.amount_minor AS amount FROM ledger_entries e
                JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
                WHERE e.shop_id = :shop AND e.order_id = ANY (:orders) AND p.debit = 'advance'
                UNION ALL
                SELECT p.credit_of, -p.amount_minor FROM ledger_entries e
                JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
                WHERE e.shop_id = :shop AND e.order_id = ANY (:orders) AND p.credit = 'advance'),
            told AS (SELECT owner, sum(amount)::bigint AS balance FROM sides GROUP BY owner),
            advanced AS (
                SELECT a.order_id, sum(CASE
                    WHEN a.state = 'outstanding' AND f.given_up IS NOT TRUE
                    THEN a.amount_minor
                    WHEN a.state = 'outstanding' THEN (
                        SELECT coalesce(sum(t.amount_minor), 0) FROM transfers t
                        WHERE t.shop_id = f.shop_id AND t.refund_id = f.id
                          AND t.state NOT IN ('failed', 'canceled', 'reversed'))
                    WHEN r.id IS NULL THEN 0
                    ELSE r.amount_minor - r.paid_minor - r.written_off_minor - r.waived_minor
                         - r.cleared_minor END)::bigint AS amount
                FROM advances a
                LEFT JOIN refunds f ON f.shop_id = a.shop_id AND f.id = a.refund_id
                LEFT JOIN recoveries r ON r.shop_id = a.shop_id AND r.advance_id = a.id
                WHERE a.shop_id = :shop AND a.order_id = ANY (:orders)
                  AND a.state <> 'declined' GROUP BY a.order_id)
            SELECT coalesce(told.owner, advanced.order_id) AS id,
                   coalesce(told.balance, 0) AS in_ledger, coalesce(advanced.amount, 0) AS advanced
            FROM told FULL JOIN advanced ON advanced.order_id = told.owner
            WHERE coalesce(told.balance, 0) <> coalesce(advanced.amount, 0)"""),
    ),
)
"""What must hold of the advances of each order."""

SHOP_CHECKS: Final = (
    Check(
        "N2",
        "counters of fast refunds",
        sql("""
            WITH out AS (
                SELECT 'buyer' AS kind, a.buyer AS subject, '' AS day, a.currency,
                       CASE a.state WHEN 'outstanding' THEN a.amount_minor
                       ELSE coalesce(r.amount_minor - r.paid_minor - r.written_off_minor
                                     - r.waived_minor - r.cleared_minor, 0) END AS amount
                FROM advances a
                LEFT JOIN recoveries r ON r.shop_id = a.shop_id AND r.advance_id = a.id
                WHERE a.shop_id = :shop AND a.buyer IS NOT NULL
                UNION ALL
                SELECT 'shop_day', a.shop_id, a.day, a.currency, a.amount_minor FROM advances a
                WHERE a.shop_id = :shop AND a.day IS NOT NULL),
            sums AS (SELECT kind, subject, day, currency, sum(amount)::bigint AS amount
                     FROM out GROUP BY 1, 2, 3, 4)
            SELECT coalesce(c.subject_id, sums.subject) AS id, c.kind, c.used_minor, c.cap_minor,
                   sums.amount AS is_out
            FROM (SELECT * FROM fast_refund_caps WHERE shop_id = :shop) c
            FULL JOIN sums ON (sums.kind, sums.subject, sums.day, sums.currency)
                            = (c.kind, c.subject_id, c.day, c.currency)
            WHERE coalesce(c.used_minor, 0) <> coalesce(sums.amount, 0)
               OR c.used_minor > c.cap_minor"""),
    ),
)
"""What must hold of the counters of the whole shop."""
