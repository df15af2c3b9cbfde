"""The life of an inbox message: tried, fenced, waiting, woken, dead, started anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_api.db import connections
from returns_api.db import inbox as rows
from returns_api.domain.errors import ActionNotAllowed, NotFound, Unavailable
from returns_api.domain.orders import Observation
from returns_api.ports.shops import Delivery
from returns_api.usecases import dead_messages, inbox
from returns_api.usecases.context import Context
from returns_api.usecases.inbox import MAX_FAILURES, PATIENCE, look_again_in, retry_in
from tests.support import shopify
from tests.support.context import Clock, a_context
from tests.support.intake import SOURCE, Intake, an_intake

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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(app_database_url: str, clock: Clock) -> AsyncIterator[Context]:
    async with a_context(app_database_url, clock) as context:
        yield replace(context, shops={**context.shops, "moody": Moody()})


@pytest.fixture
async def shop(ctx: Context) -> Intake:
    made = await an_intake(ctx)
    await made.connect("moody", "shop", "moody")
    return made


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


async def test_a_message_is_applied_marked_and_emptied_together(shop: Intake) -> None:
    row = await run(shop, await put(shop, "orders/create", ORDER))
    assert (row["state"], row["attempt"], row["due_at"], row["body"]) == ("processed", 1, None, b"")
    assert row["processed_at"] == shop.ctx.clock()
    assert len((await shop.state())["orders"]) == 1


async def test_a_topic_without_facts_is_ignored_and_kept(shop: Intake) -> None:
    row = await run(shop, await put(shop, "moons/rise", b'{"a": 1}'))
    assert (row["state"], row["body"], row["error"]) == ("ignored", b'{"a": 1}', None)


async def test_a_finished_message_is_never_run_again(shop: Intake) -> None:
    message = await put(shop, "orders/create", ORDER)
    await run(shop, message)
    row = await run(shop, message)
    assert row["attempt"] == 1


async def test_a_message_that_fails_is_tried_eight_times_and_then_dead(
    shop: Intake, clock: Clock
) -> None:
    message = await put(shop, "any", b"value", source="moody")
    for number in range(1, MAX_FAILURES):
        row = await run(shop, message)
        assert (row["state"], row["attempt"]) == ("received", number)
        assert row["due_at"] == clock() + retry_in(number)
        early = await run(shop, message)
        assert early["attempt"] == number
        clock.forward(seconds=retry_in(number).total_seconds())
    row = await run(shop, message)
    assert (row["state"], row["error"]) == ("dead", "$.total is not an amount")
    assert row["body"] == b"value"


async def test_a_bug_is_recorded_without_its_words(shop: Intake) -> None:
    row = await run(shop, await put(shop, "any", b"bug", source="moody"))
    assert (row["state"], row["error"]) == ("received", "RuntimeError")


async def test_a_message_that_kills_its_worker_is_counted_out_too(
    shop: Intake, clock: Clock
) -> None:
    message = await put(shop, "orders/create", ORDER)
    for _ in range(MAX_FAILURES):
        async with shop.ctx.database.transaction(shop.shop) as tx:
            claimed = await rows.claim(tx, message, clock(), clock() + shop.ctx.lease)
        assert claimed is not None
        clock.forward(seconds=shop.ctx.lease.total_seconds())
    row = await run(shop, message)
    assert row["state"] == "dead"
    assert "died" in row["error"]


async def test_what_killed_two_workers_is_tried_apart(shop: Intake, clock: Clock) -> None:
    """Whatever the process does: what it leaves undone is a failure that its caller writes down."""
    told: list[int] = []

    async def dies(_shop: UUID, _message: UUID, attempt: int) -> str:
        told.append(attempt)
        return "ended with 3"

    async def goes_on(shop_id: UUID, message_id: UUID, attempt: int) -> str:
        await inbox.go_on(shop.ctx, shop_id, message_id, attempt)
        return "ended with 0"

    async def is_taken(*_: object) -> str:
        raise Unavailable("waits for a process of its own")

    message = await put(shop, "orders/create", ORDER)
    for _ in range(inbox.DEATHS_MAX):
        async with shop.ctx.database.transaction(shop.shop) as tx:
            assert await rows.claim(tx, message, clock(), clock() + shop.ctx.lease)
        clock.forward(seconds=shop.ctx.lease.total_seconds())
    row = await run(replace(shop, ctx=replace(shop.ctx, apart=dies)), message)
    assert (told, row["deaths"]) == ([3], 2)
    assert (row["state"], row["error"]) == ("received", "the process that tried it ended with 3")
    assert row["due_at"] == clock() + retry_in(3)
    clock.now = row["due_at"]
    row = await run(replace(shop, ctx=replace(shop.ctx, apart=is_taken)), message)
    assert (row["attempt"], row["waits"], row["deaths"]) == (4, 1, 2)
    assert row["due_at"] == clock() + inbox.APART_AGAIN
    clock.now = row["due_at"]
    row = await run(replace(shop, ctx=replace(shop.ctx, apart=goes_on)), message)
    assert (row["state"], row["error"]) == ("processed", None)
    assert len((await shop.state())["orders"]) == 1


async def test_a_reader_that_exits_is_a_failure_like_any_other(shop: Intake) -> None:
    row = await run(shop, await put(shop, "any", b"exit", source="moody"))
    assert (row["state"], row["error"]) == ("received", "SystemExit")


async def test_a_leased_message_is_left_alone_until_the_lease_ends(
    shop: Intake, clock: Clock
) -> None:
    message = await put(shop, "orders/create", ORDER)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        await rows.claim(tx, message, clock(), clock() + shop.ctx.lease)
    assert (await run(shop, message))["attempt"] == 1
    assert message not in [m for _, m in await inbox.due_inbox(shop.ctx, 1000)]
    clock.forward(seconds=shop.ctx.lease.total_seconds())
    assert (shop.shop, message) in await inbox.due_inbox(shop.ctx, 1000)
    row = await run(shop, message)
    assert (row["state"], row["waits"], row["deaths"]) == ("received", 1, 1)
    assert row["due_at"] == clock() + inbox.spread(message, shop.ctx.lease)
    assert row["due_at"] < clock() + shop.ctx.lease / 4
    clock.now = row["due_at"]
    assert (await run(shop, message))["state"] == "processed"


async def test_a_worker_that_wakes_up_late_changes_nothing(shop: Intake, clock: Clock) -> None:
    message = await put(shop, "orders/create", ORDER)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        zombie = await rows.claim(tx, message, clock(), clock() + shop.ctx.lease)
        connection = await connections.find(tx, SOURCE)
    assert zombie is not None
    clock.forward(seconds=shop.ctx.lease.total_seconds())
    clock.now = (await run(shop, message))["due_at"]
    await run(shop, message)
    held = inbox._Held(zombie, connection)
    with pytest.raises(inbox._Lost):
        await inbox._process(shop.ctx, shop.shop, held)
    (row,) = await shop.rows("SELECT attempt, state FROM inbox WHERE id = $1", message)
    assert (row["attempt"], row["state"]) == (3, "processed")


async def test_many_workers_at_once_apply_a_message_once(shop: Intake) -> None:
    message = await put(shop, "orders/create", ORDER)
    await asyncio.gather(*(run(shop, message) for _ in range(10)))
    (row,) = await shop.rows("SELECT attempt, state FROM inbox WHERE id = $1", message)
    assert (row["attempt"], row["state"]) == (1, "processed")
    assert len(await shop.rows("SELECT 1 FROM events WHERE type = 'order.received'")) == 1


async def test_a_parcel_waits_for_its_order_and_is_woken_by_it(shop: Intake, clock: Clock) -> None:
    scan, parcel = (
        await put(shop, "fulfillment_events/create", SCAN),
        await put(shop, "fulfillments/create", PARCEL),
    )
    for message in (scan, parcel):
        row = await run(shop, message)
        assert (row["state"], row["waits"]) == ("received", 1)
        assert row["waiting_for"] == "order:shopify:5432109876001"
        assert row["due_at"] == clock() + look_again_in(0)
    await run(shop, await put(shop, "orders/create", ORDER))
    due = [message for _, message in await inbox.due_inbox(shop.ctx, 1000)]
    assert {scan, parcel} <= set(due)
    jobs = await shop.rows(
        "SELECT payload FROM pgqueuer WHERE execute_after <= now() AND entrypoint = 'process_inbox'"
    )
    assert f"{shop.shop}/{parcel}".encode() in [row["payload"] for row in jobs]
    assert (await run(shop, scan))["waiting_for"] == "parcel:shopify:5432109876001:16001"
    assert (await run(shop, parcel))["state"] == "processed"
    assert (await run(shop, scan))["state"] == "processed"
    assert (await shop.state())["lines"][0]["delivered"] == 2


async def test_waiting_is_no_failure_but_ends_after_three_days(shop: Intake, clock: Clock) -> None:
    message = await put(shop, "fulfillments/create", PARCEL)
    for _ in range(20):
        row = await run(shop, message)
        assert row["state"] == "received"
        clock.now = row["due_at"]
    assert row["attempt"] == row["waits"] == 20
    clock.forward(seconds=PATIENCE.total_seconds())
    row = await run(shop, message)
    assert (row["state"], row["error"]) == (
        "dead",
        "still waits for order:shopify:5432109876001 after 72 h",
    )


async def test_an_erasure_of_orders_that_never_come_settles(shop: Intake, clock: Clock) -> None:
    body = json.dumps(
        {"customer": {"id": 700123, "email": "anna@example.com"}, "orders_to_redact": [404404]}
    ).encode()
    message = await put(shop, "customers/redact", body)
    assert (await run(shop, message))["state"] == "received"
    clock.forward(seconds=PATIENCE.total_seconds())
    row = await run(shop, message)
    assert (row["state"], row["body"]) == ("processed", b"")


async def test_an_erasure_empties_what_the_inbox_kept_of_the_person(shop: Intake) -> None:
    about_anna = await put(shop, "customers/update", b'{"id": 700123, "email": "anna@example.com"}')
    about_ben = await put(shop, "customers/update", b'{"id": 800456, "email": "ben@example.com"}')
    await run(shop, about_anna)
    await run(shop, about_ben)
    body = b'{"customer": {"id": 700123, "email": "anna@example.com"}, "orders_to_redact": []}'
    await run(shop, await put(shop, "customers/redact", body))
    kept = await shop.rows("SELECT id, body FROM inbox WHERE body <> ''")
    assert [row["id"] for row in kept] == [about_ben]
    with pytest.raises(ActionNotAllowed):
        await dead_messages.replay_message(shop.ctx, shop.shop, about_anna)


async def test_a_dead_message_can_be_started_anew_with_all_its_tries(
    shop: Intake, clock: Clock
) -> None:
    message = await put(shop, "any", b"value", source="moody")
    for _ in range(MAX_FAILURES):
        row = await run(shop, message)
        clock.forward(hours=4)
    assert row["state"] == "dead"
    shown = await dead_messages.replay_message(shop.ctx, shop.shop, message)
    assert (shown["state"], shown["error"], shown["due_at"]) == ("received", None, clock())
    row = await run(shop, message)
    assert (row["state"], row["attempt"]) == ("received", MAX_FAILURES + 1)


async def test_what_is_not_dead_cannot_be_replayed(ctx: Context, shop: Intake) -> None:
    message = await put(shop, "orders/create", ORDER)
    with pytest.raises(ActionNotAllowed) as waiting:
        await dead_messages.replay_message(ctx, shop.shop, message)
    assert waiting.value.context["state"] == "received"
    with pytest.raises(NotFound):
        await dead_messages.replay_message(ctx, shop.shop, ctx.new_id())
    stranger = await an_intake(ctx)
    with pytest.raises(NotFound):
        await dead_messages.replay_message(ctx, stranger.shop, message)


async def test_messages_of_a_switched_off_connection_are_still_applied(shop: Intake) -> None:
    message = await put(shop, "orders/create", ORDER)
    await shop.rows("UPDATE connections SET active = false")
    assert (await run(shop, message))["state"] == "processed"


async def test_pages_show_one_state_newest_first(shop: Intake) -> None:
    made = [await put(shop, "moons/rise", b"{}") for _ in range(3)]
    for message in made:
        await run(shop, message)
    last = UUID(int=2**128 - 1)
    first = await dead_messages.list_messages(
        shop.ctx, shop.shop, state="ignored", before=last, limit=2
    )
    assert [row["id"] for row in first] == [made[2], made[1]]
    rest = await dead_messages.list_messages(
        shop.ctx, shop.shop, state="ignored", before=made[1], limit=2
    )
    assert [row["id"] for row in rest] == [made[0]]
    assert "body" not in dict(first[0].items())


def stripe_refund(refund_id: str, status: str, amount: int, created: int = 1_700_000_000) -> bytes:
    return json.dumps(
        {
            "object": "event",
            "id": f"evt_{refund_id}_{status}",
            "type": "refund.updated",
            "data": {
                "object": {
                    "object": "refund",
                    "id": refund_id,
                    "amount": amount,
                    "currency": "eur",
                    "status": status,
                    "payment_intent": "pi_3Nxt15001",
                    "charge": None,
                    "created": created,
                    "metadata": {},
                }
            },
        }
    ).encode()


async def test_a_providers_webhook_moves_the_payment_once_in_any_order(shop: Intake) -> None:
    await shop.connect("stripe", "payments", "stripe", gateways=["shopify_payments"])
    await run(shop, await put(shop, "orders/create", ORDER))
    told = [("re_1", "succeeded", 500), ("re_2", "failed", 900), ("re_2", "succeeded", 900)]
    for refund_id, status, amount in [*told, *told]:
        body = stripe_refund(refund_id, status, amount)
        row = await run(shop, await put(shop, "refund.updated", body, source="stripe"))
        assert row["state"] == "processed"
    assert (await shop.state())["payments"][0]["external"] == 500


async def test_a_carriers_webhook_of_a_foreign_parcel_is_processed_without_trace(
    shop: Intake,
) -> None:
    await shop.connect("easypost", "carrier", "easypost")
    body = json.dumps(
        {
            "object": "Event",
            "id": "evt_1",
            "description": "tracker.updated",
            "result": {
                "object": "Tracker",
                "id": "trk_1",
                "tracking_code": "EZ1",
                "shipment_id": "shp_404",
                "status": "delivered",
                "tracking_details": [
                    {
                        "object": "TrackingDetail",
                        "status": "delivered",
                        "message": "Delivered",
                        "datetime": "2026-11-20T10:00:00Z",
                    }
                ],
            },
        }
    ).encode()
    row = await run(shop, await put(shop, "tracker.updated", body, source="easypost"))
    assert row["state"] == "processed"


def test_waits_grow_and_have_an_end() -> None:
    assert [retry_in(n).total_seconds() for n in range(1, 9)] == [
        10,
        30,
        90,
        270,
        810,
        2430,
        7290,
        10800,
    ]
    assert sum((retry_in(n) for n in range(1, MAX_FAILURES)), timedelta()) < timedelta(hours=4)
    assert [look_again_in(n).total_seconds() for n in (0, 1, 9, 10, 500)] == [
        5,
        10,
        2560,
        3600,
        3600,
    ]
