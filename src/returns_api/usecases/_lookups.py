"""Counting the guesses of whoever has no key of a shop: at orders, and at gift receipts.

Both draw on the same counters of caller and shop, so that nobody guesses twice as often by guessing
at both. Refuses to own the counters' rows (``db.rate_limits``) and what is looked up.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from returns_api.db import rate_limits
from returns_api.db.rate_limits import Bucket
from returns_api.domain.limits import caller_of
from returns_api.usecases.context import Context

PER_CALLER: Final = 20
PER_NUMBER: Final = 5
PER_SHOP: Final = 200
"""Guest look-ups per minute."""


async def count_lookup(ctx: Context, shop: UUID, host: str | None, number: str | None) -> None:
    """Count one guess, in a transaction of its own: a wrong one is counted too.

    ``host`` is the address of the socket's other end, ``number`` an order's number in its one form.

    Raises:
        RateLimited: too many of this order, by this caller, or in this shop.
    """
    named = [(f"lookup caller {caller_of(host)}", PER_CALLER)]
    if number is not None:
        named.append((f"lookup number {number}", PER_NUMBER))
    named.append(("lookup shop", PER_SHOP))
    buckets = [Bucket(ctx.sealer.keyed_hash(text), limit) for text, limit in named]
    async with ctx.database.transaction(shop) as tx:
        await rate_limits.hit(tx, buckets, ctx.clock())
