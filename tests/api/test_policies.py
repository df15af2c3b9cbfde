"""Policy versions: checked at the door, published once and forward only, found by date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_api.api.schemas.policies import EXAMPLE
from returns_api.db import policies as rows
from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.errors import Unavailable
from returns_api.usecases._policies import compiled
from tests.support.api import Tenant
from tests.support.context import START, Clock

PATH = "/v1/admin/policies"
WORDS = "Agreed with legal."


async def draft(tenant: Tenant, name: str = "Field & Loom") -> dict[str, Any]:
    text = EXAMPLE.replace("Field & Loom", name)
    answer = await tenant.admin.post(PATH, json={"source": text})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def publish(tenant: Tenant, version: str, **body: Any) -> dict[str, Any]:
    answer = await tenant.admin.post(f"{PATH}/{version}/publish", json=body)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def name_in_force(tenant: Tenant, placed_at: datetime) -> str | None:
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        row = await rows.in_force(tx, placed_at)
    return None if row is None else str(row["name"])


async def find_events(tenant: Tenant, resource: str) -> list[tuple[int, str]]:
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        found = await tx.connection.fetch(
            "SELECT sequence, type FROM events WHERE resource_id = $1 ORDER BY sequence",
            ids.decode("pv", resource),
        )
    return [(row["sequence"], row["type"]) for row in found]


async def test_a_draft_is_numbered_digested_and_readable(tenant: Tenant) -> None:
    first, second = await draft(tenant), await draft(tenant, "Second")
    assert (first["number"], second["number"]) == (1, 2)
    assert (first["state"], first["findings"], first["source"]) == ("draft", [], EXAMPLE)
    assert (first["in_force"], first["counts"]) == (False, {"error": 0, "warning": 0, "info": 0})
    assert first["digest"].startswith("sha256:")
    assert first["digest"] != second["digest"]
    read = await tenant.admin.get(f"{PATH}/{first['id']}")
    assert (read.json(), read.headers["etag"]) == (first, '"1"')


async def test_json_is_a_policy_text_too(tenant: Tenant) -> None:
    source = (
        '{"policy": "returns-policy/v1", "name": "J", "timezone": "Europe/Berlin",'
        ' "currency": "EUR", "rules": [{"id": "a", "resolutions": {"refund": "30 days"}}]}'
    )
    assert (await tenant.admin.post(PATH, json={"source": source})).status_code == 201


@pytest.mark.parametrize(
    "source",
    ["not a policy", "policy: returns-policy/v1", EXAMPLE + "surprise: 1\n", "{", "- 1\n- 2", "1"],
)
async def test_a_text_that_is_no_policy_is_refused_with_its_faults(
    tenant: Tenant, source: str
) -> None:
    answer = await tenant.admin.post(PATH, json={"source": source})
    assert (answer.status_code, answer.json()["code"]) == (422, "policy_invalid")
    assert answer.json()["findings"]
    assert (await tenant.admin.get(PATH)).json()["items"] == []


@pytest.mark.parametrize("source", ["", "\u0000", "x" * 200_001, 7, None])
async def test_what_is_no_text_is_refused(tenant: Tenant, source: Any) -> None:
    answer = await tenant.admin.post(PATH, json={"source": source})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_versions_are_listed_in_pages_newest_first(tenant: Tenant) -> None:
    made = [(await draft(tenant, f"P{n}"))["id"] for n in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await tenant.admin.get(PATH, params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (made[::-1], None)
    assert "source" not in page["items"][0]


@pytest.mark.parametrize("cursor", ["x", "pv_", "key_01h2xcejqtf2nbrexx3vqjhp41", "\u0000"])
async def test_a_made_up_cursor_is_refused(tenant: Tenant, cursor: str) -> None:
    answer = await tenant.admin.get(PATH, params={"cursor": cursor})
    assert answer.status_code == 422


async def test_publishing_is_once_and_never_backwards(tenant: Tenant, clock: Clock) -> None:
    version = (await draft(tenant))["id"]
    past = {"effective_from": (START - timedelta(seconds=1)).isoformat()}
    refused = await tenant.admin.post(f"{PATH}/{version}/publish", json=past)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "effective_from")
    clock.forward(minutes=1)
    done = await publish(tenant, version, acknowledge=WORDS)
    assert (done["state"], done["effective_from"]) == ("published", "2026-11-21T09:13:44Z")
    assert done["in_force"] is True
    assert done["published_by"].startswith("key_")
    again = await tenant.admin.post(f"{PATH}/{version}/publish", json={})
    assert (again.status_code, again.json()["code"]) == (409, "action_not_allowed")
    assert (again.json()["state"], again.json()["allowed"]) == ("published", ["retire"])
    assert await find_events(tenant, version) == [
        (1, "policy_version.created"),
        (2, "policy_version.checked"),
        (3, "policy_version.published"),
    ]


@pytest.mark.parametrize(
    "moment",
    ["2026-11-21", "2026-11-22T00:00:00", 1795428764, "9999-12-31T23:59:59-14:00",
     "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z", "infinity", "2026-02-30T00:00:00Z"],
)  # fmt: skip
async def test_odd_moments_are_refused(tenant: Tenant, moment: Any) -> None:
    version = (await draft(tenant))["id"]
    answer = await tenant.admin.post(f"{PATH}/{version}/publish", json={"effective_from": moment})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("severity", "body", "status"),
    [
        ("info", {}, 200),
        ("warning", {}, 409),
        ("warning", {"acknowledge": "Agreed with legal."}, 200),
        ("error", {"acknowledge": "We know."}, 422),
    ],
)
async def test_findings_decide_about_publishing(
    tenant: Tenant, severity: str, body: dict[str, Any], status: int
) -> None:
    version = (await draft(tenant))["id"]
    finding = {
        "code": "rule.dead", "severity": severity, "message": "Never applies.", "path": "rules[0]",
        "line": 6, "column": 5, "suggestion": None, "witness": None,
    }  # fmt: skip
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        await tx.connection.execute(
            "UPDATE policy_versions SET state = 'checked', findings = $1 WHERE id = $2",
            [finding],
            ids.decode("pv", version),
        )
    answer = await tenant.admin.post(f"{PATH}/{version}/publish", json=body)
    assert answer.status_code == status
    assert answer.json()["findings"] == [finding]
    assert status != 200 or answer.json()["acknowledged"] == body.get("acknowledge")


async def test_an_order_is_judged_by_the_version_in_force_when_it_was_placed(
    tenant: Tenant,
) -> None:
    day = timedelta(days=1)
    assert await name_in_force(tenant, START) is None
    for name, start in (("later", 20), ("first", 10), ("replaced", 30), ("last", 30)):
        version = (await draft(tenant, name))["id"]
        begin = (START + start * day).isoformat()
        await publish(tenant, version, effective_from=begin, acknowledge=WORDS)
    await draft(tenant, "only a draft")
    table = {0: "first", 9: "first", 10: "first", 19: "first", 20: "later", 29: "later", 30: "last"}
    for days, name in table.items():
        assert await name_in_force(tenant, START + days * day) == name, days
    assert await name_in_force(tenant, START + 20 * day - timedelta(microseconds=1)) == "first"


async def test_a_version_is_compiled_once_and_then_not_even_read(tenant: Tenant) -> None:
    made = (await draft(tenant))["id"]
    version = ids.decode("pv", made)
    assert version is not None
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        row = await rows.by_id(tx, version)
    assert row is not None
    assert compiled(tenant.ctx, row) is not compiled(tenant.ctx, row), "a draft may be edited"
    await publish(tenant, made, acknowledge=WORDS)
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        row = await rows.by_id(tx, version)
        assert row is not None
        policy = compiled(tenant.ctx, row)
        light = await rows.by_id(tx, version, tenant.ctx.policies.keys())
    assert light is not None
    assert light["canonical"] is None
    assert compiled(tenant.ctx, light) is policy


async def test_an_evicted_version_is_asked_for_again(tenant: Tenant) -> None:
    version = ids.decode("pv", (await draft(tenant))["id"])
    assert version is not None
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        light = await rows.by_id(tx, version, [version])
    assert light is not None
    with pytest.raises(Unavailable):
        compiled(tenant.ctx, light)


async def test_a_storefront_reads_the_policy_in_force(tenant: Tenant, clock: Clock) -> None:
    async with tenant.calling(await tenant.key(Role.PUBLISHABLE)) as storefront:
        assert (await storefront.get("/v1/policy")).status_code == 404
        version = await draft(tenant)
        assert (await storefront.get("/v1/policy")).status_code == 404
        await publish(tenant, version["id"], acknowledge=WORDS)
        clock.forward(seconds=1)
        answer = await storefront.get("/v1/policy")
        assert answer.status_code == 200
        shown = answer.json()
        assert (shown["policy_version"], shown["digest"]) == (version["id"], version["digest"])
        assert shown["markets"][0]["groups"][0]["resolutions"][0]["within"] == "30 days"
        for path in (PATH, f"{PATH}/{version['id']}"):
            assert (await storefront.get(path)).status_code == 403


async def test_another_shop_has_no_such_version(tenant: Tenant, stranger: Tenant) -> None:
    version = (await draft(tenant))["id"]
    for wrong in (version, ids.encode("pv", UUID(int=5)), "pv_x", "\u00e9", "a" * 300):
        assert (await stranger.admin.get(f"{PATH}/{wrong}")).status_code == 404
        published = await stranger.admin.post(f"{PATH}/{wrong}/publish", json={})
        assert published.status_code == 404
    assert (await stranger.admin.get(PATH)).json()["items"] == []
