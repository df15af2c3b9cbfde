"""A decision of a return that was opened over HTTP, made again years of policy later."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.support.live import LiveServer
from tests.support.living import server, world
from tests.support.world import POLICY, World, bearer

__all__ = ["server", "world"]

STRICTER = POLICY.replace("refund: 30 days", "refund: 3 days").replace("4.90", "14.90")
OTHER = POLICY.replace("resolutions: {refund: 30 days, exchange: 60 days}", "refuse: no_returns")


def canonical(data: Any) -> bytes:
    """The bytes that the digest is about, made here without the service's code."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def publish(http: httpx.Client, source: str) -> None:
    made = http.post("/v1/admin/policies", json={"source": source})
    assert made.status_code == 201, made.text
    path = f"/v1/admin/policies/{made.json()['id']}/publish"
    done = http.post(path, json={"acknowledge": "a test"})
    assert done.status_code == 200, done.text


def test_two_versions_later_the_same_bytes_come_out(server: LiveServer, world: World) -> None:
    headers = bearer(world.ours.keys["admin"])
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as http:
        returns = [one["return"] for one in http.get("/v1/returns").json()["items"]]
        assert len(returns) >= 4
        before = {one: http.get(f"/v1/returns/{one}/decision").json() for one in returns}
        for source in (STRICTER, OTHER):
            publish(http, source)
        assert http.get("/v1/policy").json()["digest"] != before[returns[0]]["digest"]
        for one, stored in before.items():
            assert http.get(f"/v1/returns/{one}/decision").json() == stored
            again = http.get(f"/v1/admin/returns/{one}/decision/recomputed")
            assert again.status_code == 200, again.text
            made = again.json()
            assert made["identical"] is True
            assert made["policy_version"] == stored["policy_version"]
            assert made["stored_digest"] == made["recomputed_digest"] == stored["digest"]
            assert canonical(made["lines"]) == canonical(stored["lines"])
            assert stored["digest"].startswith("sha256:")


def test_a_return_of_nobody_s_has_no_decision(server: LiveServer, world: World) -> None:
    ours, theirs = world.ours, world.theirs
    ret = ours.things["ret"][0]
    path = f"{server.url}/v1/admin/returns/{ret}/decision/recomputed"
    with httpx.Client(trust_env=False) as http:
        assert http.get(path, headers=bearer(theirs.keys["admin"])).status_code == 404
        assert http.get(path, headers=bearer(ours.keys["agent"])).status_code == 403
        wrong = path.replace(ret, "ret_x")
        assert http.get(wrong, headers=bearer(ours.keys["admin"])).status_code == 404
