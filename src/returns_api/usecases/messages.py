"""Saying something about a return: a message between buyer and merchant, or a note of the staff's.

Nothing else moves with it. The events say that it was said, not what: the words can be erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from returns_api.db import messages as rows
from returns_api.db import returns as return_rows
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict, Invalid
from returns_api.domain.events import By, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.messages import MESSAGE, NOTE, PER_RETURN, PREFIXES, Said
from returns_api.domain.offers import MERCHANT, party_of
from returns_api.usecases._announce import announce
from returns_api.usecases._loading import visible_return
from returns_api.usecases.context import Context
from returns_api.usecases.photos import require_of_return


async def send_message(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    return_id: UUID,
    text: str,
    photos: Sequence[UUID],
) -> Said:
    """Tell the other side something, with photos of the return beside it.

    Raises:
        NotFound.
        DoesNotFit: a photo is not one of the return.
        Conflict: enough was said about this return.
    """
    party = party_of(Actor(principal.role.value))
    return await _say(tx, ctx, principal, by, return_id, MESSAGE, party, text, photos)


async def add_note(
    tx: Transaction, ctx: Context, principal: Principal, by: By, return_id: UUID, text: str
) -> Said:
    """Write something down that no buyer ever reads. Raises ``NotFound``, ``Conflict``."""
    return await _say(tx, ctx, principal, by, return_id, NOTE, MERCHANT, text, ())


async def list_said(
    ctx: Context, principal: Principal, return_id: UUID, kind: str, cursor: str | None, limit: int
) -> list[Said]:
    """Messages, or notes, oldest first. Raises ``NotFound``, ``Invalid`` for a wrong cursor."""
    after = UUID(int=0) if cursor is None else ids.decode(PREFIXES[kind], cursor)
    if after is None:
        problem = "not a cursor of this list"
        raise Invalid(problem, errors=[{"field": "cursor", "in": "query", "problem": problem}])
    async with ctx.database.transaction(principal.shop) as tx:
        await visible_return(tx, principal, return_id, lock=False)
        return await rows.page(tx, return_id, kind, after=after, limit=limit)


async def _say(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    return_id: UUID,
    kind: str,
    party: str,
    text: str,
    photos: Sequence[UUID],
) -> Said:
    ret = await visible_return(tx, principal, return_id, lock=False)
    await return_rows.lock(tx, return_id)  # one at a time, so that the limit holds
    if await rows.count(tx, return_id) >= PER_RETURN:
        raise Conflict(f"A return has at most {PER_RETURN} messages and notes.")
    await require_of_return(tx, return_id, photos)
    said = Said(
        id=ctx.new_id(),
        return_id=return_id,
        kind=kind,
        party=party,
        role=principal.role.value,
        author=by.credential_id,
        text=text,
        photos=tuple(ids.encode("ev", photo) for photo in photos),
        at=ctx.clock(),
    )
    values = {name: getattr(said, name) for name in Said.__dataclass_fields__}
    await rows.add(tx, order_id=ret.order_id, **{**values, "photos": list(said.photos)})
    await announce(tx, ctx, [_event(ctx, said, ret.order_id, by)])
    return said


def _event(ctx: Context, said: Said, order_id: UUID, by: By) -> Event:
    internal = {"internal": True} if said.kind == NOTE else {"party": said.party}
    return Event(
        id=ctx.new_id(),
        type="note.added" if said.kind == NOTE else "message.sent",
        resource_type=said.kind,
        resource_id=said.id,
        sequence=1,
        at=said.at,
        by=by,
        order_id=order_id,
        return_id=said.return_id,
        data={
            said.kind: ids.encode(PREFIXES[said.kind], said.id),
            "return": ids.encode("ret", said.return_id),
            "order": ids.encode("ord", order_id),
            "photos": len(said.photos),
            **internal,
        },
    )
