"""Outside facts move a payment by their difference: twice, late, above captured, at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.db import outside_facts
from returns_api.domain.orders import OrderSeen
from returns_api.usecases.context import Context
from tests.support.context import Clock, a_context
from tests.support.intake import PATIENT, Intake, an_intake, await_here, in_thread
from tests.support.seen import CASH, order

T0 = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """One telling of a fact."""

    name: str = "re_1"
    kind: str = "refund"
    amount: int = 500
    active: bool = True
    counted: bool = True
    hour: int = 0


@pytest.fixture
async def ctx(app_database_url: str) -> AsyncIterator[Context]:
    async with a_context(app_database_url, Clock()) as context:
        yield context


async def paid(ctx: Context) -> tuple[Intake, UUID, UUID]:
    shop = await an_intake(ctx)
    await shop.see(OrderSeen(order(payments=(CASH,))))
    (row,) = await shop.rows("SELECT id, order_id FROM payments")
    return shop, row["order_id"], row["id"]


async def tell(shop: Intake, order_id: UUID, payment_id: UUID | None, told: Told) -> bool:
    async with shop.ctx.database.transaction(shop.shop) as tx:
        changed, _ = await outside_facts.record(
            tx,
            kind=told.kind,
            provider="stripe",
            external_id=told.name,
            order_id=order_id,
            payment_id=payment_id,
            amount_minor=told.amount,
            currency="EUR",
            active=told.active,
            counted=told.counted and payment_id is not None,
            at=T0 + timedelta(hours=told.hour),
            lines=[],
        )
        return changed


async def counters(shop: Intake) -> tuple[int, int]:
    (row,) = await shop.rows("SELECT external, disputed FROM payments")
    return row["external"], row["disputed"]


async def sums(shop: Intake) -> tuple[int, int]:
    (row,) = await shop.rows(
        """SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund'), 0) AS external,
                  coalesce(sum(amount_minor) FILTER (WHERE kind = 'dispute'), 0) AS disputed
           FROM outside_facts WHERE active AND counted"""
    )
    return row["external"], row["disputed"]


CASES: dict[str, tuple[list[Told], tuple[int, int]]] = {
    "once": ([Told()], (500, 0)),
    "twice": ([Told(), Told()], (500, 0)),
    "two": ([Told(), Told("re_2", amount=7)], (507, 0)),
    "failed": ([Told(), Told(active=False)], (0, 0)),
    "failed first": ([Told(active=False), Told()], (0, 0)),
    "failed, then told late and newer": ([Told(active=False), Told(hour=9)], (0, 0)),
    "uncounted": ([Told(counted=False)], (0, 0)),
    "counted later": ([Told(counted=False), Told()], (500, 0)),
    "once counted": ([Told(), Told(counted=False)], (500, 0)),
    "newer amount": ([Told(amount=1, hour=1), Told(amount=9, hour=2)], (9, 0)),
    "older amount": ([Told(amount=9, hour=2), Told(amount=1, hour=1)], (9, 0)),
    "dispute": ([Told(kind="dispute")], (0, 500)),
    "dispute won": ([Told(kind="dispute"), Told(kind="dispute", active=False, hour=5)], (0, 0)),
    "refund and dispute of one name": ([Told(), Told(kind="dispute", amount=3)], (500, 3)),
    "above captured": ([Told(amount=10**15)], (10**15, 0)),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_fact_counts_as_it_stands(ctx: Context, case: str) -> None:
    told, wanted = CASES[case]
    shop, order_id, payment_id = await paid(ctx)
    for each in told:
        await tell(shop, order_id, payment_id, each)
    assert await counters(shop) == wanted == await sums(shop)


async def test_the_caller_learns_whether_anything_changed(ctx: Context) -> None:
    shop, order_id, payment_id = await paid(ctx)
    answers = [
        await tell(shop, order_id, payment_id, told)
        for told in (Told(), Told(), Told(hour=3), Told(active=False), Told())
    ]
    assert answers == [True, False, False, True, False]


async def test_a_fact_finds_its_payment_later(ctx: Context) -> None:
    shop, order_id, payment_id = await paid(ctx)
    await tell(shop, order_id, None, Told())
    assert await counters(shop) == (0, 0)
    assert await tell(shop, order_id, payment_id, Told())
    assert await counters(shop) == (500, 0)


async def test_many_tellers_at_once_count_once(ctx: Context) -> None:
    shop, order_id, payment_id = await paid(ctx)
    told = [Told(f"re_{n % 5}", amount=n % 5 + 1) for n in range(60)]
    await asyncio.gather(*(tell(shop, order_id, payment_id, each) for each in told))
    assert await counters(shop) == (15, 0)


tellings = st.builds(
    Told,
    name=st.sampled_from(["a", "b", "c"]),
    kind=st.sampled_from(["refund", "dispute"]),
    amount=st.integers(0, 1000),
    active=st.booleans(),
    counted=st.booleans(),
    hour=st.integers(0, 3),
)


async def test_counters_are_the_sums_of_the_facts_in_any_order(ctx: Context) -> None:
    loop = asyncio.get_running_loop()

    async def check(told: list[Told], shuffled: list[Told]) -> None:
        ends: list[Any] = []
        for sequence in (told, shuffled, [*shuffled, *told]):
            shop, order_id, payment_id = await paid(ctx)
            for each in sequence:
                await tell(shop, order_id, payment_id, each)
            assert await counters(shop) == await sums(shop)
            ends.append(await counters(shop))
        assert ends[0] == ends[1] == ends[2]

    @PATIENT
    @given(st.data())
    def any_order(data: st.DataObject) -> None:
        told = data.draw(st.lists(tellings, max_size=8))
        await_here(loop, check(told, data.draw(st.permutations(told))))

    await in_thread(any_order)
