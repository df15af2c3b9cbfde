"""The query of an audit about what carriers and insurers owe.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

ORDER_CHECKS: Final = (
    Check(
        "N6",
        "ledger of transport claims",
        sql("""
            WITH sides AS (
                SELECT e.source_id AS claim, p.debit AS account, p.amount_minor AS amount
                FROM ledger_entries e
                JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
                WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
                  AND e.source_type = 'transport_claim'
                UNION ALL
                SELECT e.source_id, p.credit, -p.amount_minor FROM ledger_entries e
                JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
                WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
                  AND e.source_type = 'transport_claim'),
            told AS (
                SELECT claim,
                       coalesce(sum(amount) FILTER (WHERE account = 'carrier'), 0)::bigint
                           AS carrier,
                       coalesce(sum(amount) FILTER (WHERE account = 'insurer'), 0)::bigint
                           AS insurer,
                       coalesce(sum(amount) FILTER (WHERE account = 'cash'), 0)::bigint AS cash
                FROM sides GROUP BY claim),
            owed AS (
                SELECT id AS claim,
                       CASE WHEN state = 'accepted' AND against = 'carrier' THEN accepted_minor
                       ELSE 0 END AS carrier,
                       CASE WHEN state = 'accepted' AND against = 'insurer' THEN accepted_minor
                       ELSE 0 END AS insurer,
                       CASE WHEN state = 'paid' THEN accepted_minor ELSE 0 END AS cash
                FROM transport_claims WHERE shop_id = :shop AND return_id IN
                    (SELECT id FROM returns WHERE shop_id = :shop AND order_id = ANY (:orders)))
            SELECT coalesce(told.claim, owed.claim) AS id, told.carrier, told.insurer, told.cash,
                   owed.carrier AS carrier_owes, owed.insurer AS insurer_owes, owed.cash AS was_paid
            FROM told FULL JOIN owed ON owed.claim = told.claim
            WHERE (coalesce(told.carrier, 0), coalesce(told.insurer, 0), coalesce(told.cash, 0))
               <> (coalesce(owed.carrier, 0), coalesce(owed.insurer, 0),
                   coalesce(owed.cash, 0))"""),
    ),
)
"""What the books say of a claim is what its row says: owed while accepted, here once paid."""
