"""Messages as they lie in the inbox: put there, run, and a shop adapter with moods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import inbox as rows
from returns_api.domain.orders import Observation
from returns_api.ports.shops import Delivery
from returns_api.usecases import inbox
from tests.support import shopify
from tests.support.intake import SOURCE, Intake

ORDER = shopify.fixture("order_card")


PARCEL = shopify.fixture("fulfillment_card")


SCAN = shopify.fixture("delivery_card")


class Moody:
    """A shop platform whose reader fails as told: the body names the failure."""

    name = "moody"

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        return True

    def envelope(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        raise ValueError("not used here")

    def parse(self, topic: str, body: bytes) -> tuple[Observation, ...]:
        if body == b"value":
            raise ValueError("$.total is not an amount")
        if body == b"exit":
            raise SystemExit(3)
        if body == b"bug":
            raise RuntimeError("anna@example.com broke it")
        return ()


async def put(
    shop: Intake, topic: str, body: bytes, *, source: str = SOURCE, event_id: str | None = None
) -> UUID:
    message_id = shop.ctx.new_id()
    async with shop.ctx.database.transaction(shop.shop) as tx:
        await rows.add(
            tx,
            message_id=message_id,
            source=source,
            event_id=event_id or str(message_id),
            topic=topic,
            body=body,
            received_at=shop.ctx.clock(),
        )
    return message_id


async def run(shop: Intake, message_id: UUID) -> dict[str, Any]:
    await inbox.process_inbox(shop.ctx, shop.shop, message_id)
    (row,) = await shop.rows("SELECT * FROM inbox WHERE id = $1", message_id)
    return row
