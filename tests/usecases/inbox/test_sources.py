"""What each source tells through the inbox, and how it is shown."""

from __future__ import annotations

import json
from uuid import UUID

from returns_api.usecases import dead_messages
from tests.support.intake import Intake
from tests.support.messages_in import ORDER, put, run


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
