"""A decision of a return that was opened over HTTP, made again two policies later: the same bytes.

The bytes are those on the wire and those that the digest is about; the digest is computed here,
from the answer, without the service's code, and once more by a process that never saw the policy.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from returns_api.domain import ids
from tests.support.commands import last_json, run
from tests.support.live import LiveServer
from tests.support.living import server, world
from tests.support.patience import PATIENCE
from tests.support.world import POLICY, World, asked, bearer

__all__ = ["server", "world"]

STRICTER = POLICY.replace("refund: 30 days", "refund: 3 days").replace("4.90", "14.90")
OTHER = POLICY.replace("resolutions: {refund: 30 days, exchange: 60 days}", "refuse: no_returns")


def canonical(data: Any) -> bytes:
    """The bytes that the digest is about: sorted keys, no blanks, UTF-8."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def internal(lines: dict[str, Any]) -> dict[str, Any]:
    """The decisions by the keys that they were stored with; public ids are those in letters."""
    return {str(ids.decode("li", line)): decision for line, decision in lines.items()}


def publish(http: httpx.Client, source: str) -> str:
    made = http.post("/v1/admin/policies", json={"source": source})
    assert made.status_code == 201, made.text
    path = f"/v1/admin/policies/{made.json()['id']}/publish"
    done = http.post(path, json={"acknowledge": "a test"})
    assert done.status_code == 200, done.text
    return str(made.json()["id"])


def read(http: httpx.Client, path: str) -> bytes:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.content


def open_return(http: httpx.Client, order: str, line: str, name: str) -> str:
    """A return opened over HTTP by what an agent's screen sends."""
    quote = http.post("/v1/quotes", json=asked(order, line), headers={"Idempotency-Key": name})
    assert quote.status_code == 201, quote.text
    body = {"quote": quote.json()["quote"]}
    made = http.post("/v1/returns", json=body, headers={"Idempotency-Key": f"{name}-open"})
    assert made.status_code == 201, made.text
    return str(made.json()["return"])


def test_two_versions_later_the_same_bytes_come_out(
    server: LiveServer, world: World, app_database_url: str, tmp_path: Path
) -> None:
    ours = world.ours
    headers = bearer(ours.keys["admin"])
    with httpx.Client(
        base_url=server.url, headers=headers, trust_env=False, timeout=PATIENCE
    ) as http:
        ours_now = ours.made[0]
        fresh = open_return(http, ours_now["ord"], ours_now["li"], "recomputed")
        returns = [one["return"] for one in http.get("/v1/returns").json()["items"]]
        assert fresh in returns
        assert len(returns) >= 4
        shown = {one: read(http, f"/v1/returns/{one}/decision") for one in returns}
        again = {one: read(http, f"/v1/admin/returns/{one}/decision/recomputed") for one in returns}
        for source in (STRICTER, OTHER):
            version = publish(http, source)
            assert http.get("/v1/policy").json()["policy_version"] == version
            for one in returns:
                assert read(http, f"/v1/returns/{one}/decision") == shown[one]
                assert read(http, f"/v1/admin/returns/{one}/decision/recomputed") == again[one]
        for one in returns:
            stored, made = json.loads(shown[one]), json.loads(again[one])
            assert made["identical"] is True
            assert made["policy_version"] == stored["policy_version"] != version
            assert made["stored_digest"] == made["recomputed_digest"] == stored["digest"]
            assert canonical(made["lines"]) == canonical(stored["lines"])
            for told in (stored, made):
                bytes_ = canonical(internal(told["lines"]))
                assert f"sha256:{sha256(bytes_).hexdigest()}" == stored["digest"]
                assert len(bytes_) == made["bytes"]
    apart = run(
        "policy", "recompute", "--shop", ours.shop, "--json",
        database_url=app_database_url, data_dir=str(tmp_path),
    )  # fmt: skip
    found = last_json(apart)
    assert (apart.returncode, found["different"]) == (0, 0), apart.stderr
    assert found["identical"] >= len(returns), "a process that only has what is stored"


def test_an_order_is_judged_by_the_version_in_force_when_it_was_placed(
    server: LiveServer, world: World
) -> None:
    """Whatever was published since: also for a return that is asked for only now."""
    made = world.ours.made[1]
    headers = bearer(world.ours.keys["admin"])
    with httpx.Client(
        base_url=server.url, headers=headers, trust_env=False, timeout=PATIENCE
    ) as http:
        one = open_return(http, made["ord"], made["li"], "placed-before-first")
        first = json.loads(read(http, f"/v1/returns/{one}/decision"))
        later = publish(http, STRICTER)
        two = open_return(http, made["ord"], made["li"], "placed-before-second")
        second = json.loads(read(http, f"/v1/returns/{two}/decision"))
        assert second["policy_version"] == first["policy_version"] != later
        (line,) = second["lines"].values()
        assert [method["fee_minor"] for method in line["methods"]] == [490] * len(line["methods"])
        body = {"facts": next(iter(second["facts"].values())), "policy_version": later}
        other = http.post("/v1/admin/policies/explain", json=body)
        assert other.status_code == 200, other.text
        assert other.json()["decision"]["methods"][0]["fee_minor"] == 1490


def test_a_return_of_nobody_s_has_no_decision(server: LiveServer, world: World) -> None:
    ours, theirs = world.ours, world.theirs
    ret = ours.things["ret"][0]
    path = f"{server.url}/v1/admin/returns/{ret}/decision/recomputed"
    with httpx.Client(trust_env=False, timeout=PATIENCE) as http:
        assert http.get(path, headers=bearer(theirs.keys["admin"])).status_code == 404
        assert http.get(path, headers=bearer(ours.keys["agent"])).status_code == 403
        wrong = path.replace(ret, "ret_x")
        assert http.get(wrong, headers=bearer(ours.keys["admin"])).status_code == 404
