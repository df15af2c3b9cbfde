"""Order documents, applied in the open transaction: one by one, or many that nobody knew at once.

Both ways lead through the same rules as a platform's webhook: the same locks, the same certificate,
the same events and entries. A document that is known already goes through ``_orders.see_order``; a
set of new ones through ``_new_orders``. Refuses to own where a document came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from returns_api.db import bulk_intake, connections, order_intake
from returns_api.db.engine import Transaction
from returns_api.domain.errors import Conflict, DoesNotFit
from returns_api.usecases._new_orders import add_orders
from returns_api.usecases._orders import see_order
from returns_api.usecases._parcels import see_parcel
from returns_api.usecases._prepared_orders import Prepared
from returns_api.usecases.context import Context

OWN_SOURCE: Final = "api"
"""The source of orders that come by no platform."""
ERASED: Final = "This shop was erased: it takes no more orders."


class Outcome(StrEnum):
    """What became of a document."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    OLDER = "older"
    """A newer one is known; nothing was done."""
    CLASH = "clash"
    """The same version with other content is known; nothing was done."""


async def known_source(tx: Transaction, source: str) -> None:
    """Raises ``DoesNotFit`` unless orders of this shop can come from there."""
    connection = None if source == OWN_SOURCE else await connections.by_source(tx, source)
    if source != OWN_SOURCE and (connection is None or connection["kind"] != "shop"):
        problem = f"should be '{OWN_SOURCE}' or the slug of a connected shop platform"
        raise DoesNotFit(
            "No orders come from there.", errors=[{"field": "source", "problem": problem}]
        )


def outcome_of(known: tuple[datetime, str] | None, made: Prepared) -> Outcome:
    """What has to become of a document, given the time and the snapshot that are known."""
    if known is None:
        return Outcome.CREATED
    at, snapshot = known
    if at == made.order.updated_at:
        return Outcome.UNCHANGED if snapshot == made.snapshot else Outcome.CLASH
    return Outcome.UPDATED if at < made.order.updated_at else Outcome.OLDER


async def put_document(tx: Transaction, ctx: Context, source: str, made: Prepared) -> Outcome:
    """One document. Raises ``Conflict`` in a shop that was erased."""
    status, head = await order_intake.begin(tx, source, made.order.external_id)
    if status == "erased":
        raise Conflict(ERASED)
    known = None if head is None else (head.platform_updated_at, head.snapshot)
    outcome = outcome_of(known, made)
    if outcome in {Outcome.CREATED, Outcome.UPDATED}:
        await see_order(tx, ctx, source, made.order, made.parcels)
        for parcel in made.parcels:
            await see_parcel(tx, ctx, source, parcel)
    return outcome


async def put_documents(
    tx: Transaction, ctx: Context, source: str, made: Sequence[Prepared]
) -> list[Outcome]:
    """Many documents, in the sequence in which they would have been put one by one.

    Raises ``Conflict`` in a shop that was erased.
    """
    names = [each.order.external_id for each in made]
    status, heads = await bulk_intake.begin(tx, source, names)
    if status == "erased":
        raise Conflict(ERASED)
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    new = [each for place, each in enumerate(made) if _is_first(first, heads, names, place)]
    await add_orders(tx, ctx, source, new)
    outcomes = []
    for place, each in enumerate(made):
        if _is_first(first, heads, names, place):
            outcomes.append(Outcome.CREATED)
            continue
        outcome = outcome_of(heads.get(names[place]), each)
        if outcome in {Outcome.UPDATED, Outcome.CREATED}:  # or it came in this very set
            outcome = await put_document(tx, ctx, source, each)
        outcomes.append(outcome)
    return outcomes


def _is_first(
    first: Mapping[str, int], heads: Mapping[str, Any], names: Sequence[str], place: int
) -> bool:
    """Whether an order that nobody knew is told here for the first time."""
    return names[place] not in heads and first[names[place]] == place
