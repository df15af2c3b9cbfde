"""Saying something about a return or a complaint: a message between buyer and merchant, or a note
of the staff's.

Nothing else moves with it. The events say that it was said, not what: the words can be erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from returns_api.db import complaints as complaint_rows
from returns_api.db import messages as rows
from returns_api.db import returns as return_rows
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict, DoesNotFit, Invalid
from returns_api.domain.events import By, Event
from returns_api.domain.messages import MESSAGE, NOTE, PER_RETURN, PREFIXES, About, Said
from returns_api.usecases._announce import announce
from returns_api.usecases._complaints import visible_complaint
from returns_api.usecases._loading import visible_return
from returns_api.usecases._saying import say
from returns_api.usecases.context import Context
from returns_api.usecases.photos import require_of_return


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is said: the order, and the return whose timeline tells of it."""

    order_id: UUID
    return_id: UUID | None


async def send_message(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    about: About,
    text: str,
    photos: Sequence[UUID],
) -> Said:
    """Tell the other side something, with photos of the return beside it.

    Raises:
        NotFound.
        DoesNotFit: a photo is not one of the return.
        Conflict: enough was said about it.
    """
    return await _say(tx, ctx, principal, by, about, MESSAGE, text, photos)


async def add_note(
    tx: Transaction, ctx: Context, principal: Principal, by: By, about: About, text: str
) -> Said:
    """Write something down that no buyer ever reads. Raises ``NotFound``, ``Conflict``."""
    return await _say(tx, ctx, principal, by, about, NOTE, text, ())


async def list_said(
    ctx: Context, principal: Principal, about: About, kind: str, cursor: str | None, limit: int
) -> list[Said]:
    """Messages, or notes, oldest first. Raises ``NotFound``, ``Invalid`` for a wrong cursor."""
    after = UUID(int=0) if cursor is None else ids.decode(PREFIXES[kind], cursor)
    if after is None:
        problem = "not a cursor of this list"
        raise Invalid(problem, errors=[{"field": "cursor", "in": "query", "problem": problem}])
    async with ctx.database.transaction(principal.shop) as tx:
        await _visible(tx, principal, about, lock=False)
        return await rows.page(tx, about, kind, after=after, limit=limit)


async def _visible(tx: Transaction, principal: Principal, about: About, *, lock: bool) -> _Place:
    """Raises ``NotFound``. Locked, so that of many who speak at once the limit holds."""
    if about.complaint_id is not None:
        complaint = await visible_complaint(tx, principal, about.complaint_id)
        if lock:
            await complaint_rows.lock(tx, complaint.id)
        return _Place(complaint.order_id, complaint.return_id)
    assert about.return_id is not None
    ret = await visible_return(tx, principal, about.return_id, lock=False)
    if lock:
        await return_rows.lock(tx, ret.id)
    return _Place(ret.order_id, ret.id)


async def _say(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    about: About,
    kind: str,
    text: str,
    photos: Sequence[UUID],
) -> Said:
    place = await _visible(tx, principal, about, lock=True)
    if await rows.count(tx, about) >= PER_RETURN:
        raise Conflict(f"There are at most {PER_RETURN} messages and notes about one thing.")
    if photos and place.return_id is None:
        problem = "The complaint is about no return, so it has no photos."
        raise DoesNotFit(problem, errors=[{"field": "photos", "problem": problem}])
    if place.return_id is not None:
        await require_of_return(tx, place.return_id, photos)
    said = await say(tx, ctx, by, about, place.order_id, text, kind=kind, photos=photos)
    await announce(tx, ctx, [_event(ctx, said, place, by)])
    return said


def _event(ctx: Context, said: Said, place: _Place, by: By) -> Event:
    internal = {"internal": True} if said.kind == NOTE else {"party": said.party}
    complaint = said.complaint_id
    return Event(
        id=ctx.new_id(),
        type="note.added" if said.kind == NOTE else "message.sent",
        resource_type=said.kind,
        resource_id=said.id,
        sequence=1,
        at=said.at,
        by=by,
        order_id=place.order_id,
        return_id=place.return_id,
        data={
            said.kind: ids.encode(PREFIXES[said.kind], said.id),
            "order": ids.encode("ord", place.order_id),
            "return": None if place.return_id is None else ids.encode("ret", place.return_id),
            **({} if complaint is None else {"complaint": ids.encode("cpl", complaint)}),
            "photos": len(said.photos),
            **internal,
        },
    )
