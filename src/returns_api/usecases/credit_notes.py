"""Reading credit notes, and setting them as documents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.db import credit_notes as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Row
from returns_api.domain.access import Principal
from returns_api.domain.documents import Document, credit_note_document
from returns_api.domain.errors import NotFound
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context


async def list_credit_notes(ctx: Context, principal: Principal, **filters: Any) -> list[Row]:
    """Newest first; ``before``, ``limit``, ``order_id``, ``refund_id``."""
    if principal.order_id is not None:
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, **filters)


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
    if note is None or not principal.sees_order(note["order_id"]):
        raise NotFound(NO_SUCH_THING)
    return note
