"""Where a shop wants to be told: endpoints, their secrets, and sending events once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.db import deliveries, shops
from returns_api.db import webhook_endpoints as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job
from returns_api.domain.errors import (
    ActionNotAllowed,
    Conflict,
    DoesNotFit,
    Invalid,
    NotFound,
    PreconditionFailed,
)
from returns_api.domain.events import By
from returns_api.domain.webhooks import REPLAY_WINDOW
from returns_api.usecases._announce import announce
from returns_api.usecases._endpoint_events import endpoint_event
from returns_api.usecases._signing import SigningSecret, live_secrets, new_secret, seal_secrets
from returns_api.usecases.context import Context

ENDPOINTS_MAX: Final = 20
REPLAY_MAX: Final = 1_000
ATTEMPTS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class WithSecret:
    """An endpoint and its newest secret, shown this once."""

    endpoint: Row
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many deliveries were queued; ``more`` when the same request would queue others."""

    queued: int
    more: bool


async def create_endpoint(
    ctx: Context, shop: UUID, by: By, *, url: str, topics: Sequence[str], description: str | None
) -> WithSecret:
    """Add an endpoint that is told from now on.

    Raises:
        Invalid: an address that may not be used.
        Conflict: the shop has too many.
    """
    _check_url(ctx, url)
    secret = new_secret(ctx)
    async with ctx.database.transaction(shop) as tx:
        await shops.lock(tx)
        if await rows.count(tx) >= ENDPOINTS_MAX:
            raise Conflict(f"A shop has at most {ENDPOINTS_MAX} webhook endpoints.")
        made = await rows.add(
            tx,
            id=ctx.new_id(),
            url=url,
            topics=list(topics),
            description=description,
            secrets_sealed=seal_secrets(ctx, [SigningSecret(secret, None)]),
            created_at=ctx.clock(),
        )
        await announce(tx, ctx, [endpoint_event(ctx, made, "created", by)])
    return WithSecret(made, secret)


async def list_endpoints(ctx: Context, shop: UUID, before: UUID, limit: int) -> list[Row]:
    """Newest first."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.page(tx, before=before, limit=limit)


async def view_endpoint(ctx: Context, shop: UUID, endpoint_id: UUID) -> Row:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        return _found(await rows.one(tx, endpoint_id))


async def change_endpoint(
    ctx: Context, shop: UUID, by: By, endpoint_id: UUID, version: int, changes: Mapping[str, Any]
) -> Row:
    """Write ``url``, ``topics`` or ``description``, whichever ``changes`` names.

    Raises:
        NotFound, PreconditionFailed: unknown, or changed since it was read.
        Invalid: an address that may not be used.
    """
    if "url" in changes:
        _check_url(ctx, changes["url"])
    async with ctx.database.transaction(shop) as tx:
        row = _found(await rows.lock(tx, endpoint_id))
        if row["version"] != version:
            raise PreconditionFailed("The endpoint changed since you read it.")
        if not changes:
            return row
        values = {name: changes.get(name, row[name]) for name in ("url", "topics", "description")}
        saved = await rows.edit(tx, endpoint_id, **values)
        await announce(tx, ctx, [endpoint_event(ctx, saved, "updated", by)])
    return saved


async def delete_endpoint(ctx: Context, shop: UUID, by: By, endpoint_id: UUID) -> None:
    """Remove an endpoint and the record of what it was sent. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        row = _found(await rows.lock(tx, endpoint_id))
        await rows.remove(tx, endpoint_id)
        await announce(tx, ctx, [endpoint_event(ctx, row, "deleted", by, step=1)])


async def rotate_secret(
    ctx: Context, shop: UUID, by: By, endpoint_id: UUID, overlap: timedelta
) -> WithSecret:
    """A new secret; the newest one before it signs beside it for ``overlap``, older ones stop.

    Raises:
        NotFound: there is no such endpoint.
    """
    secret, now = new_secret(ctx), ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        row = _found(await rows.lock(tx, endpoint_id))
        kept = _overlapping(ctx, row, now, overlap)
        sealed = seal_secrets(ctx, [SigningSecret(secret, None), *kept])
        saved = await rows.set_secrets(tx, endpoint_id, sealed)
        await announce(tx, ctx, [endpoint_event(ctx, saved, "secret_rotated", by)])
    return WithSecret(saved, secret)


async def set_endpoint_state(
    ctx: Context, shop: UUID, by: By, endpoint_id: UUID, state: str
) -> Row:
    """Disable (``disabled``) or enable (``active``) an endpoint.

    A disabled one is told nothing; what waits for it ends as dead and can be replayed.

    Raises:
        NotFound: there is no such endpoint.
        ActionNotAllowed: it is in that state already.
    """
    async with ctx.database.transaction(shop) as tx:
        row = _found(await rows.lock(tx, endpoint_id))
        if row["state"] == state:
            allowed = ["disable" if state == "active" else "enable"]
            raise ActionNotAllowed(f"The endpoint is {state}.", state=state, allowed=allowed)
        reason = "requested" if state == "disabled" else None
        saved = await rows.set_state(tx, endpoint_id, state, reason)
        what = "disabled" if state == "disabled" else "enabled"
        await announce(tx, ctx, [endpoint_event(ctx, saved, what, by, reason=reason)])
    return saved


async def list_deliveries(
    ctx: Context, shop: UUID, endpoint_id: UUID, *, before: UUID, state: str | None, limit: int
) -> list[Row]:
    """What an endpoint was or will be sent, newest event first. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        _found(await rows.one(tx, endpoint_id))
        return await deliveries.page(tx, endpoint_id, before=before, state=state, limit=limit)


async def list_attempts(ctx: Context, shop: UUID, endpoint_id: UUID, event_id: UUID) -> list[Row]:
    """Every recorded try of one delivery, in order. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        found = await deliveries.attempts(tx, event_id, endpoint_id, ATTEMPTS_MAX)
    if found is None:
        raise NotFound("There is no such thing here, or it is not yours to see.")
    return found


async def replay_event(ctx: Context, shop: UUID, endpoint_id: UUID, event_id: UUID) -> Replayed:
    """Send one event to an endpoint once more, whatever became of it before.

    Raises:
        NotFound: there is no such endpoint or event.
        ActionNotAllowed: the endpoint is disabled.
        Conflict: the event is older than 30 days.
    """
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        await _ready_endpoint(tx, endpoint_id)
        event = _found(await deliveries.event(tx, event_id))
        if event["at"] < now - REPLAY_WINDOW:
            raise Conflict("Events can be sent again for 30 days.")
        queued = await deliveries.replay_one(tx, event_id, endpoint_id, now)
        if queued:
            await announce(tx, ctx, [], [Job("deliver_event", event_id)])
    return Replayed(int(queued), more=False)


async def replay_since(
    ctx: Context, shop: UUID, endpoint_id: UUID, since: datetime, *, missed: bool
) -> Replayed:
    """Send all events since a time once more that did not get through, oldest first.

    ``missed`` adds those that were never sent to it: while it was disabled, or before it was there.

    Raises:
        NotFound: there is no such endpoint.
        ActionNotAllowed: the endpoint is disabled.
        DoesNotFit: ``since`` is more than 30 days ago.
    """
    now = ctx.clock()
    if since < now - REPLAY_WINDOW:
        raise DoesNotFit(
            "Events can be sent again for 30 days.",
            errors=[{"field": "since", "problem": "more than 30 days ago"}],
        )
    async with ctx.database.transaction(shop) as tx:
        await _ready_endpoint(tx, endpoint_id)
        queued = await deliveries.replay_since(
            tx, endpoint_id, since, now, missed=missed, limit=REPLAY_MAX
        )
        await announce(tx, ctx, [], [Job("deliver_event", event_id) for event_id in queued])
    return Replayed(len(queued), more=len(queued) == REPLAY_MAX)


async def _ready_endpoint(tx: Transaction, endpoint_id: UUID) -> None:
    row = _found(await rows.lock(tx, endpoint_id))
    if row["state"] != "active":
        raise ActionNotAllowed(
            "The endpoint is disabled: enable it first.", state=row["state"], allowed=["enable"]
        )


def _overlapping(ctx: Context, row: Row, now: datetime, overlap: timedelta) -> list[SigningSecret]:
    """The secret that was the newest, with its end; nothing when none can be read any more."""
    try:
        newest = live_secrets(ctx, row["secrets_sealed"], now)[:1]
    except ValueError:
        return []
    return [SigningSecret(secret.text, now + overlap) for secret in newest if overlap]


def _check_url(ctx: Context, url: str) -> None:
    refusal = ctx.webhooks.refusal(url)
    if refusal is not None:
        detail = f"The address cannot be used: {refusal}."
        raise Invalid(detail, errors=[{"field": "url", "problem": refusal}])


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound("There is no such thing here, or it is not yours to see.")
    return row
