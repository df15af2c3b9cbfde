"""One step of the webhook way in a process of its own, so that a crash point can kill it.

Usage: ``python -m tests.support.crash_inbox DATABASE_URL SHOP store|process``.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

from returns_api.domain import ids
from returns_api.usecases import inbox
from returns_api.usecases.hooks import store_hook
from tests.support import shopify
from tests.support.context import Clock, a_context
from tests.support.intake import SOURCE


async def main(database_url: str, shop: UUID, step: str) -> None:
    async with a_context(database_url, Clock()) as ctx:
        if step == "store":
            body = shopify.fixture("order_card")
            head = shopify.headers("orders/create", body, secret="s3cret")
            await store_hook(ctx, ids.encode("shp", shop), SOURCE, head, body)
        else:
            for owner, message in await inbox.due_inbox(ctx, 1000):
                if owner == shop:
                    await inbox.process_inbox(ctx, shop, message)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), sys.argv[3]))
