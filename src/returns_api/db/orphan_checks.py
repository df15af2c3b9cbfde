"""The queries of an audit about rows whose parent is missing.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql


def _orphans(table: str, parent: str, column: str, key: str = "id") -> Check:
    return Check(
        "N11",
        f"{table} without {parent}",
        sql(f"""
            SELECT c.{key} AS id, c.{column}::text AS parent FROM {table} c
            WHERE c.shop_id = :shop AND c.{column} IS NOT NULL
              AND NOT EXISTS (SELECT FROM {parent} p
                              WHERE p.shop_id = c.shop_id AND p.id = c.{column}) LIMIT 1000"""),
    )


SHOP_CHECKS: Final = (
    _orphans("payments", "orders", "order_id"),
    _orphans("order_lines", "orders", "order_id"),
    _orphans("returns", "orders", "order_id"),
    _orphans("return_lines", "returns", "return_id"),
    _orphans("refunds", "orders", "order_id"),
    _orphans("transfers", "refunds", "refund_id"),
    _orphans("transfers", "payments", "payment_id"),
    _orphans("ledger_entries", "orders", "order_id"),
    _orphans("ledger_postings", "ledger_entries", "entry_id", "entry_id"),
    _orphans("ledger_seals", "ledger_entries", "entry_id", "entry_id"),
)
"""What must hold of the whole shop: nothing without its parent."""
