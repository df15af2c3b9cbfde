"""The promises about Idempotency-Key over real HTTP: S1-S3 and the scope of a key (T03)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from returns_api.api.schemas.base import example_id
from tests.support.live import LiveServer
from tests.support.patience import PATIENCE
from tests.support.world import House, World, bearer

REFUNDS = "/v1/refunds"
fresh = count()


@pytest.fixture
async def http(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        yield client


async def refund(
    http: httpx.AsyncClient, house: House, key: str | None, role: str = "finance", **more: Any
) -> httpx.Response:
    headers = bearer(house.keys[role]) | ({} if key is None else {"Idempotency-Key": key})
    body = {"order": house.orders[0], "amount": 1, **more}
    return await http.post(REFUNDS, json=body, headers=headers)


def new_key() -> str:
    return f"idempotency-{next(fresh)}"


@pytest.mark.parametrize("key", [None, "", '""', "a" * 256, "with space", "a\tb"])
async def test_without_a_usable_key_nothing_happens(
    http: httpx.AsyncClient, world: World, key: str | None
) -> None:
    answer = await refund(http, world.ours, key)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "idempotency_key_missing"


@pytest.mark.parametrize("key", ["a", "a" * 255, "!~", "a-quoted-one"])
async def test_the_same_key_again_gives_the_same_bytes(
    http: httpx.AsyncClient, world: World, key: str
) -> None:
    first = await refund(http, world.ours, key)
    again = await refund(http, world.ours, f'"{key}"' if len(key) < 250 else key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]


async def test_a_refusal_that_was_decided_is_kept(http: httpx.AsyncClient, world: World) -> None:
    key = new_key()
    first = await refund(http, world.ours, key, amount=10**9)
    again = await refund(http, world.ours, key, amount=10**9)
    assert (first.status_code, first.json()["code"]) == (409, "nothing_left_to_refund")
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(("more", "status"), [({"amount": -1}, 422), ({"surprise": 1}, 422)])
async def test_what_says_nothing_about_the_work_is_not_kept(
    http: httpx.AsyncClient, world: World, more: dict[str, Any], status: int
) -> None:
    key = new_key()
    assert (await refund(http, world.ours, key, **more)).status_code == status
    assert (await refund(http, world.ours, key, role="warehouse")).status_code == 403
    assert (await refund(http, world.ours, key)).status_code == 202


@pytest.fixture(scope="module")
def used() -> str:
    return "used-for-a-refund-of-one"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    amount=st.integers(2, 10_000),
    reason=st.one_of(
        st.none(), st.text(st.characters(codec="ascii", categories=["L"]), max_size=9)
    ),
)
async def test_another_body_under_a_used_key_is_refused(
    http: httpx.AsyncClient, world: World, used: str, amount: int, reason: str | None
) -> None:
    await refund(http, world.ours, used)
    answer = await refund(http, world.ours, used, amount=amount, reason=reason or None)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_another_path_under_a_used_key_is_refused(
    http: httpx.AsyncClient, world: World
) -> None:
    key = new_key()
    headers = bearer(world.ours.keys["admin"]) | {"Idempotency-Key": key}
    body = {"order": world.ours.orders[0], "amount": 1}
    assert (await http.post(REFUNDS, json=body, headers=headers)).status_code == 202
    other = {"quote": example_id("qt"), "lines": []}
    answer = await http.post("/v1/returns", json=other, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_shop_and_credential(
    http: httpx.AsyncClient, world: World
) -> None:
    key = new_key()
    answers = [
        await refund(http, world.ours, key),
        await refund(http, world.ours, key, role="admin"),
        await refund(http, world.theirs, key),
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.json()["refund"] for answer in answers}) == 3
    assert all("idempotent-replayed" not in answer.headers for answer in answers)


async def test_at_once_one_works_and_the_others_wait_or_see_its_answer(
    http: httpx.AsyncClient, world: World
) -> None:
    key = new_key()
    answers = await asyncio.gather(*(refund(http, world.ours, key) for _ in range(30)))
    done = [answer for answer in answers if answer.status_code == 202]
    busy = [answer for answer in answers if answer.status_code == 409]
    assert len(done) + len(busy) == 30
    assert len({answer.content for answer in done}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in done) == 1
    for answer in busy:
        assert answer.json()["code"] == "idempotency_in_progress"
        assert answer.headers["retry-after"] == "1"
