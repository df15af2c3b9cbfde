"""How the things that happen to an order are told: one event for each step of its version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from returns_api.db import inbox
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.usecases.context import Context


async def tell(
    tx: Transaction,
    ctx: Context,
    order_id: UUID,
    version: int,
    type_: str,
    data: Mapping[str, Any],
    *,
    wake: Sequence[str] = (),
) -> None:
    """Emit ``order.<type_>`` under the order's new version; wake what waited for ``wake``."""
    now = ctx.clock()
    woken = await inbox.wake(tx, wake, now) if wake else []
    event = Event(
        id=ctx.new_id(),
        type=f"order.{type_}",
        resource_type="order",
        resource_id=order_id,
        sequence=version,
        at=now,
        by=SYSTEM,
        order_id=order_id,
        data={"order": ids.encode("ord", order_id), **data},
    )
    await emit(tx, [event], [Job("process_inbox", message) for message in woken])
