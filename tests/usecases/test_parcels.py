"""Parcels and scans as a platform tells them: counted by their newest snapshot, in any order."""

from __future__ import annotations

from dataclasses import replace

from returns_api.domain.orders import (
    OrderSeen,
    ParcelDelivered,
    ParcelLine,
)
from tests.support.intake import Intake
from tests.support.seen import at, events, load, order, parcel


async def test_parcels_wait_for_the_order_and_scans_for_the_parcel(intake: Intake) -> None:
    scan = ParcelDelivered("o1", "f1", at(days=3))
    assert await intake.see(scan, parcel()) == [scan, parcel()]
    assert await intake.see(OrderSeen(order()), scan) == [scan]
    assert await intake.see(parcel(), scan) == []
    stored = await load(intake)
    assert [(x.shipped, x.delivered, x.left) for x in stored.lines] == [
        (1, 1, 1),
        (2, 2, 2),
        (0, 0, 0),
    ]
    assert stored.lines[0].last_delivered_at == at(days=3)
    assert stored.lines[0].all_delivered
    assert await events(intake) == [
        ("order.received", 1),
        ("order.parcel_shipped", 2),
        ("order.parcel_delivered", 3),
    ]


async def test_counts_are_sums_over_parcels_however_often_they_are_told(intake: Intake) -> None:
    second = parcel("f2", lines=(ParcelLine("l1", 1),), shipped_at=at(days=2))
    await intake.see(OrderSeen(order()), parcel(), parcel(), second, second)
    stored = await load(intake)
    assert stored.lines[0].shipped == 2
    assert (stored.lines[0].first_fulfilled_at, stored.lines[0].last_fulfilled_at) == (
        at(days=1),
        at(days=2),
    )
    gone = replace(second, cancelled=True, updated_at=at(days=3))
    await intake.see(gone, second)
    assert (await load(intake)).lines[0].shipped == 1


async def test_the_window_of_a_line_waits_for_its_last_parcel(intake: Intake) -> None:
    second = parcel("f2", lines=(ParcelLine("l1", 1),))
    delivered = ParcelDelivered("o1", "f1", at(days=3))
    await intake.see(OrderSeen(order()), parcel(), second, delivered)
    line = (await load(intake)).lines[0]
    assert (line.delivered, line.all_delivered) == (1, False)
    await intake.see(ParcelDelivered("o1", "f2", at(days=4)))
    line = (await load(intake)).lines[0]
    assert (line.delivered, line.all_delivered, line.last_delivered_at) == (2, True, at(days=4))


async def test_the_earliest_delivery_counts_whoever_told_it(intake: Intake) -> None:
    late = parcel(updated_at=at(days=6), delivered_at=at(days=6))
    early = parcel(updated_at=at(days=4), delivered_at=at(days=4))
    await intake.see(OrderSeen(order()), late, early, ParcelDelivered("o1", "f1", at(days=5)))
    assert (await load(intake)).parcels[0].delivered_at == at(days=4)


async def test_a_parcel_that_waits_in_the_warehouse_is_not_shipped(intake: Intake) -> None:
    await intake.see(OrderSeen(order()), parcel(shipped_at=None))
    assert (await load(intake)).lines[0].shipped == 0
