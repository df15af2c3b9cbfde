"""A guest withdraws over HTTP: look-up, statement, confirmation; once for each key."""

from __future__ import annotations

from returns_api.domain.access import Role
from returns_api.worker.sweep import drain
from tests.api.test_people import put
from tests.support.api import Tenant

NAMED = {"name": "Anna Canary", "contact": "anna@private.example"}


async def test_a_guest_withdraws_in_two_steps(tenant: Tenant) -> None:
    await put(tenant, "P1")
    known = (await tenant.admin.get("/v1/orders")).json()["items"][0]
    async with tenant.calling(await tenant.key(Role.PUBLISHABLE)) as shop:
        wrong = {"number": known["number"], "email": "nobody@example.com"}
        nobody = await shop.post("/v1/buyer-sessions", json=wrong)
        assert nobody.status_code == 404
        right = wrong | {"email": "anna.canary@example.com"}
        session = (await shop.post("/v1/buyer-sessions", json=right)).json()
        path = f"/v1/orders/{session['order']}/withdrawals"
        refused = await shop.post(path, json=NAMED, headers={"idempotency-key": "w0"})
        assert refused.status_code == 403, "a publishable key is nobody"
    async with tenant.calling(session["token"]) as buyer:
        assert (await buyer.post(path, json=NAMED)).status_code == 400
        for _ in range(2):
            made = await buyer.post(path, json=NAMED, headers={"idempotency-key": "w1"})
            assert made.status_code == 201, made.text
        said = made.json()
        (action,) = said["actions"]
        assert action["action"] == "confirm"
        for _ in range(2):
            done = await buyer.post(action["href"], headers={"idempotency-key": "w2"})
            assert done.status_code == 200, done.text
        assert done.json()["acknowledgement"]["text"].count("Anna Canary") == 2
        late = await buyer.post(action["href"], headers={"idempotency-key": "w3"})
        assert late.json()["code"] == "action_not_allowed"
        await drain(tenant.ctx)
        seen = (await buyer.get(f"/v1/withdrawals/{said['withdrawal']}")).json()
        assert seen["state"] in {"opened", "unopened"}
        assert seen["acknowledgement"] == done.json()["acknowledgement"]
        listed = (await buyer.get("/v1/withdrawals", params={"state": seen["state"]})).json()
        assert [each["withdrawal"] for each in listed["items"]] == [said["withdrawal"]]
    export = await tenant.admin.post(
        "/v1/admin/people/export", json={"email": "anna.canary@example.com"}
    )
    assert export.json()["orders"][0]["withdrawals"][0]["contact"] == NAMED["contact"]
