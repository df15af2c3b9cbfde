"""The queries of an audit about store credit, page by page of accounts or of orders.

Like ``checks``: every row is a breach. Balance, lots, movements and ledger say the same four times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.checks import Check
from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query


def _of_accounts(invariant: str, name: str, statement: str) -> Check:
    accounts = bindparam("accounts", required=True, type_=ARRAY(Uuid))
    return Check(invariant, name, Query(text(statement).bindparams(SHOP, accounts)))


ACCOUNT_CHECKS: Final = (
    _of_accounts(
        "N2",
        "balance of store credit",
        """
        SELECT t.id, t.balance_minor, t.sequence, l.left_minor, m.moved, m.movements
        FROM store_credits t
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(remaining_minor), 0)::bigint AS left_minor FROM store_credit_lots
            WHERE shop_id = t.shop_id AND store_credit_id = t.id AND remaining_minor > 0) l
        CROSS JOIN LATERAL (
            SELECT count(*) AS movements, coalesce(sum(CASE
                WHEN kind IN ('spent', 'expired', 'recovered') THEN -amount_minor
                ELSE amount_minor END), 0)::bigint AS moved
            FROM store_credit_movements
            WHERE shop_id = t.shop_id AND store_credit_id = t.id) m
        WHERE t.shop_id = :shop AND t.id = ANY (:accounts)
          AND (t.balance_minor, t.balance_minor, t.sequence)
              <> (l.left_minor, m.moved, m.movements + 1)""",
    ),
    _of_accounts(
        "N6",
        "ledger of store credit",
        """
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
        HAVING t.balance_minor <> coalesce(sum(s.amount), 0)""",
    ),
    _of_accounts(
        "N2",
        "purchase and its lots",
        """
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
          AND (d.taken, d.returned) <> (m.amount_minor, b.back)""",
    ),
    _of_accounts(
        "N7",
        "untold movement of store credit",
        """
        SELECT t.id, t.sequence, count(e.id) AS events FROM store_credits t
        LEFT JOIN events e ON e.shop_id = t.shop_id AND e.resource_id = t.id
        WHERE t.shop_id = :shop AND t.id = ANY (:accounts)
        GROUP BY t.shop_id, t.id, t.sequence
        HAVING count(e.id) <> t.sequence OR coalesce(max(e.sequence), 0) <> t.sequence""",
    ),
)
"""What must hold of each account."""

CREDITED: Final = Check(
    "N2",
    "transfer to store credit",
    Query(
        text("""
        SELECT t.id, t.state, t.amount_minor, m.credited FROM transfers t
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0)::bigint AS credited FROM store_credit_movements m
            WHERE m.shop_id = t.shop_id AND m.transfer_id = t.id AND m.kind = 'issued'
              AND m.store_credit_id = t.store_credit_id) m
        WHERE t.shop_id = :shop AND t.order_id = ANY (:orders) AND t.store_credit_id IS NOT NULL
          AND m.credited <> CASE t.state WHEN 'succeeded' THEN t.amount_minor ELSE 0 END
        """).bindparams(SHOP, bindparam("orders", required=True, type_=ARRAY(Uuid)))
    ),
)
"""Of the rows below each order: what was paid as credit was credited, once."""

UNTOLD: Final = Check(
    "N6",
    "store credit posted without a movement",
    Query(
        text("""
        SELECT p.entry_id AS id, p.rule, p.amount_minor FROM ledger_postings p
        WHERE p.shop_id = :shop AND (p.debit = 'store_credit' OR p.credit = 'store_credit')
          AND NOT EXISTS (SELECT FROM store_credit_movements m
                          WHERE m.shop_id = p.shop_id AND m.entry_id = p.entry_id)
        LIMIT 1000""").bindparams(SHOP)
    ),
)
"""Of the whole shop."""

_AFTER: Final = Query(
    text(
        "SELECT id FROM store_credits WHERE shop_id = :shop AND id > :after"
        " ORDER BY id LIMIT :limit"
    ).bindparams(
        SHOP,
        bindparam("after", required=True, type_=Uuid),
        bindparam("limit", required=True, type_=Integer),
    )
)


async def accounts_after(tx: Transaction, after: UUID, limit: int) -> Sequence[UUID]:
    return [row["id"] for row in await tx.all(_AFTER, after=after, limit=limit)]
