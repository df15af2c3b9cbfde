"""Orders by the million, written in bulk by SQL: each with a line, a payment and an old refund.

Past the triggers and foreign keys that guard the service's own writes, as if it had all grown so.
What was refunded of them is settled, so that nothing of it is due.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

CHUNK: Final = 100_000

_FILL: Final = (
    "CREATE TEMP TABLE fill ON COMMIT DROP AS SELECT n, uuidv7() AS o, uuidv7() AS p,"
    " uuidv7() AS l, uuidv7() AS r, uuidv7() AS t FROM generate_series($1::int, $2::int) n",
    "INSERT INTO orders (shop_id, id, source, external_id, number, number_key, snapshot,"
    " placed_at, platform_updated_at, currency, taxes_included, total_minor)"
    " SELECT $1, o, 'bench', 'm' || n, 'M' || n, 'm' || n, '', now(), now(), 'EUR', true, 100"
    " FROM fill",
    "INSERT INTO order_lines (shop_id, id, order_id, external_id, position, kind, title,"
    " unit_price_minor, discounted, ordered, shipped, delivered)"
    " SELECT $1, l, o, '1', 0, 'goods', 'Field jacket', 100, false, 1, 1, 1 FROM fill",
    "INSERT INTO payments (shop_id, id, order_id, external_id, position, gateway, provider,"
    " account, provider_payment_id, currency, captured, reserved, refunded)"
    " SELECT $1, p, o, '1', 0, 'stripe', 'stripe', 'stripe', 'pi_bench_' || n, 'EUR', 100, 0, 40"
    " FROM fill",
    "INSERT INTO refunds (shop_id, id, order_id, kind, amount_minor, currency, state, parts,"
    " noted_minor, created_at, updated_at)"
    " SELECT $1, r, o, 'manual', 40, 'EUR', 'succeeded',"
    ' \'[{"kind": "manual", "amount": 40}]\', 40, now(), now() FROM fill',
    "INSERT INTO transfers (shop_id, id, refund_id, order_id, payment_id, amount_minor, currency,"
    " state, provider, account, provider_key, provider_refund_id, due_at, created_at, updated_at)"
    " SELECT $1, t, r, o, p, 40, 'EUR', 'succeeded', 'stripe', 'stripe', t::text, 're_' || t,"
    " NULL, now(), now() FROM fill",
)


async def fill_up(connection: Any, shop: UUID, begin: int, end: int) -> None:
    """Orders with the numbers from ``begin`` to ``end`` - 1, by the superuser; then statistics."""
    await connection.execute("SET session_replication_role = replica")
    for first in range(begin, end, CHUNK):
        async with connection.transaction():
            await connection.execute(_FILL[0], first, min(first + CHUNK, end) - 1)
            for statement in _FILL[1:]:
                await connection.execute(statement, shop)
    await connection.execute("SET session_replication_role = DEFAULT")
    await connection.execute("VACUUM ANALYZE")
