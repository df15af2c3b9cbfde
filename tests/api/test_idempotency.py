"""S1-S5: one key, one execution, one answer; whose key it is, and what is never kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from returns_api.db import idempotency
from returns_api.db.engine import Database
from tests.support.live import LiveServer
from tests.support.patience import PATIENCE
from tests.support.world import World, asked, bearer

REFUNDS = "/v1/refunds"
AMOUNT = 7


@pytest.fixture
async def http(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=60)
    async with httpx.AsyncClient(
        base_url=server.url, trust_env=False, timeout=PATIENCE, limits=limits
    ) as client:
        yield client


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


class Refunder:
    """Asks for refunds as finance of our shop, unless told otherwise."""

    def __init__(self, http: httpx.AsyncClient, world: World) -> None:
        self.http, self.world = http, world
        self.order = world.ours.orders[0]

    async def ask(
        self, key: str | None, *, token: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = bearer(token or self.world.ours.keys["finance"])
        if key is not None:
            headers["idempotency-key"] = key
        body = {"order": self.order, "amount": AMOUNT, **more}
        return await self.http.post(REFUNDS, json=body, headers=headers)


@pytest.fixture
def refunder(http: httpx.AsyncClient, world: World) -> Refunder:
    return Refunder(http, world)


def fresh() -> str:
    return f"key-{uuid4()}"


async def refunds_of(owner: Any, world: World) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM refunds WHERE shop_id = $1",
                                    world.ours.id))  # fmt: skip


async def reserved(owner: Any, world: World) -> int:
    return int(await owner.fetchval("SELECT sum(reserved) FROM payments WHERE shop_id = $1",
                                    world.ours.id))  # fmt: skip


@pytest.mark.parametrize(
    "key",
    [None, "", '""', "with a blank", "tab\tinside", "ü", "x" * 256, f'"{"x" * 256}"', '"open'],
)
async def test_a_key_is_required_and_has_a_form(
    refunder: Refunder, owner: Any, world: World, key: str | None
) -> None:
    before = await refunds_of(owner, world)
    headers = list(bearer(world.ours.keys["finance"]).items())
    if key is not None:
        headers.append(("idempotency-key", key))
    raw = [(name.encode(), value.encode()) for name, value in headers]
    answer = await refunder.http.post(
        REFUNDS, json={"order": refunder.order, "amount": 1}, headers=raw
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert await refunds_of(owner, world) == before


@pytest.mark.parametrize("key", ["x", "!#$%&'*+-.^_`|~", "y" * 255, "a:b/c"])
async def test_visible_ascii_will_do_quoted_or_not(refunder: Refunder, key: str) -> None:
    first = await refunder.ask(key)
    quoted = await refunder.ask(f'"{key}"')
    assert (first.status_code, quoted.status_code) == (202, 202), first.text
    assert quoted.content == first.content
    assert quoted.headers["idempotent-replayed"] == "true"


async def test_the_same_request_again_is_the_first_answer_byte_for_byte(
    refunder: Refunder, owner: Any, world: World
) -> None:
    key, count, held = fresh(), await refunds_of(owner, world), await reserved(owner, world)
    first = await refunder.ask(key)
    assert first.status_code == 202, first.text
    assert "idempotent-replayed" not in first.headers
    for _ in range(3):
        again = await refunder.ask(key)
        assert (again.status_code, again.content) == (202, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        for name in ("content-type", "location"):
            assert again.headers[name] == first.headers[name]
        assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await refunds_of(owner, world) == count + 1
    assert await reserved(owner, world) == held + AMOUNT


async def test_a_replay_shows_the_first_answer_and_not_today_s_state(refunder: Refunder) -> None:
    key = fresh()
    first = await refunder.ask(key)
    path = first.headers["location"]
    admin = bearer(refunder.world.ours.keys["admin"])
    canceled = await refunder.http.post(f"{path}/cancel", headers=admin)
    assert canceled.json()["state"] == "canceled", canceled.text
    again = await refunder.ask(key)
    assert again.json()["state"] == first.json()["state"] != "canceled"
    assert (await refunder.http.get(path, headers=admin)).json()["state"] == "canceled"


@pytest.mark.parametrize(
    "more",
    [{"amount": AMOUNT + 1}, {"reason": "x"}, {"kind": "goodwill"}, {"client_reference": "c"}],
)
async def test_the_same_key_for_another_body_is_refused(
    refunder: Refunder, owner: Any, world: World, more: dict[str, Any]
) -> None:
    key = fresh()
    await refunder.ask(key)
    count = await refunds_of(owner, world)
    answer = await refunder.ask(key, **more)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await refunds_of(owner, world) == count
    assert (await refunder.ask(key)).status_code == 202  # and spoils nothing


async def test_the_bytes_count_not_what_they_mean(refunder: Refunder) -> None:
    key = fresh()
    headers = {
        **bearer(refunder.world.ours.keys["finance"]),
        "idempotency-key": key,
        "content-type": "application/json",
    }
    order = refunder.order
    one = f'{{"order":"{order}","amount":1}}'
    other = f'{{"amount":1,"order":"{order}"}}'
    assert (await refunder.http.post(REFUNDS, content=one, headers=headers)).status_code == 202
    answer = await refunder.http.post(REFUNDS, content=other, headers=headers)
    assert answer.json()["code"] == "idempotency_key_reused"


async def test_the_same_key_for_another_address_is_refused(
    refunder: Refunder, world: World
) -> None:
    key, token = fresh(), world.ours.keys["admin"]
    await refunder.ask(key, token=token)
    made = world.ours.made[0]
    answer = await refunder.http.post(
        "/v1/returns", json={"quote": made["qt"]}, headers={**bearer(token), "idempotency-key": key}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_caller_and_its_shop(
    refunder: Refunder, owner: Any, world: World
) -> None:
    key, count = fresh(), await refunds_of(owner, world)
    first = await refunder.ask(key)
    by_admin = await refunder.ask(key, token=world.ours.keys["admin"])
    assert by_admin.status_code == 202
    assert "idempotent-replayed" not in by_admin.headers
    assert by_admin.json()["refund"] != first.json()["refund"]
    stranger = await refunder.ask(key, token=world.theirs.keys["finance"])
    assert stranger.status_code == 404  # our order is not theirs; our answer was not shown
    theirs = Refunder(refunder.http, world)
    theirs.order = world.theirs.orders[0]
    own = await theirs.ask(fresh(), token=world.theirs.keys["finance"])
    assert own.status_code == 202
    assert await refunds_of(owner, world) == count + 2


async def test_a_business_refusal_is_kept(refunder: Refunder, owner: Any, world: World) -> None:
    key, held = fresh(), await reserved(owner, world)
    first = await refunder.ask(key, amount=10**9)
    assert (first.status_code, first.json()["code"]) == (409, "nothing_left_to_refund")
    again = await refunder.ask(key, amount=10**9)
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == "application/problem+json"
    assert await reserved(owner, world) == held


async def test_what_says_nothing_about_the_work_is_not_kept(
    refunder: Refunder, owner: Any, world: World
) -> None:
    """400, 401, 403, 413, 415 and a schema's 422: the same key is still free afterwards."""
    key = fresh()
    count = await owner.fetchval("SELECT count(*) FROM idempotency_keys")
    headers = {**bearer(world.ours.keys["finance"]), "idempotency-key": key}
    post = refunder.http.post
    kind = {**headers, "content-type": "application/json"}
    answers = [
        await post(REFUNDS, content=b"{", headers=kind),
        await post(REFUNDS, json={}, headers=bearer("rk_x") | {"idempotency-key": key}),
        await refunder.ask(key, token=world.ours.keys["warehouse"]),
        await post(REFUNDS, content=b" " * 1_000_001, headers=kind),
        await post(REFUNDS, content=b"{}", headers=headers),
        await refunder.ask(key, surprise=1),
        await refunder.ask(key, amount=-1),
    ]
    assert [answer.status_code for answer in answers] == [400, 401, 403, 413, 415, 422, 422]
    assert await owner.fetchval("SELECT count(*) FROM idempotency_keys") == count
    good = await refunder.ask(key)
    assert good.status_code == 202
    assert "idempotent-replayed" not in good.headers


async def test_forty_at_once_are_one(refunder: Refunder, owner: Any, world: World) -> None:
    key, count, held = fresh(), await refunds_of(owner, world), await reserved(owner, world)
    answers = await asyncio.gather(*(refunder.ask(key) for _ in range(40)))
    done = [answer for answer in answers if answer.status_code == 202]
    running = [answer for answer in answers if answer.status_code == 409]
    assert len(done) + len(running) == 40
    assert len({answer.content for answer in done}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in done) == 1
    for answer in running:
        assert answer.json()["code"] == "idempotency_in_progress"
        assert int(answer.headers["retry-after"]) >= 1
    assert await refunds_of(owner, world) == count + 1
    assert await reserved(owner, world) == held + AMOUNT
    assert (await refunder.ask(key)).content == done[0].content


async def test_two_bodies_race_for_a_key_and_one_wins(
    refunder: Refunder, owner: Any, world: World
) -> None:
    count = await refunds_of(owner, world)
    key = fresh()
    answers = await asyncio.gather(*(refunder.ask(key, amount=1 + n % 2) for n in range(20)))
    amounts = {answer.json()["amount"] for answer in answers if answer.status_code == 202}
    assert len(amounts) == 1
    codes = {answer.json()["code"] for answer in answers if answer.status_code != 202}
    assert codes <= {"idempotency_in_progress", "idempotency_key_reused"}
    assert await refunds_of(owner, world) == count + 1


async def test_every_keyed_operation_opens_once(http: httpx.AsyncClient, world: World) -> None:
    made, key = world.ours.made[0], fresh()
    headers = {**bearer(world.ours.keys["buyer"]), "idempotency-key": key}
    quote = await http.post("/v1/quotes", json=asked(made["ord"], made["li"]), headers=headers)
    body = {"quote": quote.json()["quote"]}
    answers = await asyncio.gather(
        *(http.post("/v1/returns", json=body, headers=headers) for _ in range(20))
    )
    opened = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in opened}) == 1
    assert opened[0].headers["etag"] == '"1"'
    again = await http.post("/v1/returns", json=body, headers=headers)
    assert (again.content, again.headers["etag"]) == (opened[0].content, '"1"')
    other = await http.post(
        "/v1/returns", json=body, headers={**headers, "idempotency-key": fresh()}
    )
    assert (other.status_code, other.json()["code"]) == (409, "quote_used")


async def test_a_reference_makes_one_refund_for_ever_even_when_the_key_is_forgotten(
    refunder: Refunder, owner: Any, world: World, app_database_url: str
) -> None:
    key, reference = fresh(), f"case {uuid4()}"
    first = await refunder.ask(key, client_reference=reference)
    assert first.status_code == 202
    database = Database(app_database_url, pool_size=1)
    await database.open()
    try:
        newest = await owner.fetchval("SELECT max(created_at) FROM idempotency_keys")
        async with database.transaction(world.ours.id) as tx:
            assert await idempotency.forget(tx, newest + timedelta(seconds=1)) > 0
    finally:
        await database.close()
    count = await refunds_of(owner, world)
    again = await refunder.ask(key, client_reference=reference)
    assert (again.status_code, again.json()["code"]) == (409, "duplicate_reference")
    assert again.json()["refund"] == first.json()["refund"]
    assert await refunds_of(owner, world) == count


async def test_a_key_is_stored_hashed(refunder: Refunder, owner: Any) -> None:
    key = f"canary-{uuid4()}"
    await refunder.ask(key)
    rows = await owner.fetch("SELECT t::text AS row, body FROM idempotency_keys t")
    assert rows
    assert not any(key in row["row"] or key.encode() in row["body"] for row in rows)
