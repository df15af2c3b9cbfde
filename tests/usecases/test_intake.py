"""Whatever the order and the number of the observations: one final state, and no deadlock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from returns_api.db import reservations
from returns_api.domain.orders import (
    Observation,
    OrderSeen,
    ParcelDelivered,
    ParcelLine,
    PaymentFacts,
    PaymentSeen,
    PersonErased,
    PlatformReturnSeen,
)
from returns_api.usecases.context import Context
from tests.support.intake import PATIENT, an_intake, await_here, in_thread
from tests.support.seen import (
    CASH,
    JACKET,
    SHIPPING,
    SHIRT,
    at,
    dispute,
    load,
    money,
    order,
    outside,
    parcel,
)

EVERYTHING: tuple[Observation, ...] = (
    OrderSeen(order(payments=())),
    OrderSeen(order(updated_at=at(seconds=1), financial_status="authorized", payments=())),
    OrderSeen(order(updated_at=at(seconds=1), payments=(CASH,))),
    OrderSeen(
        order(
            updated_at=at(hours=1),
            lines=(JACKET, replace(SHIRT, removed=1), SHIPPING),
            payments=(CASH,),
            tags=("edited",),
        )
    ),
    PaymentSeen("o1", PaymentFacts("p2", "gift_card", 300, "EUR")),
    parcel(shipped_at=None, updated_at=at(hours=20)),
    parcel(),
    parcel(updated_at=at(days=4), delivered_at=at(days=4)),
    parcel("f2", lines=(ParcelLine("l1", 1),)),
    parcel("f2", lines=(ParcelLine("l1", 1),), cancelled=True),
    ParcelDelivered("o1", "f1", at(days=3)),
    outside(),
    outside("r2", money("t2", 700), money("t3", 100, succeeded=False)),
    outside(
        "r3", money("t4", 50, payment_external_id=None), money("t5", 9, payment_external_id="p2")
    ),
    dispute(),
    dispute(status="won", open=False, at=at(days=20)),
    PersonErased("700123", "anna@example.com", ("o1",)),
    PlatformReturnSeen("o1", "R1", "OPEN"),
)


async def test_any_order_and_repetition_gives_one_final_state(ctx: Context) -> None:
    clean = await an_intake(ctx)
    await clean.settle(*EVERYTHING)
    wanted = await clean.state()
    loop = asyncio.get_running_loop()

    async def check(seen: list[Observation]) -> None:
        shop = await an_intake(ctx)
        await shop.settle(*seen)
        assert await shop.state() == wanted

    @PATIENT
    @given(st.permutations([*EVERYTHING, EVERYTHING[3], EVERYTHING[7], EVERYTHING[11]]))
    def shuffled(seen: list[Observation]) -> None:
        await_here(loop, check(seen))

    await in_thread(shuffled)


async def test_intakes_of_one_order_at_once_end_alike_and_never_deadlock(ctx: Context) -> None:
    clean = await an_intake(ctx)
    await clean.settle(*EVERYTHING)
    shop = await an_intake(ctx)
    left: tuple[Observation, ...] = EVERYTHING
    for _ in range(4):
        answers = await asyncio.gather(*(shop.see(seen) for seen in left))
        left = tuple(seen for waiting in answers for seen in waiting)
    assert await shop.state() == await clean.state()


async def test_the_first_sights_of_an_order_at_once_make_one_order(ctx: Context) -> None:
    for _ in range(5):
        shop = await an_intake(ctx)
        seen = [OrderSeen(order(updated_at=at(seconds=n), tags=(f"{n}",))) for n in range(5)]
        await asyncio.gather(*(shop.see(each) for each in seen))
        assert (await load(shop)).tags == ("4",)


async def test_intake_and_money_lock_in_one_order(ctx: Context) -> None:
    shop = await an_intake(ctx)
    await shop.see(OrderSeen(order(payments=(CASH,))))
    order_id = (await load(shop)).id

    async def refund_like(number: int) -> None:
        async with ctx.database.transaction(shop.shop) as tx:
            await reservations.lock_payments(tx, order_id)
            await asyncio.sleep(0.001)
            await tx.connection.execute(
                "UPDATE orders SET returns_opened = returns_opened + 1 WHERE id = $1", order_id
            )
            await tx.connection.execute(
                "UPDATE order_lines SET claimed = claimed WHERE order_id = $1", order_id
            )

    def intake_of(number: int) -> OrderSeen:
        cash = replace(CASH, external_id=f"p{number % 4}")
        return OrderSeen(order(updated_at=at(seconds=number), payments=(CASH, cash)))

    for start in range(0, 40, 8):
        work = [
            shop.see(intake_of(n), outside(f"r{n}"), parcel(updated_at=at(days=2, seconds=n)))
            if n % 2
            else refund_like(n)
            for n in range(start, start + 8)
        ]
        await asyncio.gather(*work)  # a deadlock would be an Unavailable
    (counted,) = await shop.rows("SELECT returns_opened FROM orders")
    assert counted["returns_opened"] == 20
