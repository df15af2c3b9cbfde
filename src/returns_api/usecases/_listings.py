"""What happens to listings inside other use cases: their events, and forgetting a person."""

from __future__ import annotations

from collections.abc import Collection

from returns_api.db import listings as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.listings import KEPT_AFTER_ERASURE, ListingRecord
from returns_api.usecases.context import Context


def listing_event(
    ctx: Context, row: ListingRecord, what: str, by: By, *, because: str | None = None
) -> Event:
    """``listing.<what>``. Of whom it is, nobody is told: events are for ever."""
    ends = row.expires_at
    return Event(
        id=ctx.new_id(),
        type=f"listing.{what}",
        resource_type="listing",
        resource_id=row.id,
        sequence=row.sequence,
        at=ctx.clock(),
        by=by,
        reason=because,
        data={
            "listing": ids.encode("lst", row.id),
            "list": row.list,
            "reason": row.reason,
            "expires_at": None if ends is None else ends.isoformat(),
        },
    )


async def forget_listings(tx: Transaction, ctx: Context, person_keys: Collection[bytes]) -> None:
    """Erase a person from the lists. What protects the shop against them may stay a while, see
    ``KEPT_AFTER_ERASURE``; what was for their good ends."""
    now = ctx.clock()
    changed = await rows.forget(tx, person_keys, now, now + KEPT_AFTER_ERASURE)
    events = [
        listing_event(
            ctx, row, "shortened" if row.ended_at is None else "removed", SYSTEM,
            because="person_erased",
        )
        for row in changed
    ]  # fmt: skip
    await emit(tx, events)
