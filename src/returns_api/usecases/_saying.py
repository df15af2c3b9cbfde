"""Writing down what somebody says, inside the transaction of whatever it belongs to.

Refuses to own who may say it, how much of it there may be, and what is told of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from returns_api.db import messages as rows
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.events import By
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.messages import MESSAGE, NOTE, About, Said
from returns_api.domain.offers import MERCHANT, party_of
from returns_api.usecases.context import Context


async def say(
    tx: Transaction,
    ctx: Context,
    by: By,
    about: About,
    order_id: UUID,
    text: str,
    *,
    kind: str = MESSAGE,
    photos: Sequence[UUID] = (),
    message_id: UUID | None = None,
) -> Said:
    """One message, or one note, with its words."""
    said = Said(
        id=message_id or ctx.new_id(),
        return_id=about.return_id,
        complaint_id=about.complaint_id,
        kind=kind,
        party=MERCHANT if kind == NOTE else party_of(Actor(by.actor)),
        role=by.actor,
        author=by.credential_id,
        text=text,
        photos=tuple(ids.encode("ev", photo) for photo in photos),
        at=ctx.clock(),
    )
    values = {name: getattr(said, name) for name in Said.__dataclass_fields__}
    await rows.add(tx, order_id=order_id, **{**values, "photos": list(said.photos)})
    return said
