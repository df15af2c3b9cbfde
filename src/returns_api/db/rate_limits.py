"""Counters of tries per full minute, shared by all processes.

A try is counted on all of its buckets or on none: a caller whom one bucket refuses must not use up
the others, or one address could lock a whole shop out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    DateTime,
    Integer,
    LargeBinary,
    any_,
    delete,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import rate_limits as _t
from returns_api.domain.errors import RateLimited
from returns_api.domain.limits import WINDOW, Count, elapsed_ms, window_of


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is counted (a keyed hash: it may stand for a person) and how often it may be tried."""

    key: bytes
    limit: int


_READ: Final = Query(
    select(_t.c.bucket, _t.c.window_start, _t.c.hits).where(
        here(_t),
        _t.c.bucket == any_(given("keys", ARRAY(LargeBinary))),
        _t.c.window_start >= given("since", DateTime(timezone=True)),
    )
)
_wanted = json_rows("wanted", no=Integer, key=LargeBinary, room=Integer)
_insert = insert(_t).from_select(
    ["shop_id", "bucket", "window_start", "hits"],
    select(SHOP, _wanted.c.key, given("window", DateTime(timezone=True)), literal(1)).order_by(
        _wanted.c.no
    ),
)
_room = (
    select(_wanted.c.room)
    .where(_wanted.c.key == literal_column("excluded.bucket"))
    .scalar_subquery()
)
_HIT: Final = Query(
    _insert.on_conflict_do_update(
        index_elements=[_t.c.shop_id, _t.c.bucket, _t.c.window_start],
        set_={"hits": _t.c.hits + 1},
        where=_t.c.hits < _room,
    )
)
_FORGET: Final = Query(delete(_t).where(here(_t), _t.c.window_start < given("before")))


async def hit(tx: Transaction, buckets: Sequence[Bucket], now: datetime) -> None:
    """Count one try on every bucket. Name them always in the same order, or two tries may deadlock.

    Raises:
        RateLimited: a bucket is full; the transaction must be rolled back, so nothing is counted.
    """
    counts = await _counts(tx, buckets, now)
    full = [
        count.retry_after(bucket.limit)
        for bucket, count in zip(buckets, counts, strict=True)
        if count.now >= count.room(bucket.limit)
    ]
    if not full:
        wanted = [
            {"no": no, "key": f"\\x{bucket.key.hex()}", "room": count.room(bucket.limit)}
            for no, (bucket, count) in enumerate(zip(buckets, counts, strict=True))
        ]
        if await tx.run(_HIT, wanted=wanted, window=window_of(now)) == len(buckets):
            return
    raise RateLimited("Too many tries; wait before the next one.", retry_after=max(full, default=1))


async def _counts(tx: Transaction, buckets: Sequence[Bucket], now: datetime) -> list[Count]:
    this = window_of(now)
    found = await tx.all(_READ, keys=[each.key for each in buckets], since=this - WINDOW)
    hits = {(bytes(row["bucket"]), row["window_start"]): row["hits"] for row in found}
    before, passed = this - WINDOW, elapsed_ms(now)
    return [
        Count(hits.get((each.key, before), 0), hits.get((each.key, this), 0), passed)
        for each in buckets
    ]


async def forget(tx: Transaction, before: datetime) -> int:
    """Drop minutes that no longer count; returns how many counters."""
    return await tx.run(_FORGET, before=before)
