"""The life of a policy version over HTTP: edited, checked, published, retired, remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from returns_api.api.schemas.policies import EXAMPLE
from returns_api.domain import ids
from returns_api.domain.access import Role
from tests.api.test_policies import PATH, WORDS, draft, find_events, name_in_force, publish
from tests.support.api import Tenant
from tests.support.context import START, Clock

GAP = EXAMPLE.replace("    refund_within: 5 days\n", "")
"""A required term that no rule sets."""
CASE = {
    "reason": "changed_mind",
    "currency": "EUR",
    "placed_at": "2026-09-01T10:00:00Z",
    "delivered_at": "2026-09-05T12:00:00Z",
    "asked_at": "2026-11-21T09:12:44Z",
    "unit_paid_minor": 9900,
    "order_paid_minor": 9900,
    "country": "US",
}


async def call(tenant: Tenant, method: str, path: str, status: int, **more: Any) -> Any:
    answer = await tenant.admin.request(method, path, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


async def history(tenant: Tenant, version: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await call(tenant, "GET", f"{PATH}/{version}/history", 200))[
        "items"
    ]
    return found


async def test_an_edit_needs_the_version_that_was_read(tenant: Tenant) -> None:
    path = f"{PATH}/{(await draft(tenant))['id']}"
    body = {"source": EXAMPLE.replace("Field & Loom", "Second thoughts")}
    assert (await call(tenant, "PUT", path, 428, json=body))["code"] == "precondition_required"
    for wrong in ('"2"', "*", 'W/"1"', "1", '"0"'):
        refused = await call(tenant, "PUT", path, 412, json=body, headers={"if-match": wrong})
        assert refused["code"] == "precondition_failed"
    answer = await tenant.admin.put(path, json=body, headers={"if-match": '"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert (answer.json()["name"], answer.json()["source"]) == ("Second thoughts", body["source"])
    again = await call(tenant, "PUT", path, 412, json=body, headers={"if-match": '"1"'})
    assert again["current"] == '"2"'
    bad = await call(tenant, "PUT", path, 422, json={"source": "a"}, headers={"if-match": '"2"'})
    assert bad["code"] == "policy_invalid"


async def test_an_edit_takes_back_the_check(tenant: Tenant) -> None:
    path = f"{PATH}/{(await draft(tenant))['id']}"
    checked = await call(tenant, "POST", f"{path}/check", 200)
    assert checked["state"] == "checked"
    assert checked["checked_at"] is not None
    assert {finding["severity"] for finding in checked["findings"]} == {"warning"}
    assert all(finding["witness"]["facts"] for finding in checked["findings"])
    assert checked["counts"]["warning"] == len(checked["findings"])
    listed = (await call(tenant, "GET", PATH, 200))["items"][0]
    assert listed["counts"] == checked["counts"]
    assert "findings" not in listed
    edited = await call(tenant, "PUT", path, 200, json={"source": GAP}, headers={"if-match": '"2"'})
    assert (edited["state"], edited["findings"], edited["checked_at"]) == ("draft", [], None)


async def test_errors_forbid_publishing_and_stay_with_the_draft(tenant: Tenant) -> None:
    made = await call(tenant, "POST", PATH, 201, json={"source": GAP})
    path = f"{PATH}/{made['id']}"
    refused = await call(tenant, "POST", f"{path}/publish", 422, json={"acknowledge": WORDS})
    assert (refused["code"], refused["findings"][0]["code"]) == ("policy_invalid", "term.gap")
    kept = await call(tenant, "GET", path, 200)
    assert (kept["state"], kept["counts"]["error"]) == ("checked", 1)
    mended = {"source": EXAMPLE}
    await call(tenant, "PUT", path, 200, json=mended, headers={"if-match": f'"{2}"'})
    assert (await publish(tenant, made["id"], acknowledge=WORDS))["state"] == "published"


async def test_warnings_are_acknowledged_by_somebody_and_remembered(
    tenant: Tenant, clock: Clock
) -> None:
    version = (await draft(tenant))["id"]
    path = f"{PATH}/{version}"
    refused = await call(tenant, "POST", f"{path}/publish", 409, json={})
    assert refused["code"] == "conflict"
    codes = [finding["code"] for finding in refused["findings"]]
    clock.forward(minutes=5)
    done = await publish(tenant, version, acknowledge=WORDS)
    steps = await history(tenant, version)
    assert [step["action"] for step in steps] == ["published", "checked", "drafted"]
    nod = steps[0]
    assert (nod["note"], nod["at"], nod["actor"]) == (WORDS, "2026-11-21T09:17:44Z", "admin")
    assert nod["key"] == done["published_by"]
    assert [finding["code"] for finding in nod["acknowledged"]] == codes
    assert nod["digest"] == done["digest"]
    everything = (await call(tenant, "GET", "/v1/admin/policy-history", 200))["items"]
    assert everything == steps


async def test_words_for_yesterday_s_warnings_do_not_accept_today_s(tenant: Tenant) -> None:
    """The law changed between the check and the publishing: who acknowledged did not read that."""
    version = (await draft(tenant))["id"]
    path = f"{PATH}/{version}"
    checked = await call(tenant, "POST", f"{path}/check", 200)
    assert checked["counts"]["warning"]
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        await tx.connection.execute(
            "UPDATE policy_versions SET digest = 'sha256:under another law', findings = '[]'"
            " WHERE id = $1",
            ids.decode("pv", version),
        )
    body = {"acknowledge": WORDS}
    refused = await call(tenant, "POST", f"{path}/publish", 409, json=body)
    assert "law changed" in refused["detail"]
    assert refused["findings"] == checked["findings"]
    done = await call(tenant, "POST", f"{path}/publish", 200, json=body)
    assert (done["state"], done["digest"]) == ("published", checked["digest"])


async def test_only_what_was_seen_is_published(tenant: Tenant) -> None:
    version = (await draft(tenant))["id"]
    path, body = f"{PATH}/{version}/publish", {"acknowledge": WORDS}
    await call(tenant, "POST", path, 412, json=body, headers={"if-match": '"7"'})
    await call(tenant, "POST", path, 200, json=body, headers={"if-match": '"1"'})


async def test_what_is_published_stays_as_it_is(tenant: Tenant, database_url: str) -> None:
    version = (await draft(tenant))["id"]
    await publish(tenant, version, acknowledge=WORDS)
    body, seen = {"source": EXAMPLE}, {"if-match": '"3"'}
    for method, path, more in (
        ("PUT", f"{PATH}/{version}", {"json": body, "headers": seen}),
        ("POST", f"{PATH}/{version}/check", {}),
        ("POST", f"{PATH}/{version}/publish", {"json": {}}),
    ):
        refused = await call(tenant, method, path, 409, **more)
        assert (refused["code"], refused["allowed"]) == ("action_not_allowed", ["retire"])
    owner = await asyncpg.connect(database_url)
    try:
        for change in (
            "SET source = 'another'",
            "SET canonical = ''",
            "SET effective_from = now()",
            "SET state = 'draft'",
        ):
            with pytest.raises(asyncpg.RestrictViolationError, match="stays as it is"):
                await owner.execute(
                    f"UPDATE policy_versions {change} WHERE id = $1", ids.decode("pv", version)
                )
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute("DELETE FROM policy_versions")
    finally:
        await owner.close()


async def test_a_retired_version_judges_no_later_order(tenant: Tenant, clock: Clock) -> None:
    first = (await draft(tenant, "first"))["id"]
    await publish(tenant, first, acknowledge=WORDS)
    alone = await call(tenant, "POST", f"{PATH}/{first}/retire", 409, json={})
    assert alone["code"] == "action_not_allowed"
    clock.forward(days=1)
    second = (await draft(tenant, "second"))["id"]
    await publish(tenant, second, acknowledge=WORDS)
    later = (await draft(tenant, "later"))["id"]
    await publish(
        tenant, later, acknowledge=WORDS, effective_from=(START + timedelta(days=9)).isoformat()
    )
    clock.forward(days=1)
    gone = await call(tenant, "POST", f"{PATH}/{second}/retire", 200, json={"note": "Too strict."})
    assert (gone["state"], gone["retired_at"]) == ("retired", "2026-11-23T09:12:44Z")
    assert gone["in_force"] is False
    assert (await history(tenant, second))[0]["note"] == "Too strict."
    day = timedelta(days=1)
    table = {0: "first", 1: "second", 1.9: "second", 2: "first", 8: "first", 9: "later"}
    for days, name in table.items():
        assert await name_in_force(tenant, START + days * day) == name, days
    await call(tenant, "POST", f"{PATH}/{later}/retire", 200, json={})
    assert await name_in_force(tenant, START + 9 * day) == "first"
    last = await call(tenant, "POST", f"{PATH}/{first}/retire", 409, json={})
    assert "always has a policy" in last["detail"]
    again = await call(tenant, "POST", f"{PATH}/{second}/retire", 409, json={})
    assert again["allowed"] == []
    assert [name for _, name in await find_events(tenant, second)][-1] == "policy_version.retired"


async def test_a_draft_cannot_be_retired(tenant: Tenant) -> None:
    version = (await draft(tenant))["id"]
    await call(tenant, "POST", f"{PATH}/{version}/retire", 409, json={})


async def test_a_text_is_checked_without_being_kept(tenant: Tenant) -> None:
    report = await call(tenant, "POST", f"{PATH}/check", 200, json={"source": GAP})
    assert (report["publishable"], report["complete"]) == (False, True)
    assert report["findings"][0]["code"] == "term.gap"
    assert 0 < report["steps"] <= report["steps_bound"]
    await call(tenant, "POST", f"{PATH}/check", 422, json={"source": "a: 1"})
    assert (await call(tenant, "GET", PATH, 200))["items"] == []


HOUSE_LINE = EXAMPLE.splitlines().index("  - id: house") + 1


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "path"),
    [
        ("    approval:", "    aproval:", "document.unknown_key", None, "rules[0].aproval"),
        ("methods: [post]", "methods: 7", "document.value", None, "rules[0].methods"),
        ("name:", "name: A\nname:", "document.duplicate_key", None, "name"),
        ("rules:", "rules:\n  - {id: house, return_shipping: free}", "document.duplicate_id",
         HOUSE_LINE + 1, "rules[1].id"),
        ("rules:", "rules:\n  - {id: h, when: {placed: {from: 2026-02-30}}, return_shipping: free}",
         "document.value", HOUSE_LINE, "rules[0].when.placed"),
        ("evidence: none", "restocking_fee: 140%", "document.value", None,
         "rules[0].restocking_fee"),
        ("evidence: none", "restocking_fee: ten", "document.value", None,
         "rules[0].restocking_fee"),
        ("name: Field & Loom", "name: &n Field\nnote: *n", "document.alias", None, ""),
        ("name: Field & Loom", "name: !!python/object:os.system ls", "document.tag", None, ""),
        ("Europe/Berlin", "Europe/Berln", "document.value", None, "timezone"),
        ("name:", "\tname:", "document.syntax", None, ""),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_with_line_path_and_suggestion(
    tenant: Tenant, old: str, new: str, code: str, line: int | None, path: str
) -> None:
    assert old in EXAMPLE
    source = EXAMPLE.replace(old, new, 1)
    for address in (PATH, f"{PATH}/check"):
        refused = await call(tenant, "POST", address, 422, json={"source": source})
        assert refused["code"] == "policy_invalid"
        finding = refused["findings"][0]
        assert (finding["code"], finding["path"]) == (code, path)
        assert finding["suggestion"]
        assert finding["line"] == line or (line is None and finding["line"] > 1)


async def test_a_case_is_explained_under_a_text_a_version_and_the_policy_in_force(
    tenant: Tenant,
) -> None:
    path = f"{PATH}/explain"
    await call(tenant, "POST", path, 404, json={"facts": CASE})
    version = (await draft(tenant))["id"]
    asked = {"policy_version": version, "facts": CASE, "lang": "de"}
    found = await call(tenant, "POST", path, 200, json=asked)
    assert (found["policy_version"], found["eligible"]) == (version, False)
    assert found["because"][0]["rule"] == "house"
    assert "Erstattung" in found["because"][0]["text"]
    turned = {**CASE, **found["flips_if"][0]["change"]}
    by_text = await call(tenant, "POST", path, 200, json={"source": EXAMPLE, "facts": turned})
    assert (by_text["policy_version"], by_text["eligible"]) == (None, True)
    await publish(tenant, version, acknowledge=WORDS)
    now = await call(tenant, "POST", path, 200, json={"facts": CASE})
    assert now["decision"] == found["decision"]


@pytest.mark.parametrize(
    "body",
    [
        {"facts": {}},
        {"facts": {**CASE, "surprise": 1}},
        {"facts": {**CASE, "condition": "nice"}},
        {"facts": {**CASE, "unit_paid_minor": -1}},
        {"facts": {**CASE, "placed_at": "soon"}},
        {"facts": CASE, "source": EXAMPLE, "policy_version": ids.encode("pv", UUID(int=1))},
        {"facts": CASE, "source": "a: 1"},
        {"facts": CASE, "lang": "not a language"},
    ],
)
async def test_a_case_that_is_none_is_refused(tenant: Tenant, body: dict[str, Any]) -> None:
    await call(tenant, "POST", f"{PATH}/explain", 422, json=body)


async def test_history_and_drafts_are_nobody_elses(tenant: Tenant, stranger: Tenant) -> None:
    version = (await draft(tenant))["id"]
    body = {"source": EXAMPLE}
    for method, path, more in (
        ("GET", f"{PATH}/{version}/history", {}),
        ("PUT", f"{PATH}/{version}", {"json": body, "headers": {"if-match": '"1"'}}),
        ("POST", f"{PATH}/{version}/check", {}),
        ("POST", f"{PATH}/{version}/retire", {"json": {}}),
        ("POST", f"{PATH}/explain", {"json": {"policy_version": version, "facts": CASE}}),
    ):
        await call(stranger, method, path, 404, **more)
    assert (await call(stranger, "GET", "/v1/admin/policy-history", 200))["items"] == []
    async with tenant.calling(await tenant.key(Role.AGENT)) as agent:
        assert (await agent.get("/v1/admin/policy-history")).status_code == 403
