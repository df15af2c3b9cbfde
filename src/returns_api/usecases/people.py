"""What is kept of one person: told, or erased for ever. The books stay (GDPR, articles 15 and 17).

A person is found by an e-mail address, and by the accounts that ordered under it. Erasure goes the
way of the platforms' own requests (``_people``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from returns_api.db import (
    address_changes,
    complaints,
    gift_recipients,
    listings,
    messages,
    notifications,
    opt_outs,
    order_intake,
    withdrawals,
)
from returns_api.db import people as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.errors import Conflict
from returns_api.domain.listings import ListingRecord
from returns_api.domain.orders import PersonErased
from returns_api.domain.people import normalise_email
from returns_api.usecases._listings import forget_listings
from returns_api.usecases._order_events import tell
from returns_api.usecases._people import erase_person, forget_recipient
from returns_api.usecases.context import Context

ORDERS_MAX: Final = 1_000
"""Of one person; whoever has more is asked about in the database."""
AT_ONCE: Final = 50
"""Orders that one transaction erases."""


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """An order with what hangs on it."""

    row: Row
    lines: list[Row]
    returned: list[Row]
    refunds: list[Row]
    told: list[Row]
    """Notifications about it."""
    said: list[Row]
    """Messages about its returns; the staff's notes are not told."""
    withdrawn: list[Row]
    moved: list[Row]
    """Address changes that were asked for."""


@dataclass(frozen=True, slots=True)
class KeptGift:
    """A return of what somebody else had bought."""

    row: Row
    told: list[Row]
    said: list[Row]
    """Messages about it and about complaints of it, without the staff's notes."""


@dataclass(frozen=True, slots=True)
class KeptPerson:
    """Orders, newest first, the channels on which the person wants no notifications, and where they
    are on a list of the shop."""

    orders: list[KeptOrder]
    opted_out: list[str]
    listed: list[ListingRecord]
    """Listings, by the address and by the accounts."""
    gifts: list[KeptGift]
    """What they brought back that somebody else had bought."""


async def export_person(ctx: Context, shop: UUID, email: str) -> KeptPerson:
    """Everything that is kept of a person. Each order's history tells of it.

    Raises:
        Conflict: there are too many orders for one answer.
    """
    async with ctx.database.transaction(shop) as tx:
        found = await _found(ctx, email, tx)
        for row in sorted(found, key=lambda each: (each["source"], each["external_id"])):
            await order_intake.begin(tx, row["source"], row["external_id"], money=False)
            version = await order_intake.step(tx, row["id"], ctx.clock())
            await tell(tx, ctx, row["id"], version, "person_exported", {})
        order_ids = [row["id"] for row in found]
        below = (
            *await rows.below(tx, order_ids),
            await notifications.of_orders(tx, order_ids),
            await messages.of_orders(tx, order_ids),
            await withdrawals.of_orders(tx, order_ids),
            await address_changes.of_orders(tx, order_ids),
        )
        key = ctx.sealer.keyed_hash(normalise_email(email))
        opted_out = await opt_outs.channels_of(tx, key)
        named = await listings.keys_of(tx, order_ids)
        listed = await listings.of_person(tx, {key}.union(*named))
        gifts = await _gifts(tx, key)
    parts = [_by_order(each) for each in below]
    kept = [KeptOrder(row, *(part[row["id"]] for part in parts)) for row in found]
    return KeptPerson(kept, opted_out, listed, gifts)


async def _gifts(tx: Transaction, key: bytes) -> list[KeptGift]:
    """What a person brought back of what somebody else had bought."""
    found = await gift_recipients.kept(tx, key)
    order_ids, return_ids = [row["order_id"] for row in found], [row["return_id"] for row in found]
    told = await notifications.of_returns(tx, order_ids, return_ids)
    complained = await complaints.about(tx, order_ids, return_ids)
    said = await messages.said_about(tx, order_ids, return_ids, list(complained))
    return [
        KeptGift(
            row,
            [each for each in told if each["return_id"] == row["return_id"]],
            [
                each
                for each in said
                if row["return_id"] in (each["return_id"], complained.get(each["complaint_id"]))
            ],
        )
        for row in found
    ]


async def erase_by_email(ctx: Context, shop: UUID, email: str) -> int:
    """Erase a person; returns of how many orders. A second time there is nothing left.

    What is found by the accounts alone goes first, so that an erasure that was cut short finds the
    rest again.

    Raises:
        Conflict: there are too many orders for one request.
    """
    async with ctx.database.transaction(shop) as tx:
        found = await _found(ctx, email, tx)
        key = ctx.sealer.keyed_hash(normalise_email(email))
        await forget_listings(tx, ctx, {key})
        await forget_recipient(tx, ctx, {key})
    for by_email in (False, True):
        named = defaultdict(list)
        for row in found:
            if bool(row["by_email"]) is by_email:
                named[row["source"]].append(row["external_id"])
        for source, names in named.items():
            for first in range(0, len(names), AT_ONCE):
                some = tuple(sorted(names)[first : first + AT_ONCE])
                async with ctx.database.transaction(shop) as tx:
                    await erase_person(tx, ctx, source, PersonErased(None, email, some))
    ctx.wake()
    return len(found)


async def _found(ctx: Context, email: str, tx: Transaction) -> list[Row]:
    key = ctx.sealer.keyed_hash(normalise_email(email))
    found = await rows.orders_of(tx, key, ORDERS_MAX + 1)
    if len(found) > ORDERS_MAX:
        raise Conflict(f"More than {ORDERS_MAX} orders are this person's.")
    return found


def _by_order(found: Iterable[Row]) -> defaultdict[UUID, list[Row]]:
    grouped = defaultdict(list)
    for row in found:
        grouped[row["order_id"]].append(row)
    return grouped
