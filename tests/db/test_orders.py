"""Reading orders whole: claimed units, buyers' histories, the address a parcel comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from returns_api.db import histories, orders
from returns_api.domain.money import MAX_MINOR
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.orders import BuyerFacts, LineFacts, LineKind, OrderSeen, ParcelLine
from returns_api.ports.carriers import Address
from returns_api.usecases.context import Context
from tests.support.context import Clock, a_context
from tests.support.intake import Intake, an_intake
from tests.support.seen import BUYER, CASH, T0, dispute, order, outside, parcel


@pytest.fixture
async def ctx(app_database_url: str) -> AsyncIterator[Context]:
    async with a_context(app_database_url, Clock()) as context:
        yield context


@pytest.fixture
async def shop(ctx: Context) -> Intake:
    return await an_intake(ctx)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Writes rows without their parents, which only a reader's test may do."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def id_of(shop: Intake, external_id: str = "o1") -> UUID:
    found = await shop.rows("SELECT id FROM orders WHERE external_id = $1", external_id)
    return UUID(int=found[0]["id"].int)


async def load(shop: Intake, external_id: str = "o1") -> OrderRecord:
    order_id = await id_of(shop, external_id)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        found = await orders.load_order(tx, order_id)
    assert found is not None
    return found


async def claim(
    owner: asyncpg.Connection[asyncpg.Record], shop: Intake, line: UUID, *units: int
) -> None:
    for unit in units:
        await owner.execute(
            "INSERT INTO unit_claims (shop_id, line_id, unit_no, return_line_id)"
            " VALUES ($1, $2, $3, $4)",
            shop.shop,
            line,
            unit,
            shop.ctx.new_id(),
        )
    await owner.execute(
        "UPDATE order_lines SET claimed = $3 WHERE shop_id = $1 AND id = $2",
        shop.shop,
        line,
        len(units),
    )


async def a_return(
    owner: asyncpg.Connection[asyncpg.Record], shop: Intake, external_id: str, state: str
) -> None:
    await owner.execute(
        """INSERT INTO returns (shop_id, id, number, order_id, quote_id, decision_id,
               policy_version_id, state, resolution, method, currency, expected_minor, terms,
               refund_at, opened_by, created_at, updated_at)
           VALUES ($1, $2::uuid, $2::uuid::text, $3, $2, $2, $2, $4, 'refund', 'post', 'EUR', 0,
               '{}', 'inspection', 'buyer', now(), now())""",
        shop.shop,
        shop.ctx.new_id(),
        await id_of(shop, external_id),
        state,
    )


async def test_an_unknown_or_foreign_order_is_none(ctx: Context, shop: Intake) -> None:
    await shop.see(OrderSeen(order()))
    known = await id_of(shop)
    stranger = await an_intake(ctx)
    async with ctx.database.transaction(stranger.shop) as tx:
        assert await orders.load_order(tx, known) is None
        assert await orders.load_order(tx, ctx.new_id()) is None
        assert await orders.sender_address(tx, known) is None


async def test_claimed_units_stand_on_their_line(
    shop: Intake, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    await shop.see(OrderSeen(order()), parcel(lines=(ParcelLine("l2", 3),)))
    line = (await load(shop)).lines[1]
    await claim(owner, shop, line.id, 3, 1)
    line = (await load(shop)).lines[1]
    assert (line.claimed_units, line.claimed, line.left) == ((1, 3), 2, 1)
    assert (await load(shop)).lines[0].claimed_units == ()


async def test_amounts_and_times_come_back_exactly(shop: Intake) -> None:
    big = MAX_MINOR - 1
    moment = T0.replace(microsecond=123456)
    gold = LineFacts("l1", LineKind.GOODS, "Gold", 1, big, tags=("a", "ü"))
    facts = order(lines=(gold,), total_minor=big, payments=(replace(CASH, captured_minor=big),))
    sent = parcel(lines=(ParcelLine("l1", 1),), shipped_at=moment)
    await shop.see(OrderSeen(facts), sent)
    found = await load(shop)
    assert (found.lines[0].unit_price_minor, found.payments[0].captured) == (big, big)
    assert found.lines[0].tags == ("a", "ü")
    assert found.lines[0].first_fulfilled_at == moment
    assert found.parcels[0].quantities == {found.lines[0].id: 1}


async def test_a_history_counts_what_came_before_and_whom_it_knows(
    shop: Intake, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    for number in range(5):
        placed = T0 - timedelta(days=10 * (5 - number))
        past = order(external_id=f"p{number}", placed_at=placed, payments=(CASH,))
        await shop.see(OrderSeen(past))
    await shop.see(
        OrderSeen(order(external_id="p5", placed_at=T0 - timedelta(days=1), cancelled_at=T0)),
        OrderSeen(order(external_id="other", buyer=BuyerFacts(customer_id="800"))),
        OrderSeen(order(external_id="later", placed_at=T0 + timedelta(days=1))),
        outside(order_external_id="p1"),
        dispute(order_external_id="p2"),
        OrderSeen(order()),
    )
    await a_return(owner, shop, "p3", "completed")
    await a_return(owner, shop, "p4", "rejected")
    now = await load(shop)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        history = await histories.load_history(tx, now, T0)
    assert (history.orders, history.orders_kept, history.returns) == (6, 3, 1)
    assert (history.units_bought, history.units_returned, history.chargebacks) == (30, 1, 1)
    assert history.first_order_at == T0 - timedelta(days=50)


async def test_a_buyer_without_a_name_has_no_history(shop: Intake) -> None:
    await shop.see(OrderSeen(order(external_id="p1", buyer=BuyerFacts())))
    await shop.see(OrderSeen(order(placed_at=T0 + timedelta(days=1), buyer=BuyerFacts())))
    now = await load(shop)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        assert (await histories.load_history(tx, now, T0)).orders == 0


async def test_a_guest_is_known_by_the_address_alone(shop: Intake) -> None:
    guest = BuyerFacts(email="anna@example.com")
    shouting = BuyerFacts(email=" ANNA@example.com ")
    await shop.see(OrderSeen(order(external_id="p1", buyer=guest)))
    await shop.see(OrderSeen(order(placed_at=T0 + timedelta(days=1), buyer=shouting)))
    now = await load(shop)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        assert (await histories.load_history(tx, now, T0)).orders == 1


async def test_a_sender_needs_a_whole_address(shop: Intake) -> None:
    await shop.see(OrderSeen(order()))
    await shop.see(OrderSeen(order(external_id="o2", buyer=replace(BUYER, postcode=None))))
    async with shop.ctx.database.transaction(shop.shop) as tx:
        assert await orders.sender_address(tx, await id_of(shop, "o2")) is None
        found = await orders.sender_address(tx, await id_of(shop))
    assert found == Address(
        name="Anna Canary",
        street1="Canary Str. 1",
        city="Berlin",
        postcode="10115",
        country="DE",
        region="BE",
        email="Anna@Example.com",
        phone="+49301",
    )
