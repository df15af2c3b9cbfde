"""The file of what is to be paid by hand, over HTTP."""

from __future__ import annotations

from returns_api.domain.access import Role
from returns_api.usecases.payouts import NAMES
from tests.support.api import Tenant

PATH = "/v1/payouts"


async def connect(tenant: Tenant, source: str, adapter: str) -> None:
    body = {
        "kind": "payments",
        "adapter": adapter,
        "account": "bank account",
        "base_url": "https://bank.example",
        "secret": "none",
        "webhook_secrets": [],
    }
    answer = await tenant.admin.put(f"/v1/admin/connections/{source}", json=body)
    assert answer.is_success, answer.text


async def test_it_is_a_file_for_whoever_may_pay(tenant: Tenant) -> None:
    await connect(tenant, "cash_on_delivery", "manual")
    answer = await tenant.admin.get(f"{PATH}?account=cash_on_delivery")
    assert (answer.status_code, answer.text) == (200, ",".join(NAMES) + "\r\n")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "payouts.csv" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    async with tenant.calling(await tenant.key(Role.WAREHOUSE)) as warehouse:
        refused = await warehouse.get(f"{PATH}?account=cash_on_delivery")
    assert refused.status_code == 403


async def test_what_is_no_such_account_is_said(tenant: Tenant) -> None:
    await connect(tenant, "stripe", "stripe")
    codes = [
        (answer.status_code, answer.json()["code"])
        for answer in [
            await tenant.admin.get(f"{PATH}{query}")
            for query in ("?account=stripe", "?account=nowhere", "?account=UPPER", "")
        ]
    ]
    assert codes == [
        (409, "does_not_fit"),
        (404, "not_found"),
        (422, "invalid_request"),
        (422, "invalid_request"),
    ]
