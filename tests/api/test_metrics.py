"""What tells an operator that workers are missing or do not keep up (S12)."""

from __future__ import annotations

import re

from returns_api.worker.jobs import KINDS, TIMED
from tests.support.api import Tenant
from tests.support.context import Clock
from tests.support.endpoints import drain, happens, make
from tests.support.receiver import Receiver

_LATE = re.compile(r'^returns_api_late_jobs\{kind="(\w+)"\} (\S+)$', re.MULTILINE)


async def late(tenant: Tenant) -> dict[str, float]:
    answer = await tenant.admin.get("/metrics")
    assert answer.status_code == 200
    return {kind: float(rows) for kind, rows in _LATE.findall(answer.text)}


async def test_work_that_no_worker_does_is_counted_by_kind(
    tenant: Tenant, clock: Clock, receiver: Receiver
) -> None:
    await make(tenant, receiver)
    await happens(tenant)
    assert await late(tenant) == dict.fromkeys(TIMED, 0)
    clock.forward(seconds=31)
    assert (await late(tenant))["deliver_event"] == 1
    await drain(tenant)
    assert (await late(tenant))["deliver_event"] == 1  # looked at once in five seconds
    clock.forward(seconds=5)
    assert await late(tenant) == dict.fromkeys(TIMED, 0)


async def test_without_the_database_the_rest_is_told(tenant: Tenant, clock: Clock) -> None:
    assert await late(tenant)
    await tenant.ctx.database.pool.close()
    clock.forward(seconds=5)
    assert await late(tenant) == {}
    assert "returns_api_requests_total" in (await tenant.admin.get("/metrics")).text


def test_only_what_has_no_time_is_left_out() -> None:
    assert KINDS.keys() - TIMED.keys() == {"seal_ledger"}
