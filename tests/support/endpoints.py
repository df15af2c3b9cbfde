"""Webhook endpoints over HTTP, as tests use them: made, told of something, and what was sent."""

from __future__ import annotations

from typing import Any

import uuid_utils.compat as uuids

from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.usecases.deliveries import deliver_event, due_deliveries
from tests.support.api import Tenant
from tests.support.receiver import Receiver

PATH = "/v1/admin/webhook-endpoints"


async def make(tenant: Tenant, receiver: Receiver, *topics: str) -> dict[str, Any]:
    body = {"url": receiver.base_url + "/in", "topics": list(topics or ("refund.*",))}
    answer = await tenant.admin.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def happens(tenant: Tenant, type_: str = "refund.succeeded") -> str:
    event = Event(
        id=uuids.uuid7(),
        type=type_,
        resource_type="refund",
        resource_id=uuids.uuid7(),
        sequence=1,
        at=tenant.ctx.clock(),
        by=SYSTEM,
        data={},
    )
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        await emit(tx, [event])
    return ids.encode("evt", event.id)


async def drain(tenant: Tenant) -> int:
    due = [key for shop, key in await due_deliveries(tenant.ctx, 2_000) if shop == tenant.shop]
    for event_id in due:
        await deliver_event(tenant.ctx, tenant.shop, event_id)
    return len(due)


async def listed(tenant: Tenant, endpoint: str, **query: str) -> list[tuple[str, str, int]]:
    answer = await tenant.admin.get(f"{PATH}/{endpoint}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    return [(one["event"], one["state"], one["attempts"]) for one in answer.json()["items"]]
