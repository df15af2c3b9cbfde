"""The demo shop is made once and found again; the journey's own small servers do their part."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from returns_api.config import Settings
from returns_api.demo import seed
from returns_api.demo.calls import StepFailed
from returns_api.demo.platform import TOTAL_MINOR, delivery, fulfillment, order, signed
from returns_api.demo.receiver import Receiver, receiving
from returns_api.demo.shop import FILE, demo_policy
from returns_api.demo.stories.performing import perform
from returns_api.demo.stories.table import STORIES
from returns_api.demo.target import Target
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM
from returns_api.domain.policy import compile_policy, load_policy
from returns_api.usecases.connections import view_connection
from returns_api.usecases.credentials import authenticate
from returns_api.usecases.keys import revoke_key
from returns_api.wiring import running_context
from returns_api.worker.main import work_until
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.context import START
from tests.support.live import live_server, live_settings
from tests.support.patience import PATIENCE

ROLES = {"admin", "publishable", "agent", "warehouse", "finance"}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with Bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture(scope="module")
def carrier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    with Carrier(tmp_path_factory.mktemp("carrier")) as carrier:
        yield carrier


@pytest.fixture
def settings(app_database_url: str, tmp_path: Path, bank: Bank, carrier: Carrier) -> Settings:
    return live_settings(
        app_database_url, tmp_path, bank_url=bank.base_url, carrier_url=carrier.base_url
    )


async def test_a_second_start_finds_the_same_shop_and_keys(settings: Settings) -> None:
    first = await seed(settings)
    assert await seed(settings) == first
    assert set(first["keys"]) == ROLES
    assert (settings.data_dir / FILE).stat().st_mode & 0o777 == 0o600


async def test_a_key_that_was_revoked_is_made_anew_and_the_others_stay(settings: Settings) -> None:
    first = await seed(settings)
    async with running_context(settings, pool_size=1) as (ctx, _):
        agent = await authenticate(ctx, first["keys"]["agent"])
        admin = await authenticate(ctx, first["keys"]["admin"])
        await revoke_key(ctx, admin.shop, SYSTEM, agent.credential_id)
    again = await seed(settings)
    changed = {role for role in ROLES if first["keys"][role] != again["keys"][role]}
    assert changed == {"agent"}
    assert again["shop"] == first["shop"]


@pytest.mark.parametrize("content", [None, "", "{}", '{"shop": 1}', "[]", "not json"])
async def test_a_lost_file_makes_a_new_shop(settings: Settings, content: str | None) -> None:
    first = await seed(settings)
    (settings.data_dir / FILE).unlink()
    if content is not None:
        (settings.data_dir / FILE).write_text(content)
    assert (await seed(settings))["shop"] != first["shop"]


async def test_a_bank_at_a_new_address_is_connected_again(settings: Settings) -> None:
    made = await seed(settings)
    moved = settings.with_(bank_url=str(settings.bank_url).replace("127.0.0.1", "localhost"))
    await seed(moved)
    shop = ids.decode("shp", made["shop"])
    assert shop is not None
    async with running_context(settings, pool_size=1) as (ctx, _):
        assert (await view_connection(ctx, shop, "stripe"))["base_url"] == moved.bank_url
        assert (await view_connection(ctx, shop, "easypost"))["version"] == 1


def test_the_demo_s_policy_is_one_that_can_be_published() -> None:
    assert compile_policy(load_policy(demo_policy()))


def test_the_packaged_bodies_add_up_and_name_the_bank_s_payment() -> None:
    body = order(5000, "pi_of_the_bank", START)
    assert body["total_price"] == f"{TOTAL_MINOR / 100:.2f}" == body["transactions"][0]["amount"]
    assert body["transactions"][0]["receipt"]["id"] == "pi_of_the_bank"
    for part in (fulfillment(5000, START), delivery(5000, START)):
        assert part["order_id"] == body["id"]
    raw, headers = signed("orders/create", body, "secret", START)
    assert json.loads(raw) == body
    assert headers["x-shopify-topic"] == "orders/create"


@pytest.fixture
async def merchant() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = {"type": "refund.succeeded", "id": "evt_1", "resource": "ref_1", "data": {"return": "ret"}}


async def post(merchant: Receiver, body: bytes, headers: dict[str, str]) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        return (await http.post(merchant.url, content=body, headers=headers)).status_code


def headers_for(body: bytes, secret: str = SECRET) -> dict[str, str]:
    now = datetime.now(UTC)
    signature = Webhook(secret).sign("evt_1", now, body.decode())
    stamp = str(int(now.timestamp()))
    return {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": signature}


async def test_the_receiver_takes_what_is_signed_and_counts_what_is_not(
    merchant: Receiver,
) -> None:
    body = json.dumps(EVENT).encode()
    assert await post(merchant, body, headers_for(body)) == 503  # no secret yet: send again
    merchant.trust(SECRET)
    assert await post(merchant, body, headers_for(body)) == 204
    assert await post(merchant, body + b" ", headers_for(body)) == 401
    assert merchant.refused == 1
    assert await merchant.wait_for({"refund.succeeded"}, "ret", PATIENCE) == ["refund.succeeded"]
    assert await merchant.wait_for({"refund.succeeded"}, "ret_other", 0.05) == []


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """A worker in a thread of its own."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def work() -> None:
        async with running_context(settings, pool_size=4, one_plan=True) as (ctx, waker):
            await work_until(stop, ctx, waker, concurrency=4, shutdown_seconds=PATIENCE)

    thread = Thread(target=loop.run_until_complete, args=(work(),), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        loop.close()


async def test_a_story_is_told_to_its_end_and_what_is_not_as_expected_is_named(
    settings: Settings,
) -> None:
    """Days pass in it; it is expected to pay something else and to tell one thing less."""
    told = {story.name: story for story in STORIES}
    assert (len(told), len(told) >= 20) == (len(STORIES), True)
    story = told["silence is consent"]
    wrong = replace(story, refunded=1, mails=story.mails[1:])
    moved = settings.with_(clock_file=settings.data_dir / "clock")
    with live_server(moved) as server, working(server.settings):
        result = await perform(server.settings, server.url, [wrong])
    (one,) = result["told"]
    assert one["problems"] == [
        f"the bank paid {story.refunded}, expected 1",
        f"mail '{story.mails[0]}' is one too many",
    ]
    assert (one["audit_breaches"], one["bank"]["movements"], one["ok"]) == (0, 1, False)
    assert (result["ok"], result["failed"], result["days_passed"]) == (False, 1, 2.0)


@pytest.mark.parametrize("facts", [{}, {"demo": {}}, {"demo": None}])
def test_a_server_without_a_demo_shop_is_said_plainly(facts: dict[str, Any]) -> None:
    with pytest.raises(StepFailed, match="--no-demo"):
        Target.of(facts)
