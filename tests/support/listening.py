"""A shop with a receiver that listens: its endpoints, its events, what was tried and when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import time_machine
import uuid_utils.compat as uuids
from standardwebhooks import Webhook

from returns_api.db import deliveries as rows
from returns_api.db import webhook_endpoints as endpoints
from returns_api.db.engine import Row
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.shops import ShopSettings
from returns_api.usecases import webhook_endpoints as manage
from returns_api.usecases.context import Context
from returns_api.usecases.deliveries import deliver_event, due_deliveries
from returns_api.usecases.shops import create_shop
from returns_api.usecases.webhook_endpoints import WithSecret
from tests.support.context import ADDRESS, Clock
from tests.support.receiver import Received, Receiver, Reply, receiving

OK, BROKEN = Reply(200), Reply(500)


@dataclass(slots=True)
class Shop:
    """One shop, its clock and one receiver."""

    ctx: Context
    clock: Clock
    id: UUID
    receiver: Receiver

    async def endpoint(self, *topics: str, url: str | None = None) -> WithSecret:
        return await manage.create_endpoint(
            self.ctx,
            self.id,
            SYSTEM,
            url=url or self.receiver.base_url + "/in",
            topics=topics or ("refund.*",),
            description=None,
        )

    async def happens(self, type_: str = "refund.succeeded", **changes: Any) -> UUID:
        """Commit an event as any use case does; gives its id."""
        refund = uuids.uuid7()
        event = Event(
            id=uuids.uuid7(),
            type=type_,
            resource_type="refund",
            resource_id=refund,
            sequence=5,
            at=self.clock(),
            by=SYSTEM,
            reason="Ada asked",
            data={"refund": ids.encode("ref", refund), "state": "succeeded", "amount": 8410},
        )
        event = replace(event, **changes)
        async with self.ctx.database.transaction(self.id) as tx:
            await emit(tx, [event])
        return event.id

    async def drain(self) -> int:
        """Run what is due now, as the worker's sweep does; gives how many were due."""
        due = [key for shop, key in await due_deliveries(self.ctx, 1_000) if shop == self.id]
        for event_id in due:
            await deliver_event(self.ctx, self.id, event_id)
        return len(due)

    async def delivery(self, event_id: UUID, endpoint_id: UUID) -> Row:
        async with self.ctx.database.transaction(self.id) as tx:
            found = await rows.page(
                tx, endpoint_id, before=UUID(int=2**128 - 1), state=None, limit=1_000
            )
        return next(row for row in found if row["event_id"] == event_id)

    async def attempts(self, event_id: UUID, endpoint_id: UUID) -> list[tuple[Any, ...]]:
        async with self.ctx.database.transaction(self.id) as tx:
            found = await rows.attempts(tx, event_id, endpoint_id, 100)
        return [(row["no"], row["status"], row["error"]) for row in found or ()]

    async def state(self, endpoint_id: UUID) -> Row:
        async with self.ctx.database.transaction(self.id) as tx:
            row = await endpoints.one(tx, endpoint_id)
        assert row is not None
        return row

    async def types(self, resource_id: UUID) -> list[tuple[int, str]]:
        async with self.ctx.database.transaction(self.id) as tx:
            found = await tx.connection.fetch(
                "SELECT sequence, type FROM events WHERE resource_id = $1 ORDER BY sequence",
                resource_id,
            )
        return [(row["sequence"], row["type"]) for row in found]


@asynccontextmanager
async def a_shop(ctx: Context, clock: Clock) -> AsyncIterator[Shop]:
    made = await create_shop(ctx, ShopSettings("S", "Europe/Berlin", "EUR", "DE", "de", ADDRESS))
    async with receiving() as receiver:
        yield Shop(ctx, clock, made.id, receiver)


def verify(received: Received, secret: str, now: datetime) -> Any:
    """What the reference library makes of it, at ``now``."""
    with time_machine.travel(now, tick=False):
        return Webhook(secret).verify(received.body, received.headers)


def answering(receiver: Receiver, *replies: Reply) -> None:
    """Answer with ``replies`` in turn; the last one for ever."""
    left = list(replies)
    receiver.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]
