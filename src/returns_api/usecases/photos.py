"""Photos of an order or a return: taken, kept, linked, dropped.

The row comes before the bytes and leaves after them, so a crash at any point leaves a row that is
due, never bytes that nobody knows. No transaction is open while pixels or the store are awaited.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from returns_api.crashpoints import crashpoint
from returns_api.db import photos as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict, DoesNotFit, NotFound
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.photos import PHOTO
from returns_api.domain.photos import (
    DELETE_AGAIN_AFTER,
    LINK_LIVES,
    PER_ORDER,
    UNFINISHED_FOR,
    UNUSED_FOR,
    CleanPhoto,
    link_text,
    require_picture,
    still_good,
)
from returns_api.usecases._loading import NO_SUCH_THING, visible_order, visible_return
from returns_api.usecases.context import Context

_SYSTEM: Final = Actor.SYSTEM


@dataclass(frozen=True, slots=True)
class Target:
    """What a photo is for: an order before there is a return, else a return and perhaps a line."""

    order_id: UUID | None = None
    return_id: UUID | None = None
    return_line_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A photo whose bytes are stored and whose row does not say so yet."""

    id: UUID
    clean: CleanPhoto
    used: bool


async def store_photo(ctx: Context, principal: Principal, target: Target, body: bytes) -> Upload:
    """Make the picture anew and store it under a name that is already written down.

    Raises:
        NotFound, PhotoRefused, Unavailable.
        DoesNotFit: the line is not one of the return.
        Conflict: the order has as many photos as one can have.
    """
    require_picture(body)
    photo, name = ctx.new_id(), f"{principal.shop}/{ctx.new_secret()}.jpg"
    async with ctx.database.transaction(principal.shop) as tx:
        await _add(tx, ctx, principal, target, photo, name)
    try:
        clean = await ctx.cleaner.clean(body)
        await ctx.photos.put(name, clean.body)
        crashpoint("U1")
    except BaseException:
        await give_up(ctx, principal.shop, photo)
        raise
    return Upload(photo, clean, target.return_id is not None)


async def _add(
    tx: Transaction, ctx: Context, principal: Principal, target: Target, photo: UUID, name: str
) -> None:
    order_id, now = await _order_of(tx, principal, target), ctx.clock()
    if await rows.count(tx, order_id) >= PER_ORDER:
        raise Conflict(f"An order has at most {PER_ORDER} photos.")
    await rows.add(
        tx,
        id=photo,
        order_id=order_id,
        return_id=target.return_id,
        return_line_id=target.return_line_id,
        name=name,
        added_by=principal.acts_as,
        credential_id=principal.credential_id,
        due_at=now + UNFINISHED_FOR,
        created_at=now,
    )


async def _order_of(tx: Transaction, principal: Principal, target: Target) -> UUID:
    if target.return_id is None:
        assert target.order_id is not None
        return (await visible_order(tx, principal, target.order_id)).id
    ret = await visible_return(tx, principal, target.return_id, lock=False)
    line = target.return_line_id
    if line is not None and not await rows.has_line(tx, ret.id, line):
        problem = "This line is not one of the return."
        raise DoesNotFit(problem, errors=[{"field": "line", "in": "query", "problem": problem}])
    return ret.order_id


async def give_up(ctx: Context, shop: UUID, photo: UUID) -> None:
    """An upload that does not count is due at once; nothing happens to a photo that is kept."""
    async with ctx.database.transaction(shop) as tx:
        following = PHOTO.step("storing", "drop", _SYSTEM)
        await rows.move(tx, photo, "storing", following, ctx.clock())
        await rows.ended(tx, photo, ctx.clock())


async def keep_photo(
    tx: Transaction, ctx: Context, principal: Principal, by: By, upload: Upload
) -> Row:
    """The stored photo counts from now on; one that no return uses is dropped after a day.

    Raises:
        Conflict: it took so long that it was given up meanwhile.
    """
    now, clean = ctx.clock(), upload.clean
    PHOTO.require("storing", "keep", Actor(principal.acts_as))
    row = await rows.keep(
        tx,
        id=upload.id,
        size=len(clean.body),
        width=clean.width,
        height=clean.height,
        digest=hashlib.sha256(clean.body).digest(),
        due_at=None if upload.used else now + UNUSED_FOR,
    )
    if row is None:
        raise Conflict("The upload took too long; send the photo again.")
    await emit(tx, [_event(ctx, row, "photo.added", by)])
    return row


def _event(ctx: Context, row: Row, type_: str, by: By) -> Event:
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="photo",
        resource_id=row["id"],
        sequence=row["sequence"],
        at=ctx.clock(),
        by=by,
        order_id=row["order_id"],
        return_id=row["return_id"],
        data={
            "photo": ids.encode("ev", row["id"]),
            "order": ids.encode("ord", row["order_id"]),
            "return": None if row["return_id"] is None else ids.encode("ret", row["return_id"]),
            "return_line": (
                None if row["return_line_id"] is None else ids.encode("rl", row["return_line_id"])
            ),
        },
    )


async def get_photo(ctx: Context, principal: Principal, photo_id: UUID) -> Row:
    """Raises ``NotFound``, also for one that is not kept (any more)."""
    async with ctx.database.transaction(principal.shop) as tx:
        row = await rows.one(tx, photo_id)
        if row is None or row["state"] != "kept" or not principal.sees_order(row["order_id"]):
            raise NotFound(NO_SUCH_THING)
        if principal.order_id is not None and row["return_id"] is not None:
            await visible_return(tx, principal, row["return_id"], lock=False)
    return row


async def list_photos(ctx: Context, principal: Principal, return_id: UUID) -> list[Row]:
    """Oldest first. Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        await visible_return(tx, principal, return_id, lock=False)
        return await rows.of_return(tx, return_id)


async def use(
    tx: Transaction, order_id: UUID, return_id: UUID, line_id: UUID | None, photos: Sequence[UUID]
) -> int:
    """Show uploaded photos as evidence of a return; how many different pictures they are.

    Raises:
        DoesNotFit: one is not there, not kept, or used already.
    """
    digests = await rows.use(tx, order_id, return_id, line_id, photos)
    if len(digests) != len(set(photos)):
        problem = "A photo is not among those uploaded for this order and not used yet."
        raise DoesNotFit(problem, errors=[{"field": "photo", "problem": problem}])
    return len(set(digests))


async def require_of_return(tx: Transaction, return_id: UUID, photos: Sequence[UUID]) -> None:
    """Raises ``DoesNotFit`` unless each is a kept photo of the return."""
    missing = set(photos) - await rows.kept_of(tx, return_id, photos) if photos else set()
    if missing:
        problem = "A photo is not among those of this return."
        raise DoesNotFit(
            problem,
            errors=[
                {"field": "photos", "photo": ids.encode("ev", min(missing)), "problem": problem}
            ],
        )


def link(ctx: Context, shop: UUID, photo: UUID) -> tuple[str, datetime]:
    """An address that shows the photo to whoever has it, and until when."""
    until = (ctx.clock() + LINK_LIVES).replace(microsecond=0)
    signature = urlsafe_b64encode(_signature(ctx, shop, photo, until)).decode().rstrip("=")
    query = f"shop={ids.encode('shp', shop)}&until={int(until.timestamp())}&signature={signature}"
    return f"{ctx.public_url}/v1/photos/{ids.encode('ev', photo)}/content?{query}", until


async def content(ctx: Context, shop: UUID, photo: UUID, until: int, signature: str) -> bytes:
    """The bytes behind a link.

    Raises:
        NotFound: for a wrong signature, a link past its end and a photo that is gone, alike.
        Unavailable.
    """
    end = datetime.fromtimestamp(until, UTC)
    good = hmac.compare_digest(_signature(ctx, shop, photo, end), _unpadded(signature))
    if not good or not still_good(end, ctx.clock()):
        raise NotFound(NO_SUCH_THING)
    async with ctx.database.transaction(shop) as tx:
        row = await rows.one(tx, photo)
    kept = row is not None and row["state"] == "kept"
    body = await ctx.photos.get(row["name"]) if kept and row is not None else None
    if body is None:
        raise NotFound(NO_SUCH_THING)
    return body


def _signature(ctx: Context, shop: UUID, photo: UUID, until: datetime) -> bytes:
    return ctx.sealer.keyed_hash(link_text(shop, photo, until))


def _unpadded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


async def drop_photo(ctx: Context, shop: UUID, photo_id: UUID) -> None:
    """Delete the bytes of a photo that is due, then its name; again in a while when that fails."""
    async with ctx.database.transaction(shop) as tx:
        row = await rows.lock_due(tx, photo_id, ctx.clock())
        if row is None:
            return
        state = row["state"]
        if state != "deleting":
            state = PHOTO.step(state, "drop", _SYSTEM)
        await rows.move(tx, photo_id, row["state"], state, ctx.clock() + DELETE_AGAIN_AFTER)
    await ctx.photos.delete(row["name"])
    async with ctx.database.transaction(shop) as tx:
        PHOTO.require("deleting", "delete", _SYSTEM)
        gone = await rows.deleted(tx, photo_id)
        if gone is not None and gone["sequence"]:
            await emit(tx, [_event(ctx, gone, "photo.deleted", SYSTEM)])


async def due_photos(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Photos over all shops that are to be deleted, oldest first."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]
