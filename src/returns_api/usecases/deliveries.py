"""The job behind every webhook out: claim, sign, send, record. At least once per endpoint.

The claim counts the try before it runs; the outcome is written only where the same try still holds
the delivery, so a paused worker that wakes up late changes nothing (it may have sent a second time:
receivers tell by ``webhook-id``).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from returns_api.crashpoints import crashpoint
from returns_api.db import deliveries as rows
from returns_api.db import webhook_endpoints as endpoints
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, due_in
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM
from returns_api.domain.webhooks import Heard, Verdict, judge, message
from returns_api.usecases._announce import announce
from returns_api.usecases._endpoint_events import endpoint_event
from returns_api.usecases._signing import live_secrets, signed_headers
from returns_api.usecases.context import Context

_ERROR_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Try:
    """One claimed try of one delivery, and what came of it."""

    event_id: UUID
    endpoint_id: UUID
    attempt: int
    tries: int
    heard: Heard
    duration_ms: int


async def deliver_event(ctx: Context, shop: UUID, event_id: UUID) -> None:
    """Send an event to every endpoint for which it is due; nothing happens when there is none."""
    async with ctx.database.transaction(shop) as tx:
        now = ctx.clock()
        claimed = await rows.claim(tx, event_id, now, now + ctx.lease)
        event = await rows.event(tx, event_id) if claimed else None
    if event is None:
        return
    crashpoint("O1")
    body = message(shop, dict(event))
    # All at once: a slow receiver must not eat the lease of the others.
    done = await asyncio.gather(
        *(_deliver(ctx, shop, event_id, row, body) for row in claimed), return_exceptions=True
    )
    for failure in done:
        if isinstance(failure, BaseException):
            raise failure


async def due_deliveries(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and event of deliveries whose time has come: the repair of a lost wake-up."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["event_id"]) for row in found]


async def _deliver(ctx: Context, shop: UUID, event_id: UUID, row: Row, body: bytes) -> None:
    started = ctx.clock()
    heard = await _send(ctx, event_id, row, body)
    if heard.taken:
        crashpoint("O3")
    took = max(0, round((ctx.clock() - started).total_seconds() * 1000))
    tried = Try(event_id, row["endpoint_id"], row["attempt"], row["tries"], heard, took)
    async with ctx.database.transaction(shop) as tx:
        await _record(ctx, tx, tried)


async def _send(ctx: Context, event_id: UUID, row: Row, body: bytes) -> Heard:
    now = ctx.clock()
    try:
        secrets = live_secrets(ctx, row["secrets_sealed"], now)
    except ValueError:  # sealed with a key that was lost: only a rotation helps
        return Heard(None, error="secret_unreadable")
    headers = signed_headers(ids.encode("evt", event_id), body, secrets, now)
    answer = await ctx.webhooks.post(row["url"], headers, body)
    return Heard(answer.status, answer.retry_after_seconds, answer.error)


async def _record(ctx: Context, tx: Transaction, tried: Try) -> None:
    """Write the outcome, unless another try holds the delivery or the endpoint is gone."""
    endpoint = await endpoints.lock(tx, tried.endpoint_id)
    if endpoint is None:
        return
    now = ctx.clock()
    verdict = judge(
        tried.heard,
        tries=tried.tries,
        seed=f"{tried.event_id}/{tried.endpoint_id}",
        failing_since=endpoint["failing_since"],
        now=now,
    )
    kept = await rows.finish(
        tx,
        tried.event_id,
        tried.endpoint_id,
        tried.attempt,
        state=verdict.state,
        due_at=verdict.due_at,
        status=tried.heard.status,
    )
    if not kept:
        return
    await rows.add_attempt(
        tx,
        event_id=tried.event_id,
        endpoint_id=tried.endpoint_id,
        no=tried.attempt,
        at=now,
        status=tried.heard.status,
        error=tried.heard.error and tried.heard.error[:_ERROR_MAX],
        duration_ms=tried.duration_ms,
    )
    await _follow(ctx, tx, endpoint, tried, verdict)


async def _follow(
    ctx: Context, tx: Transaction, endpoint: Row, tried: Try, verdict: Verdict
) -> None:
    """What the verdict means for the endpoint, and the wake-up for the next try."""
    if verdict.disable is not None and endpoint["state"] == "active":
        gone = await endpoints.set_state(tx, endpoint["id"], "disabled", verdict.disable)
        told = endpoint_event(ctx, gone, "disabled", SYSTEM, reason=verdict.disable)
        await announce(tx, ctx, [told])
    elif verdict.failing_since != endpoint["failing_since"]:
        await endpoints.set_failing(tx, endpoint["id"], verdict.failing_since)
    if verdict.due_at is not None:
        wait = due_in(ctx.clock(), verdict.due_at)
        await announce(tx, ctx, [], [Job("deliver_event", tried.event_id, wait)])
