"""Credit notes: numbering what came to rest, reading them, and setting them as documents.

A note is issued a moment after its money came to rest, by one worker at a time: the counter that
every refund had to move would make all of a shop's refunds wait for one another's commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from returns_api.db import credit_notes as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Row
from returns_api.db.holds import hold
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.credit_notes import plan_note
from returns_api.domain.documents import Document, credit_note_document
from returns_api.domain.errors import NotFound
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context

BATCH: Final = 200
"""Notes that one transaction issues."""
BATCHES: Final = 50
"""Batches of one job; the next sweep goes on."""


async def number_credit_notes(ctx: Context, shop: UUID, _key: UUID) -> None:
    """Issue the shop's missing notes; does nothing while another does it."""
    for _ in range(BATCHES):
        if await _number_batch(ctx, shop) < BATCH:
            return


async def due_credit_notes(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shops with money at rest that no note tells of."""
    found = await ctx.database.sweep(rows.UNNOTED_SHOPS, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["shop_id"]) for row in found]


async def list_credit_notes(ctx: Context, principal: Principal, **filters: Any) -> list[Row]:
    """Newest first; ``before``, ``limit``, ``order_id``, ``refund_id``."""
    if principal.order_id is not None:
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, gifts=principal.order_id is None, **filters)


async def get_credit_note(ctx: Context, principal: Principal, note_id: UUID) -> Row:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        note = await rows.one(tx, note_id)
    return _seen(note, principal)


async def get_document(ctx: Context, principal: Principal, note_id: UUID) -> Document:
    """The note as a document, with the buyer's name and address as long as they are kept.

    Raises:
        NotFound.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        note = _seen(await rows.one(tx, note_id), principal)
        shop = await shop_rows.one(tx)
        person = await rows.person(tx, note["order_id"])
    recipient = None if person is None else dict(person)
    return credit_note_document(dict(note), shop["timezone"], shop["locale"], recipient)


def _seen(note: Row | None, principal: Principal) -> Row:
    """A buyer is not told that somebody else got store credit for a gift."""
    if note is None or not principal.sees_order(note["order_id"]):
        raise NotFound(NO_SUCH_THING)
    if note["of_gift"] and principal.order_id is not None:
        raise NotFound(NO_SUCH_THING)
    return note


async def _number_batch(ctx: Context, shop: UUID) -> int:
    async with ctx.database.transaction(shop) as tx:
        if not await hold(tx, "credit_notes"):
            return 0
        found = await rows.unnoted(tx, ctx.clock(), BATCH)
        if found:
            lined = [r["order_id"] for r in found if any("line" in part for part in r["parts"])]
            titles = await rows.titles(tx, lined)
            notes = [_note(ctx, refund, titles.get(refund["order_id"], {})) for refund in found]
            await rows.issue(tx, notes, issued_at=ctx.clock())
    return len(found)


def _note(ctx: Context, refund: Row, titles: Mapping[str, str]) -> dict[str, Any]:
    """The note that a refund lacks, as ``rows.issue`` stores it."""
    arrived, amount = refund["arrived_minor"], refund["amount_minor"]
    note = plan_note(
        refund["state"], arrived, refund["noted_minor"], amount, refund["parts"], titles
    )
    assert note is not None, "a refund that lacks no note"
    return {
        "id": ctx.new_id(),
        "refund_id": refund["id"],
        "order_id": refund["order_id"],
        "kind": note.kind,
        "amount_minor": note.amount_minor,
        "currency": refund["currency"],
        "noted_minor": arrived,
        "body": {"refund": ids.encode("ref", refund["id"]), "lines": list(note.lines)},
    }
