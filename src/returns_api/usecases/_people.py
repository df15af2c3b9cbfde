"""Privacy requests that a platform passes on, and a shop that leaves.

Erasure is for ever: a late or newer snapshot of the same order writes nothing personal again. What
the inbox still keeps of the person (messages that were ignored or failed) is emptied too.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from returns_api.db import (
    erasure,
    gift_recipients,
    idempotency,
    imports,
    inbox_bodies,
    listings,
    order_intake,
)
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.listings import customer_name
from returns_api.domain.orders import PersonDataRequested, PersonErased
from returns_api.domain.people import normalise_email
from returns_api.usecases._listings import forget_listings
from returns_api.usecases._order_events import tell
from returns_api.usecases._waiting import NotYet, order_key
from returns_api.usecases.context import Context

ERASED_AT_ONCE: Final = 1_000
"""Orders of a leaving shop, and returns of gifts, that one transaction erases."""
SHORTEST_NEEDLE: Final = 6
"""Shorter ids would be found in bodies that are about somebody else."""


async def erase_person(tx: Transaction, ctx: Context, source: str, seen: PersonErased) -> None:
    """Erase the person of each order named.

    Raises:
        NotYet: some of the orders are not known (yet); those that are have been erased.
    """
    missing, keys = [], _keys(ctx, source, seen)
    names = {seen.email or "", seen.customer_id or "", *seen.order_external_ids}
    for external_id in sorted(set(seen.order_external_ids)):
        _, head = await order_intake.begin(tx, source, external_id, money=False)
        if head is None:
            missing.append(external_id)
            continue
        keys.update(*await listings.keys_of(tx, [head.id]))
        names |= await erasure.names(tx, head.id)
        if await erasure.erase_person(tx, head.id, ctx.clock()):
            version = await order_intake.step(tx, head.id, ctx.clock())
            await tell(tx, ctx, head.id, version, "person_erased", {})
    await forget_listings(tx, ctx, keys)
    await forget_recipient(tx, ctx, keys)
    await inbox_bodies.forget(tx, sorted(name for name in names if len(name) >= SHORTEST_NEEDLE))
    if missing:
        raise NotYet(order_key(source, missing[0]), settles=True)


def _keys(ctx: Context, source: str, seen: PersonErased) -> set[bytes]:
    """The keyed hashes of what the request itself says of the person."""
    names = [normalise_email(seen.email)] if seen.email else []
    if seen.customer_id:
        names.append(customer_name(source, seen.customer_id))
    return {ctx.sealer.keyed_hash(name) for name in names}


async def forget_recipient(tx: Transaction, ctx: Context, keys: Collection[bytes]) -> None:
    """Erase a person as a recipient of gifts, whoever ordered those; each order tells of it."""
    for order_id, return_id in await gift_recipients.forget(tx, keys, ctx.clock()):
        version = await order_intake.step(tx, order_id, ctx.clock())
        told = {"return": ids.encode("ret", return_id)}
        await tell(tx, ctx, order_id, version, "recipient_erased", told)


async def person_data_requested(
    tx: Transaction, ctx: Context, source: str, seen: PersonDataRequested
) -> None:
    """Tell the merchant's systems which of the orders named are kept here."""
    for external_id in sorted(set(seen.order_external_ids)):
        _, head = await order_intake.begin(tx, source, external_id, money=False)
        if head is not None:
            version = await order_intake.step(tx, head.id, ctx.clock())
            await tell(tx, ctx, head.id, version, "person_data_requested", {})


async def leave_shop(tx: Transaction, ctx: Context) -> None:
    """The app was removed: the shop is marked, its books stay."""
    await _leave(tx, ctx, "removed")


async def erase_shop(tx: Transaction, ctx: Context) -> None:
    """Erase everybody who bought in this shop, or brought a gift back to it, some at a time.

    Raises:
        NotYet: there are more.
    """
    await _leave(tx, ctx, "erased")
    await inbox_bodies.forget_all(tx)
    await imports.forget_all(tx)
    await idempotency.forget_all_words(tx)
    await listings.forget_all(tx)
    orders = await erasure.erase_some(tx, ERASED_AT_ONCE, ctx.clock())
    gifts = await gift_recipients.forget_some(tx, ERASED_AT_ONCE, ctx.clock())
    if ERASED_AT_ONCE in {orders, gifts}:
        raise NotYet("shop", soon=timedelta(0))


async def _leave(tx: Transaction, ctx: Context, status: str) -> None:
    version = await erasure.leave(tx, status)
    if version is None:
        return
    event = Event(
        id=ctx.new_id(),
        type=f"shop.{status}",
        resource_type="shop",
        resource_id=tx.shop,
        sequence=version,
        at=ctx.clock(),
        by=SYSTEM,
        data={"shop": ids.encode("shp", tx.shop), "status": status},
    )
    await emit(tx, [event])
