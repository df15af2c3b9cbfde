"""Messages that wait for what they are about, are emptied of people, or are started anew."""

from __future__ import annotations

import json

import pytest

from returns_api.domain.errors import ActionNotAllowed, NotFound
from returns_api.usecases import dead_messages, inbox
from returns_api.usecases.context import Context
from returns_api.usecases.inbox import MAX_FAILURES, PATIENCE, look_again_in
from tests.support.context import Clock
from tests.support.intake import Intake, an_intake
from tests.support.messages_in import ORDER, PARCEL, SCAN, put, run


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
