"""Reports over HTTP: a list that says what can be asked, rows as JSON and as the same CSV."""

from __future__ import annotations

import csv
import io
from copy import deepcopy

import httpx

from returns_api.domain.access import Role
from returns_api.domain.order_documents import EXAMPLE
from returns_api.worker.jobs import KINDS
from returns_api.worker.sweep import drain
from tests.support.api import Tenant
from tests.support.context import Clock


async def counted(tenant: Tenant, path: str, **headers: str) -> httpx.Response:
    """The answer, after what is due was counted."""
    await tenant.admin.get("/v1/reports/reasons")
    await drain(tenant.ctx, {"roll_up_reports": KINDS["roll_up_reports"]})
    return await tenant.admin.get(path, headers=headers)


async def test_the_first_question_has_the_figures_made(tenant: Tenant, clock: Clock) -> None:
    listed = (await tenant.admin.get("/v1/reports")).json()
    assert (listed["zone"], listed["as_of"]) == (None, None)
    first = await tenant.admin.get("/v1/reports/reasons")
    assert (first.status_code, first.json()["code"]) == (409, "conflict")
    answer = await counted(tenant, "/v1/reports/reasons")
    told = answer.json()
    assert (answer.status_code, told["rows"], told["zone"]) == (200, [], "Europe/Berlin")
    assert told["as_of"] == clock().isoformat().replace("+00:00", "Z")
    again = await tenant.admin.post("/v1/reports/rebuild")
    assert (again.status_code, again.json()["as_of"]) == (202, None)
    assert (await tenant.admin.get("/v1/reports/reasons")).status_code == 409


async def test_json_and_csv_say_the_same_and_no_cell_is_a_formula(tenant: Tenant) -> None:
    for item in (await tenant.admin.get("/v1/reports")).json()["items"]:
        answer = await counted(tenant, item["url"])
        assert [each["name"] for each in answer.json()["columns"]] == [
            each["name"] for each in item["columns"]
        ]
    document = deepcopy(EXAMPLE)
    document["lines"][0] |= {"sku": "=1+1", "vendor": "Loom"}
    put = await tenant.admin.put(
        f"/v1/orders/{document['external_id']}", json=document, headers={"Idempotency-Key": "o"}
    )
    assert put.status_code in {200, 201}, put.text
    await tenant.admin.post("/v1/reports/rebuild")
    path = "/v1/reports/skus?min_volume=1&from=2020-01-01&to=2029-01-01"
    told = (await counted(tenant, path)).json()
    assert told["rows"][0]["sku"] == "=1+1"
    for wanted in (f"{path}&format=csv", path):
        answer = await counted(tenant, wanted, accept="text/csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert rows[0]["sku"] == "'=1+1"
        assert [row["sold"] for row in rows] == [str(row["sold"]) for row in told["rows"]]


async def test_questions_that_make_no_sense_are_refused_by_their_field(tenant: Tenant) -> None:
    await counted(tenant, "/v1/reports/reasons")
    for query, status, field in (
        ("from=2026-02-30", 422, "from"),
        ("from=1026-02-01", 409, "from"),
        ("from=2026-02-02&to=2026-02-01", 409, "to"),
        ("group=sku", 409, "group"),
        ("currency=EUR", 409, "currency"),
        ("min_volume=1", 409, "min_volume"),
        ("limit=0", 422, "limit"),
        ("to=1700000000", 422, "to"),
    ):
        answer = await tenant.admin.get(f"/v1/reports/reasons?{query}")
        problem = answer.json()
        assert (answer.status_code, problem["errors"][0]["field"]) == (status, field), problem
    assert (await tenant.admin.get("/v1/reports/none")).status_code == 404
    async with tenant.calling(await tenant.key(Role.WAREHOUSE)) as dock:
        assert (await dock.get("/v1/reports")).status_code == 403
