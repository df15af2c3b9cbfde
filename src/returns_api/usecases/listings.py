"""The shop's allow and block lists: putting a person on one, reading them, taking a person off.

Refuses to own what being on a list does: nothing here refuses a return (``domain.reviewing``).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.db import listings as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict, DoesNotFit, NotFound
from returns_api.domain.events import By
from returns_api.domain.listings import CUSTOMER, EMAIL, ListingRecord, NewListing
from returns_api.domain.people import normalise_email
from returns_api.usecases._acting import Acting
from returns_api.usecases._listings import listing_event
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context


async def add_listing(tx: Transaction, ctx: Context, by: By, new: NewListing) -> ListingRecord:
    """Put a person on a list; known from now on by a keyed hash only.

    Raises:
        DoesNotFit: it would be over before it begins, or the order names nobody.
        NotFound: no such order.
        Conflict: the person is on a list; names the listing.
    """
    now = ctx.clock()
    if new.expires_at is not None and new.expires_at <= now:
        problem = "This time is over."
        raise DoesNotFit(problem, errors=[{"field": "expires_at", "problem": problem}])
    identifier, key = await _person(tx, ctx, new)
    events = []
    passed = await rows.end_passed(tx, key, now)
    if passed is not None:
        events.append(listing_event(ctx, passed, "removed", by, because="expired"))
    made = await rows.add(
        tx,
        id=ctx.new_id(),
        list=new.list,
        identifier=identifier,
        person_key=key,
        reason=new.reason,
        made_by=by.actor,
        created_at=now,
        expires_at=new.expires_at,
    )
    if made is None:
        (known,) = await rows.of_person(tx, [key])
        raise Conflict(
            f"This person is on the {known.list} list; remove that first.",
            listing=ids.encode("lst", known.id),
            list=known.list,
        )
    await emit(tx, [*events, listing_event(ctx, made, "added", by)])
    return made


async def get_listing(ctx: Context, principal: Principal, listing_id: UUID) -> ListingRecord:
    """Also one that has ended. Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return _found(await rows.one(tx, listing_id))


async def list_listings(ctx: Context, principal: Principal, **filters: Any) -> list[ListingRecord]:
    """Those that have not ended, newest first; ``before``, ``limit``, ``list``, ``order_id`` (those
    of the person who ordered)."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, **filters)


async def remove_listing(ctx: Context, who: Acting) -> None:
    """Take a person off a list; whom it named is forgotten. Raises ``NotFound``."""
    async with ctx.database.transaction(who.principal.shop) as tx:
        ended = _found(await rows.end(tx, who.target, ctx.clock()))
        await emit(tx, [listing_event(ctx, ended, "removed", who.by)])
    ctx.wake()


async def _person(tx: Transaction, ctx: Context, new: NewListing) -> tuple[str, bytes]:
    """By what the person is known, and the keyed hash of it."""
    if new.email is not None:
        return EMAIL, ctx.sealer.keyed_hash(normalise_email(new.email))
    if new.customer is not None:
        return CUSTOMER, ctx.sealer.keyed_hash(new.customer)
    assert new.order_id is not None
    found = await rows.keys_of(tx, [new.order_id])
    if not found:
        raise NotFound(NO_SUCH_THING)
    (keys,) = found
    if not keys:
        problem = "The order names nobody (any more)."
        raise DoesNotFit(problem, errors=[{"field": "order", "problem": problem}])
    return EMAIL if keys[0] == keys[-1] else CUSTOMER, keys[0]


def _found(row: ListingRecord | None) -> ListingRecord:
    if row is None:
        raise NotFound(NO_SUCH_THING)
    return row
