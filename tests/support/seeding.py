"""Two shops with everything in them, seeded through the doors that a real shop uses.

The clock of the seeding context moves by hand, so that policy, orders and deliveries lie in the
past of a server that lives now; whatever has an address is made over HTTP. Owns the order in which
it is done. Refuses to own the things (``seeded_shop``, ``seeded_returns``, ``seeded_after``).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx

from returns_api.config import Settings
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM
from returns_api.domain.shops import ShopSettings
from returns_api.usecases import exports
from returns_api.usecases.context import Context
from returns_api.usecases.shops import change_shop, create_shop
from returns_api.wiring import running_context
from tests.support.api import ADDRESS
from tests.support.patience import PATIENCE
from tests.support.seeded_after import (
    add_the_rest,
    book_couriers,
    let_money_arrive,
    recover_early_money,
)
from tests.support.seeded_returns import walk_returns
from tests.support.seeded_shop import bring_order, connect_providers, issue_keys, publish_rules
from tests.support.world import TABLES, Caller, House, Past, World


async def build_world(settings: Settings, owner_url: str) -> World:
    """Seed both shops behind the running server of ``settings``."""
    clock = Past()
    async with (
        running_context(settings, pool_size=2, clock=clock) as (ctx, _),
        httpx.AsyncClient(base_url=settings.base_url, trust_env=False, timeout=PATIENCE) as http,
    ):
        houses = [await _furnished(ctx, clock, http, number) for number in (1, 2)]
    for house in houses:
        house.things = await things_of(owner_url, house.id)
        for made in house.made:
            last = {prefix: found[-1] for prefix, found in house.things.items() if found}
            made.update({**last, "key": house.spare_keys[0], **made})
    return World(*houses)


async def things_of(owner_url: str, shop: UUID) -> dict[str, tuple[str, ...]]:
    """Every public id in the shop by prefix, oldest first."""
    connection = await asyncpg.connect(owner_url)
    try:
        return {
            prefix: tuple(
                ids.encode(prefix, row["id"])
                for row in await connection.fetch(
                    f"SELECT id FROM {table} WHERE shop_id = $1 ORDER BY id", shop
                )
            )
            for prefix, table in TABLES.items()
        }
    finally:
        await connection.close()


async def _furnished(ctx: Context, clock: Past, http: httpx.AsyncClient, number: int) -> House:
    clock.ago = timedelta(days=40)
    made = await create_shop(
        ctx, ShopSettings(f"Shop {number}", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    )
    house = House(ids.encode("shp", made.id), number, {"admin": made.key.token})
    await publish_rules(ctx, made.id)
    await connect_providers(ctx, made.id)
    limits = {"agent_per_order": 0, "finance_per_day": 100_000_00}
    prices = {"hour": {"kind": "labour", "title": "An hour", "price": 5500}}
    settings = {"refund_limits": limits, "repairs": {"address": None, "prices": prices}}
    await change_shop(ctx, made.id, SYSTEM, 1, settings)
    clock.ago = timedelta()
    for index in (1, 2):
        await bring_order(ctx, http, house, index)
    await issue_keys(ctx, house)
    caller = Caller(http, house)
    for index, order in enumerate(house.orders):
        await walk_returns(caller, order, index)
    await let_money_arrive(ctx, house)
    await recover_early_money(caller)
    await book_couriers(ctx, house)
    await add_the_rest(caller)
    for shop, export in await exports.due_exports(ctx, 10):
        await exports.run_export(ctx, shop, export)
    return house
