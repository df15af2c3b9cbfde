"""Buyer sessions: who knows the order gets in, wrong guesses look alike and are counted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import uuid_utils.compat as uuids

from returns_api.db import order_intake, rate_limits
from returns_api.db.rate_limits import Bucket
from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Role, Scope
from returns_api.domain.errors import RateLimited, Unauthenticated
from returns_api.domain.people import normalise_email, normalise_order_number
from returns_api.usecases.credentials import authenticate
from tests.support.api import Tenant, a_tenant, an_app
from tests.support.context import START, Clock

PATH = "/v1/buyer-sessions"


async def an_order(tenant: Tenant, number: str, email: str | None, source: str = "shop") -> UUID:
    order_id = uuids.uuid7()
    key = None if email is None else tenant.ctx.sealer.keyed_hash(normalise_email(email))
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        await order_intake.add_order(
            tx,
            id=order_id,
            source=source,
            external_id=f"{number}-{order_id}",
            number=number,
            number_key=normalise_order_number(number),
            snapshot="1",
            email_key=key,
            customer_key=key,
            placed_at=START,
            platform_updated_at=START,
            currency="EUR",
            taxes_included=True,
            total_minor=1,
            tags=[],
            flags=[],
            channel=None,
            country=None,
            region=None,
            financial_status=None,
            cancelled_at=None,
            updated_at=START,
        )
    return order_id


def seen(answer: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """What a guesser can tell apart: everything but the request's own id and length."""
    body = {name: value for name, value in answer.json().items() if name != "request_id"}
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, body, headers


async def test_a_guest_who_knows_the_order_gets_a_token_bound_to_it(
    tenant: Tenant, clock: Clock
) -> None:
    order_id = await an_order(tenant, "#1001", "Ada@example.com")
    async with tenant.calling(await tenant.key(Role.PUBLISHABLE)) as guest:
        answer = await guest.post(PATH, json={"number": " 1001", "email": "ada@EXAMPLE.com "})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["order"] == ids.encode("ord", order_id)
    assert made["expires_at"] == "2026-11-21T10:12:44Z"
    assert answer.headers["cache-control"] == "no-store"
    principal = await authenticate(tenant.ctx, made["token"])
    assert (principal.shop, principal.role, principal.order_id) == (
        tenant.shop,
        Role.BUYER,
        order_id,
    )
    assert principal.scopes == ROLE_SCOPES[Role.BUYER]
    assert principal.sees_order(order_id)
    assert not principal.sees_order(uuids.uuid7())
    clock.forward(hours=1)
    with pytest.raises(Unauthenticated):
        await authenticate(tenant.ctx, made["token"])


async def test_every_wrong_guess_gets_one_answer(tenant: Tenant, stranger: Tenant) -> None:
    await an_order(tenant, "#1001", "ada@example.com")
    await an_order(tenant, "#1002", None)
    await an_order(stranger, "#1003", "ada@example.com")
    guesses = [
        ("#1001", "eve@example.com"),
        ("#9999", "ada@example.com"),
        ("#1002", "ada@example.com"),
        ("#1003", "ada@example.com"),
        ("#", "x"),
    ]
    async with tenant.calling(await tenant.key(Role.PUBLISHABLE)) as guest:
        answers = [
            seen(await guest.post(PATH, json={"number": number, "email": email}))
            for number, email in guesses
        ]
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)


async def test_the_email_decides_between_orders_of_one_number(tenant: Tenant) -> None:
    first = await an_order(tenant, "1001", "ada@example.com", "a")
    second = await an_order(tenant, "#1001", "bob@example.com", "b")
    async with tenant.calling(await tenant.key(Role.PUBLISHABLE)) as guest:
        for order_id, email in ((first, "ada@example.com"), (second, "bob@example.com")):
            answer = await guest.post(PATH, json={"number": "1001", "email": email})
            assert answer.json()["order"] == ids.encode("ord", order_id)


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
async def test_a_shop_vouches_for_its_customer(tenant: Tenant, role: Role) -> None:
    order = ids.encode("ord", await an_order(tenant, "#1001", None))
    async with tenant.calling(await tenant.key(role)) as client:
        assert (await client.post(PATH, json={"order": order})).status_code == 201
        unknown = await client.post(PATH, json={"order": ids.encode("ord", UUID(int=7))})
        assert unknown.status_code == 404


async def test_a_publishable_key_cannot_vouch(tenant: Tenant) -> None:
    known = ids.encode("ord", await an_order(tenant, "#1001", None))
    async with tenant.calling(await tenant.key(Role.PUBLISHABLE)) as client:
        answers = [
            seen(await client.post(PATH, json={"order": order}))
            for order in (known, ids.encode("ord", UUID(int=7)))
        ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


async def test_another_shops_order_is_unknown(tenant: Tenant, stranger: Tenant) -> None:
    order = ids.encode("ord", await an_order(tenant, "#1001", "ada@example.com"))
    assert (await stranger.admin.post(PATH, json={"order": order})).status_code == 404


@pytest.mark.parametrize("role", [Role.WAREHOUSE, Role.FINANCE])
async def test_others_open_no_sessions(tenant: Tenant, role: Role) -> None:
    assert Scope.SESSIONS_CREATE not in ROLE_SCOPES[role]
    async with tenant.calling(await tenant.key(role)) as client:
        assert (await client.post(PATH, json={"number": "1", "email": "a"})).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"number": "1001"},
        {"email": "ada@example.com"},
        {"number": "1001", "email": "ada@example.com", "order": ids.encode("ord", UUID(int=1))},
        {"number": "1001", "order": ids.encode("ord", UUID(int=1))},
        {"number": "", "email": "ada@example.com"},
        {"number": "1\u0000", "email": "ada@example.com"},
        {"number": "1" * 65, "email": "ada@example.com"},
        {"number": 1001, "email": "ada@example.com"},
        {"number": "1001", "email": "a" * 321},
        {"number": "1001", "email": ["ada@example.com"]},
        {"order": "ord_x"},
        {"number": "1001", "email": "ada@example.com", "role": "admin"},
    ],
)
async def test_a_session_is_asked_for_in_one_of_two_ways(
    tenant: Tenant, body: dict[str, Any]
) -> None:
    assert (await tenant.admin.post(PATH, json=body)).status_code == 422


async def test_an_order_number_may_be_tried_five_times_a_minute(
    tenant: Tenant, clock: Clock
) -> None:
    token = await tenant.key(Role.PUBLISHABLE)
    statuses = []
    for n in range(7):  # from everywhere: the order is protected, not the caller
        async with tenant.calling(token, host=f"203.0.113.{n}") as guest:
            answer = await guest.post(PATH, json={"number": "#1001", "email": f"{n}@example.com"})
            statuses.append(answer.status_code)
    assert statuses == [404] * 5 + [429] * 2
    assert answer.json()["code"] == "rate_limited"
    wait = int(answer.headers["retry-after"])
    assert wait == answer.json()["retry_after"]
    async with tenant.calling(token) as guest:
        assert (await guest.post(PATH, json={"number": "2", "email": "x"})).status_code == 404
        clock.forward(seconds=wait - 1)
        assert (await guest.post(PATH, json={"number": "1001", "email": "x"})).status_code == 429
        clock.forward(seconds=1)
        assert (await guest.post(PATH, json={"number": "1001", "email": "x"})).status_code == 404


async def test_a_caller_may_try_twenty_times_whatever_it_claims_to_be(tenant: Tenant) -> None:
    async with tenant.calling(await tenant.key(Role.PUBLISHABLE), host="203.0.113.9") as guest:
        statuses = [
            (
                await guest.post(
                    PATH,
                    json={"number": str(n), "email": "x"},
                    headers={"x-forwarded-for": f"198.51.100.{n}", "forwarded": f"for=10.0.0.{n}"},
                )
            ).status_code
            for n in range(25)
        ]
    assert statuses == [404] * 20 + [429] * 5


async def test_behind_a_trusted_proxy_each_caller_is_counted_alone(
    app_database_url: str, clock: Clock
) -> None:
    """The last address that no trusted proxy wrote counts, nothing that stands before it."""
    async with (
        an_app(app_database_url, clock, trusted_proxies="10.1.0.0/16, 10.2.0.1") as app,
        a_tenant(app) as tenant,
    ):
        token = await tenant.key(Role.PUBLISHABLE)

        async def ask(host: str, forwarded: str, number: int) -> int:
            body = {"number": str(number), "email": "x"}
            async with tenant.calling(token, host=host) as guest:
                answer = await guest.post(PATH, json=body, headers={"x-forwarded-for": forwarded})
            return answer.status_code

        one = [
            await ask("10.1.2.3", f"198.51.100.{n}, 203.0.113.9, 10.2.0.1", n) for n in range(22)
        ]
        assert one == [404] * 20 + [429] * 2
        assert await ask("10.1.2.3", "203.0.113.10", 50) == 404
        assert await ask("203.0.113.9", "203.0.113.11", 51) == 429, "not through a proxy"


async def test_a_refused_caller_uses_up_nothing_of_the_others(tenant: Tenant) -> None:
    token = await tenant.key(Role.PUBLISHABLE)
    async with tenant.calling(token, host="203.0.113.9") as greedy:
        await asyncio.gather(
            *(greedy.post(PATH, json={"number": str(n), "email": "x"}) for n in range(60))
        )
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        hits = await tx.connection.fetch("SELECT hits FROM rate_limits ORDER BY hits DESC")
    assert [row["hits"] for row in hits] == [20, 20] + [1] * 20


async def test_parallel_tries_are_counted_exactly(tenant: Tenant) -> None:
    bucket = Bucket(b"b", 7)

    async def one_try() -> bool:
        try:
            async with tenant.ctx.database.transaction(tenant.shop) as tx:
                await rate_limits.hit(tx, [bucket], START)
        except RateLimited:
            return False
        return True

    assert sum(await asyncio.gather(*(one_try() for _ in range(40)))) == 7


async def test_shops_are_counted_apart_and_old_minutes_forgotten(
    tenant: Tenant, stranger: Tenant
) -> None:
    bucket = Bucket(b"b", 1)
    for shop in (tenant.shop, stranger.shop):
        async with tenant.ctx.database.transaction(shop) as tx:
            await rate_limits.hit(tx, [bucket], START)
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        assert await rate_limits.forget(tx, START - timedelta(minutes=5)) == 0
        assert await rate_limits.forget(tx, START) == 1
