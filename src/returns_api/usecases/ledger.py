"""The books: sealing them into the shop's chain, and reading entries and balances.

Entries are written where their facts are (``_books``) and sealed a moment later, by one worker at a
time: the head of a chain that every refund had to advance would make all of a shop's refunds wait
for one another's commit.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.db import ledger as rows
from returns_api.db.engine import Row
from returns_api.db.holds import hold
from returns_api.domain.ledger import canonical, digest_of, genesis
from returns_api.usecases.context import Context

BATCH: Final = 500
"""Entries that one transaction seals."""
BATCHES: Final = 20
"""Batches that one job seals; the next sweep goes on."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with its seal, if it has one yet, and its postings."""

    entry: Row
    postings: Sequence[Row]


async def seal_ledger(ctx: Context, shop: UUID, _key: UUID) -> None:
    """Seal what the shop's chain does not cover yet; does nothing while another does it."""
    for _ in range(BATCHES):
        if await _seal_batch(ctx, shop) < BATCH:
            return


async def due_seals(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shops with entries that are not sealed."""
    found = await ctx.database.sweep(rows.UNSEALED_SHOPS, limit=limit)
    return [(row["shop_id"], row["shop_id"]) for row in found]


async def list_entries(
    ctx: Context, shop: UUID, *, before: UUID, limit: int, order_id: UUID | None
) -> list[EntryView]:
    """Newest first; of one order, or all."""
    async with ctx.database.transaction(shop) as tx:
        entries, postings = await rows.page(tx, before=before, limit=limit, order_id=order_id)
    of_entry = by_entry(postings)
    return [EntryView(entry, of_entry[entry["id"]]) for entry in entries]


async def view_balances(
    ctx: Context, shop: UUID, *, at: datetime | None, order_id: UUID | None
) -> list[Row]:
    """Each account's balance at a time (now, if not said): of the shop, or by one order's entries.
    A balance is debits less credits in minor units, and all of a currency add up to zero."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.balances(tx, at or ctx.clock(), order_id=order_id)


def by_entry(postings: Sequence[Row]) -> defaultdict[UUID, list[Any]]:
    """Postings of each entry, in their order."""
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    for posting in postings:
        found[posting["entry_id"]].append(posting)
    return found


async def _seal_batch(ctx: Context, shop: UUID) -> int:
    async with ctx.database.transaction(shop) as tx:
        if not await hold(tx, "ledger"):
            return 0
        entries = await rows.unsealed(tx, BATCH)
        if not entries:
            return 0
        postings = by_entry(await rows.postings_of(tx, [entry["id"] for entry in entries]))
        head = await rows.head(tx)
        position, digest = (
            (0, genesis(shop)) if head is None else (head["position"], head["digest"])
        )
        await rows.seal(tx, await asyncio.to_thread(_seals, position, digest, entries, postings))
    return len(entries)


def _seals(
    position: int,
    digest: bytes,
    entries: Sequence[Row],
    postings: defaultdict[UUID, list[Any]],
) -> list[tuple[int, UUID, bytes]]:
    """The seals of entries that follow a position (pure)."""
    made = []
    for entry in entries:
        position += 1
        digest = digest_of(digest, canonical(position, entry, postings[entry["id"]]))
        made.append((position, entry["id"], digest))
    return made
