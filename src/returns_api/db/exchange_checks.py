"""The queries of an audit about goods that were given for what came back.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N2",
        "what goods drew on payments",
        sql("""
            SELECT p.id, p.exchanged, coalesce(sum(d.amount_minor), 0)::bigint AS drawn
            FROM payments p
            LEFT JOIN (exchange_draws d JOIN exchanges x
                           ON x.shop_id = d.shop_id AND x.id = d.exchange_id
                           AND x.state IN ('released', 'shipped', 'completed'))
                ON d.shop_id = p.shop_id AND d.payment_id = p.id
            WHERE p.shop_id = :shop AND p.order_id = ANY (:orders)
            GROUP BY p.shop_id, p.id, p.exchanged
            HAVING p.exchanged <> coalesce(sum(d.amount_minor), 0)"""),
    ),
    Check(
        "N2",
        "what an exchange drew",
        sql("""
            SELECT x.id, x.drawn_minor, coalesce(sum(d.amount_minor), 0)::bigint AS drawn
            FROM exchanges x
            LEFT JOIN exchange_draws d ON d.shop_id = x.shop_id AND d.exchange_id = x.id
                AND x.state IN ('released', 'shipped', 'completed')
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
            GROUP BY x.shop_id, x.id, x.drawn_minor
            HAVING x.drawn_minor <> coalesce(sum(d.amount_minor), 0)"""),
    ),
    Check(
        "N2",
        "units both refunded and exchanged",
        sql("""
            SELECT g.id, g.credit, g.drawn, f.refunded, f.told FROM (
                SELECT x.shop_id, x.return_id AS id,
                       sum(x.drawn_minor)::bigint AS drawn,
                       sum(coalesce(x.credit_minor, 0))::bigint AS credit
                FROM exchanges x
                WHERE x.shop_id = :shop AND x.order_id = ANY (:orders) AND NOT x.in_advance
                  AND x.state IN ('released', 'shipped', 'completed')
                GROUP BY x.shop_id, x.return_id) g
            JOIN returns r ON r.shop_id = g.shop_id AND r.id = g.id AND r.settled_at IS NOT NULL
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(f.amount_minor), 0)::bigint AS refunded,
                       sum(p.drawn)::bigint AS told
                FROM refunds f CROSS JOIN LATERAL (
                    SELECT coalesce(-sum((part ->> 'amount')::bigint), 0) AS drawn
                    FROM jsonb_array_elements(f.parts) part
                    WHERE part ->> 'kind' = 'exchanged') p
                WHERE f.shop_id = g.shop_id AND f.return_id = g.id
                  AND f.kind IN ('return', 'advance')) f
            CROSS JOIN LATERAL (
                SELECT count(*) AS in_money FROM exchanges x
                WHERE x.shop_id = g.shop_id AND x.return_id = g.id
                  AND x.state IN ('converted', 'failed')) m
            WHERE f.told <> g.drawn
               OR CASE WHEN m.in_money > 0 THEN f.refunded + g.drawn < g.credit
                  ELSE f.refunded + g.drawn <> g.credit END"""),
    ),
    Check(
        "N2",
        "exchanges of a return and its quote",
        sql("""
            SELECT r.id, r.expected_minor, g.expected, g.exchanges, n.lines FROM returns r
            JOIN (SELECT x.shop_id, x.return_id, sum(x.expected_minor)::bigint AS expected,
                         count(*) AS exchanges
                  FROM exchanges x WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
                  GROUP BY x.shop_id, x.return_id) g
                ON g.shop_id = r.shop_id AND g.return_id = r.id
            CROSS JOIN LATERAL (SELECT count(*) AS lines FROM return_lines l
                                WHERE l.shop_id = r.shop_id AND l.return_id = r.id) n
            WHERE r.resolution IN ('exchange', 'replacement')
              AND (g.expected, g.exchanges) <> (r.expected_minor, n.lines)"""),
    ),
    Check(
        "N2",
        "exchanged unit that did not come back",
        sql("""
            SELECT x.id, unit AS unit_no FROM exchanges x
            CROSS JOIN LATERAL unnest(x.units) unit
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders) AND x.units IS NOT NULL
              AND x.state IN ('released', 'shipped', 'completed') AND NOT x.in_advance
              AND NOT EXISTS (SELECT FROM unit_claims c WHERE c.shop_id = x.shop_id
                              AND c.return_line_id = x.return_line_id AND c.unit_no = unit)"""),
    ),
    Check(
        "N2",
        "goods that went first without an advance",
        sql("""
            SELECT x.id, x.in_advance, x.drawn_minor,
                   a.amount_minor - a.never_paid_minor AS advanced
            FROM exchanges x
            LEFT JOIN advances a ON a.shop_id = x.shop_id AND a.exchange_id = x.id
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
              AND (x.in_advance OR a.id IS NOT NULL)
              AND (a.id IS NULL OR x.drawn_minor <> a.amount_minor - a.never_paid_minor)"""),
    ),
    Check(
        "N2",
        "gift of an exchange",
        sql("""
            SELECT x.id, x.gift_minor, g.amount_minor AS given, f.kind, f.amount_minor AS refunded
            FROM exchanges x
            JOIN exchange_gifts g ON g.shop_id = x.shop_id AND g.exchange_id = x.id
            LEFT JOIN refunds f ON f.shop_id = g.shop_id AND f.id = g.refund_id
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
              AND (x.gift_minor, 'goodwill', x.gift_minor)
                  IS DISTINCT FROM (g.amount_minor, f.kind, f.amount_minor)"""),
    ),
    Check(
        "N6",
        "ledger of exchanges",
        sql("""
            WITH told AS (
                SELECT e.order_id,
                       coalesce(sum(p.amount_minor) FILTER (
                           WHERE p.rule IN ('goods_drawn', 'goods_advanced')), 0)
                       - coalesce(sum(p.amount_minor) FILTER (WHERE p.rule = 'goods_recalled'), 0)
                           AS drawn,
                       coalesce(sum(p.amount_minor) FILTER (WHERE p.rule = 'difference_paid'), 0)
                           AS paid
                FROM ledger_entries e
                JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
                WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
                GROUP BY e.order_id),
            given AS (
                SELECT x.order_id, sum(x.drawn_minor) AS drawn, sum(x.paid_minor) AS paid
                FROM exchanges x WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
                GROUP BY x.order_id)
            SELECT coalesce(told.order_id, given.order_id) AS id,
                   coalesce(told.drawn, 0)::bigint AS in_ledger,
                   coalesce(given.drawn, 0)::bigint AS drawn,
                   coalesce(told.paid, 0)::bigint AS paid_in_ledger,
                   coalesce(given.paid, 0)::bigint AS paid
            FROM told FULL JOIN given ON given.order_id = told.order_id
            WHERE coalesce(told.drawn, 0) <> coalesce(given.drawn, 0)
               OR coalesce(told.paid, 0) <> coalesce(given.paid, 0)"""),
    ),
    Check(
        "N9",
        "goods that nobody gives and nobody waits for",
        sql("""
            SELECT x.id, x.state, r.state AS of_return FROM exchanges x
            JOIN returns r ON r.shop_id = x.shop_id AND r.id = x.return_id
            WHERE x.shop_id = :shop AND x.order_id = ANY (:orders)
              AND (r.settled_at IS NOT NULL OR r.closed_at IS NOT NULL)
              AND x.state IN ('requested', 'out_of_stock', 'offered', 'awaiting_goods',
                              'awaiting_payment')"""),
    ),
)
"""What must hold of the exchanges of each order."""
