"""Finding and dropping what may be forgotten; ``usecases.housekeeping`` says how long it is."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DateTime, delete, select, union

from returns_api.db.query import Query, given
from returns_api.db.tables import idempotency_keys, rate_limits
from returns_api.db.tables.queue import pgqueuer_log

BATCH: Final = 5_000

UNTIDY: Final = Query(
    union(
        select(idempotency_keys.c.shop_id).where(
            idempotency_keys.c.created_at < given("answers", DateTime(timezone=True))
        ),
        select(rate_limits.c.shop_id).where(
            rate_limits.c.window_start < given("counters", DateTime(timezone=True))
        ),
    ).limit(given("limit"))
)

_old = (
    select(pgqueuer_log.c.id)
    .where(pgqueuer_log.c.created < given("before", DateTime(timezone=True)))
    .order_by(pgqueuer_log.c.created)
    .limit(BATCH)
)
TRIM_QUEUE_LOG: Final = Query(delete(pgqueuer_log).where(pgqueuer_log.c.id.in_(_old)))
