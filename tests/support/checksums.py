"""What a shop's tables hold, in one sum each, so that a test can say that nothing was written."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

import asyncpg

NOT_COMPARED: Final = frozenset({"idempotency_keys", "rate_limits"})
"""Kept refusals and counters: written by refused requests on purpose."""


async def checksums(owner_url: str, shop: UUID) -> dict[str, str]:
    """One digest per table over the shop's rows."""
    connection = await asyncpg.connect(owner_url)
    try:
        tables = await connection.fetch(
            "SELECT table_name AS name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'shop_id'"
        )
        found = {}
        for name in sorted({row["name"] for row in tables} - NOT_COMPARED):
            rows = await connection.fetch(
                f"SELECT t::text AS row FROM {name} t WHERE shop_id = $1 ORDER BY 1", shop
            )
            whole = "\n".join(row["row"] for row in rows)
            found[name] = hashlib.sha256(whole.encode()).hexdigest()
        return found
    finally:
        await connection.close()
