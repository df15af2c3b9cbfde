"""Messages that wait for what they are about, are emptied of people, or are started anew."""

from __future__ import annotations

import json

import pytest

from returns_api.domain.errors import ActionNotAllowed, NotFound
from returns_api.domain.orders import BuyerFacts, OrderSeen, PersonErased
from returns_api.usecases import dead_messages, inbox
from returns_api.usecases.context import Context
from returns_api.usecases.inbox import MAX_FAILURES, PATIENCE, look_again_in
from tests.support.context import Clock
from tests.support.intake import Intake, an_intake
from tests.support.messages_in import ORDER, PARCEL, SCAN, put, run
from tests.support.seen import order


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


async def test_what_waits_while_its_person_is_erased_is_not_kept_when_it_dies(
    shop: Intake, clock: Clock
) -> None:
    """A parcel of a line that the order does not have, with the address that it goes to."""
    parcel = {**json.loads(PARCEL), "email": "anna@example.com"}
    parcel["line_items"] = [{"id": 404404, "quantity": 1}]
    waiting = await put(shop, "fulfillments/create", json.dumps(parcel).encode())
    await run(shop, await put(shop, "orders/create", ORDER))
    assert (await run(shop, waiting))["state"] == "received"
    body = b'{"customer": {"id": 700123, "email": "anna@example.com"}, "orders_to_redact": []}'
    await run(shop, await put(shop, "customers/redact", body))
    row = await run(shop, waiting)
    assert (row["state"], row["body"] != b"") == ("received", True), "its facts are still to come"
    clock.forward(seconds=PATIENCE.total_seconds())
    row = await run(shop, waiting)
    assert (row["state"], row["body"]) == ("dead", b"")


@pytest.mark.parametrize(
    "told",
    [
        b'{"email": "ANNA@example.com"}',
        b'{"email": "\\u0061nna@example.com", "id": 700123}',
        b'{"phone": "+49 30 123456"}',
        b'{"address": "anna\\/post@example.com"}',
    ],
)
async def test_a_person_is_found_however_a_message_writes_them(shop: Intake, told: bytes) -> None:
    """By what the order says of its person as well, and not by the request alone."""
    person = BuyerFacts(email="anna/post@example.com", phone="+49 30 123456")
    await shop.see(OrderSeen(order(buyer=person, payments=())))
    message = await put(shop, "customers/create", told)
    assert (await run(shop, message))["state"] == "ignored"
    await shop.see(PersonErased("700123", "anna@example.com", ("o1",)))
    (row,) = await shop.rows("SELECT body FROM inbox WHERE id = $1", message)
    assert row["body"] == b""


async def test_what_told_nothing_is_kept_for_a_month(shop: Intake, clock: Clock) -> None:
    """Nobody could find persons in it whom nothing else here knows."""
    message = await put(shop, "customers/update", b'{"id": 800456, "email": "ben@example.com"}')
    assert (await run(shop, message))["body"] != b""
    clock.forward(days=29)
    await shop.work()
    (row,) = await shop.rows("SELECT body, due_at FROM inbox")
    assert row["body"] != b""
    clock.forward(days=2)
    await shop.work()
    (row,) = await shop.rows("SELECT state, body, due_at FROM inbox")
    assert (row["state"], row["body"], row["due_at"]) == ("ignored", b"", None)
    with pytest.raises(ActionNotAllowed):
        await dead_messages.replay_message(shop.ctx, shop.shop, message)


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
