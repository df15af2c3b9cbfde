"""Lists over HTTP: kept by who reviews returns, once for a key, and without the name."""

from __future__ import annotations

import pytest

from returns_api.domain.access import Role
from tests.support.api import Tenant

PATH = "/v1/listings"
BODY = {"list": "block", "email": "mallory@example.com", "reason": "payment_disputes"}


async def test_a_listing_is_made_once_read_and_ended(tenant: Tenant) -> None:
    async with tenant.calling(await tenant.key(Role.AGENT)) as agent:
        key = {"idempotency-key": "one"}
        made = await agent.post(PATH, json=BODY, headers=key)
        assert made.status_code == 201, made.text
        again = await agent.post(PATH, json=BODY, headers=key)
        assert (again.content, again.headers["idempotent-replayed"]) == (made.content, "true")
        listing = made.json()
        assert (listing["list"], listing["identifier"], listing["made_by"]) == (
            "block",
            "email",
            "agent",
        )
        assert "mallory" not in made.text
        known = await agent.post(PATH, json=BODY, headers={"idempotency-key": "two"})
        assert (known.status_code, known.json()["listing"]) == (409, listing["listing"])
        page = await agent.get(PATH, params={"list": "block"})
        assert page.json()["items"] == [listing]
        assert (await agent.get(PATH, params={"list": "allow"})).json()["items"] == []
        href = made.headers["location"]
        assert (await agent.delete(href)).status_code == 204
        assert (await agent.delete(href)).status_code == 404
        ended = (await agent.get(href)).json()
        assert ended["ended_at"] is not None
        assert (await agent.get(PATH)).json()["items"] == []
    events = await tenant.admin.get("/v1/admin/events", params={"resource": listing["listing"]})
    assert [each["type"] for each in events.json()["items"]] == [
        "listing.removed",
        "listing.added",
    ]
    assert "mallory" not in events.text


@pytest.mark.parametrize(
    "whom",
    [{}, {"email": "a@b.c", "customer_id": "1"}, {"source": "shopify"}, {"customer_id": "1"}],
)
async def test_a_person_is_named_in_one_way(tenant: Tenant, whom: dict[str, str]) -> None:
    body = {"list": "allow", "reason": "stylist", **whom}
    answer = await tenant.admin.post(PATH, json=body, headers={"idempotency-key": "k"})
    assert answer.status_code == 422, answer.text
