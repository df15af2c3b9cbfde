"""The webhook door over real HTTP: the authentic is stored once, all else leaves no trace."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from returns_api.api.hooks import MAX_BODY
from returns_api.domain import ids
from returns_api.usecases.context import Context
from tests.adapters.shops.test_shopify_documented import FOLDER, PAYLOADS
from tests.support import shopify, woocommerce
from tests.support.context import Clock
from tests.support.intake import SOURCE, Intake, an_intake
from tests.support.patience import PATIENCE
from tests.support.serving import serving
from tests.support.stripe_signature import stripe_signature

SECRETS = ("shpss_new", "shpss_old")
STRIPE_SECRET = "whsec_1"

Head = dict[str, str] | list[tuple[bytes, bytes]]


@pytest.fixture
def ctx(app: FastAPI) -> Context:
    found: Context = app.state.context
    return found


@pytest.fixture
async def shop(ctx: Context) -> Intake:
    made = await an_intake(ctx)
    await made.connect("shopify-2", "shop", "shopify", secrets=SECRETS)
    await made.connect("stripe", "payments", "stripe", secrets=(STRIPE_SECRET,))
    await made.connect("off", "shop", "shopify", secrets=SECRETS)
    await made.rows("UPDATE connections SET active = false WHERE source = 'off'")
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(app) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, timeout=PATIENCE) as http,
    ):
        yield http


def path(shop: Intake, source: str = "shopify-2") -> str:
    return f"/v1/hooks/{ids.encode('shp', shop.shop)}/{source}"


def signed(body: bytes, topic: str = "orders/create", **more: Any) -> dict[str, str]:
    return shopify.headers(topic, body, secret=more.pop("secret", SECRETS[0]), **more)


async def inbox_of(shop: Intake) -> list[dict[str, Any]]:
    return await shop.rows("SELECT event_id, topic, source, body, state FROM inbox ORDER BY id")


async def test_an_authentic_message_is_stored_byte_for_byte_and_wakes_a_worker(
    shop: Intake, client: httpx.AsyncClient
) -> None:
    body = shopify.fixture("order_card")
    answer = await client.post(path(shop), content=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (200, {})
    (message,) = await inbox_of(shop)
    assert (message["topic"], message["state"], message["body"]) == (
        "orders/create",
        "received",
        body,
    )
    jobs = await shop.rows("SELECT payload FROM pgqueuer WHERE entrypoint = 'process_inbox'")
    assert sum(str(shop.shop) in row["payload"].decode() for row in jobs) == 1


async def test_a_repetition_and_an_unknown_topic_are_answered_alike(
    shop: Intake, client: httpx.AsyncClient
) -> None:
    body = b'{"any": "thing"}'
    for _ in range(3):
        answer = await client.post(path(shop), content=body, headers=signed(body, "moons/rise"))
        assert (answer.status_code, answer.content) == (200, b"{}")
    assert [row["topic"] for row in await inbox_of(shop)] == ["moons/rise"]


async def test_a_hundred_deliveries_of_one_event_at_once_are_stored_once(
    shop: Intake, client: httpx.AsyncClient
) -> None:
    body = shopify.fixture("order_card")
    answers = await asyncio.gather(
        *(client.post(path(shop), content=body, headers=signed(body)) for _ in range(100))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(await inbox_of(shop)) == 1


@pytest.mark.parametrize("secret", SECRETS)
async def test_while_secrets_rotate_both_sign(
    shop: Intake, client: httpx.AsyncClient, secret: str
) -> None:
    body = b"{}"
    answer = await client.post(path(shop), content=body, headers=signed(body, secret=secret))
    assert answer.status_code == 200


def _refused(shop: Intake, other: Intake) -> dict[str, tuple[str, Head, bytes]]:
    body = shopify.fixture("order_card")
    good = signed(body)
    raw = [(name.encode(), value.encode()) for name, value in good.items()]
    mac = (b"x-shopify-hmac-sha256", good["x-shopify-hmac-sha256"].encode())
    without_mac = [pair for pair in raw if pair[0] != mac[0]]
    flipped = bytearray(body)
    flipped[len(body) // 2] ^= 1
    at = path(shop)
    unknown = ids.encode("shp", shop.ctx.new_id())
    return {
        "one bit flipped": (at, good, bytes(flipped)),
        "body re-serialised": (at, good, json.dumps(json.loads(body)).encode()),
        "body empty": (at, good, b""),
        "another secret": (at, signed(body, secret="shpss_other"), body),
        "an empty secret": (at, signed(body, secret=""), body),
        "the door's own dummy secret": (at, signed(body, secret="nobody-signs-with-this"), body),
        "no signature": (at, without_mac, body),
        "signature twice": (at, [*raw, mac], body),
        "two different signatures": (at, [(mac[0], b"x" * 44), *raw], body),
        "signature not ASCII": (at, [*without_mac, (mac[0], "ü".encode() * 22)], body),
        "signature too long": (at, [*without_mac, (mac[0], b"A" * 5000)], body),
        "no topic": (at, {k: v for k, v in good.items() if k != "x-shopify-topic"}, body),
        "no event id": (at, {k: v for k, v in good.items() if k != "x-shopify-webhook-id"}, body),
        "event id twice": (at, [*raw, (b"x-shopify-webhook-id", b"another")], body),
        "topic not ASCII": (at, [*raw, (b"x-shopify-topic", "orders/cre\u00e4te".encode())], body),
        "unknown shop": (f"/v1/hooks/{unknown}/shopify-2", good, body),
        "shop that is no id": ("/v1/hooks/shp_nonsense/shopify-2", good, body),
        "unknown source": (path(shop, "magento"), good, body),
        "source with NUL": (path(shop, "shop%00ify"), good, body),
        "source without end": (path(shop, "s" * 5000), good, body),
        "source that is not UTF-8": (path(shop, "%ed%a0%80"), good, body),
        "switched-off source": (path(shop, "off"), good, body),
        "another source's secret": (path(shop, SOURCE), good, body),
        "another shop's address": (path(other), signed(body, secret="s3cret"), body),
    }


async def test_every_doubt_has_one_answer_and_leaves_no_trace(
    ctx: Context, shop: Intake, client: httpx.AsyncClient
) -> None:
    other = await an_intake(ctx)
    await other.connect("shopify-2", "shop", "shopify", secrets=("theirs",))
    answers = {}
    for name, (where, head, body) in _refused(shop, other).items():
        answer = await client.post(where, content=body, headers=head)
        shown = {
            key: value
            for key, value in answer.json().items()
            if key not in {"instance", "request_id"}
        }
        answers[name] = (answer.status_code, shown, sorted(answer.headers))
    assert {name: found[0] for name, found in answers.items() if found[0] != 401} == {}
    assert len({json.dumps(found) for found in answers.values()}) == 1
    assert await inbox_of(shop) == []
    assert await inbox_of(other) == []
    jobs = await shop.rows("SELECT payload FROM pgqueuer")
    assert not any(str(shop.shop).encode() in row["payload"] for row in jobs)


async def test_a_body_above_the_cap_is_refused_without_waiting_for_its_end(
    shop: Intake, client: httpx.AsyncClient
) -> None:
    first = await asyncio.to_thread(too_much, client.base_url, path(shop))
    assert first.startswith(b"HTTP/1.1 413 ")
    assert await inbox_of(shop) == []


def too_much(base: httpx.URL, to: str) -> bytes:
    """The beginning of the answer, which may come, and the connection end, before all is sent."""
    with socket.create_connection((base.host, base.port or 80), PATIENCE) as connection:
        with suppress(ConnectionError):
            connection.sendall(f"POST {to} HTTP/1.1\r\nHost: {base.host}\r\n".encode())
            connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(MAX_BODY // 65536 + 1):
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        return connection.recv(4096)


async def test_a_body_that_says_it_is_too_long_is_refused(
    shop: Intake, client: httpx.AsyncClient
) -> None:
    told = await client.post(path(shop), content=b"x" * (MAX_BODY + 1), headers=signed(b"x"))
    assert told.status_code == 413
    assert told.headers["content-type"] == "application/problem+json"


async def test_a_body_of_exactly_the_cap_passes(shop: Intake, client: httpx.AsyncClient) -> None:
    body = b" " * MAX_BODY
    answer = await client.post(path(shop), content=body, headers=signed(body))
    assert answer.status_code == 200


def _stripe(body: bytes, clock: Clock, *, late: int = 0) -> dict[str, str]:
    at = int(clock().timestamp()) - late
    return {"stripe-signature": stripe_signature(STRIPE_SECRET, body, at)}


async def test_a_provider_names_its_event_in_the_body(
    shop: Intake, client: httpx.AsyncClient, clock: Clock
) -> None:
    body = b'{"object":"event","id":"evt_1","type":"payout.paid","data":{"object":{}}}'
    for _ in range(2):
        answer = await client.post(path(shop, "stripe"), content=body, headers=_stripe(body, clock))
        assert answer.status_code == 200
    (message,) = await inbox_of(shop)
    assert (message["event_id"], message["topic"]) == ("evt_1", "payout.paid")


async def test_an_old_signature_is_refused(
    shop: Intake, client: httpx.AsyncClient, clock: Clock
) -> None:
    body = b'{"object":"event","id":"evt_1","type":"payout.paid","data":{"object":{}}}'
    head = _stripe(body, clock, late=301)
    answer = await client.post(path(shop, "stripe"), content=body, headers=head)
    assert answer.status_code == 401
    assert await inbox_of(shop) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b'{"object":"event"}', b'{"object":"event","id":"a\\u0000b","type":"x"}'],
)
async def test_an_authentic_body_that_nobody_can_read_is_kept_and_ends_among_the_dead(
    shop: Intake, client: httpx.AsyncClient, clock: Clock, body: bytes
) -> None:
    for _ in range(2):
        answer = await client.post(path(shop, "stripe"), content=body, headers=_stripe(body, clock))
        assert answer.status_code == 200
    (message,) = await inbox_of(shop)
    assert (message["topic"], message["body"]) == ("unreadable", body)
    assert message["event_id"].startswith("sha256:")
    await shop.work()
    (dead,) = await shop.rows("SELECT state, error FROM inbox")
    assert dead["state"] == "dead"
    assert dead["error"]


@pytest.mark.skipif(not PAYLOADS, reason="the documented payloads are not in this checkout")
async def test_every_documented_payload_is_stored_and_processed(
    shop: Intake, client: httpx.AsyncClient, clock: Clock
) -> None:
    names = [file.stem for file in PAYLOADS if file.stem != "shop__redact"]
    random.Random(7).shuffle(names)
    names.append("shop__redact")
    for name in names:
        body = (FOLDER / f"{name}.json").read_bytes()
        head = signed(body, name.replace("__", "/"), webhook_id=name)
        for _ in range(2):
            answer = await client.post(path(shop), content=body, headers=head)
            assert answer.status_code == 200
    stored = {row["event_id"]: bytes(row["body"]) for row in await inbox_of(shop)}
    assert stored == {name: (FOLDER / f"{name}.json").read_bytes() for name in names}
    await shop.work()
    clock.forward(hours=1)  # the example's erasure names orders that never come
    await shop.work()
    states = {row["event_id"]: row["state"] for row in await inbox_of(shop)}
    assert set(states.values()) == {"processed", "ignored"}
    state = await shop.state()
    assert [row["external_id"] for row in state["orders"]] == ["820982911946154508"]
    assert state["shop"] == [{"status": "erased"}]
    assert "jon@example.com" not in str(state)


def woocommerce_signed(body: bytes, topic: str, **more: Any) -> dict[str, str]:
    return woocommerce.signed(body, topic, secret=SECRETS[0], **more)


Signed = Callable[..., dict[str, str]]
SHOPIFY = [
    ("orders/create", shopify.fixture("order_card")),
    ("fulfillments/create", shopify.fixture("fulfillment_card")),
    ("fulfillment_events/create", shopify.fixture("delivery_card")),
    ("refunds/create", shopify.fixture("refund_card")),
    ("orders/create", shopify.fixture("order_tenders")),
    ("orders/create", shopify.fixture("order_jpy")),
]
WOOCOMMERCE = [
    ("order.created", woocommerce.order(date_paid_gmt=None, status="pending")),
    ("order.updated", woocommerce.order()),
    ("order.updated", woocommerce.completed()),
    ("refund.created", woocommerce.refund()),
    ("order.updated", woocommerce.completed(date_modified_gmt="2026-11-07T09:00:00")),
    ("order.created", woocommerce.order(id=800, number="800", transaction_id="", refunds=[])),
]


@pytest.mark.parametrize(
    ("adapter", "told", "sign", "refunded"),
    [
        ("shopify", SHOPIFY, signed, "shopify_payments"),
        ("woocommerce", WOOCOMMERCE, woocommerce_signed, "stripe"),
    ],
    ids=["shopify", "woocommerce"],
)
async def test_tampered_shuffled_and_repeated_deliveries_end_like_a_clean_run(
    ctx: Context,
    client: httpx.AsyncClient,
    clock: Clock,
    adapter: str,
    told: list[tuple[str, bytes]],
    sign: Signed,
    refunded: str,
) -> None:
    states = []
    for seed in range(6):
        shop = await an_intake(ctx)
        await shop.connect("shopify-2", "shop", adapter, secrets=SECRETS)
        sends = [(f"e{n}", topic, body) for n, (topic, body) in enumerate(told)]
        dice = random.Random(seed)
        if seed:
            sends += dice.choices(sends, k=6)
            dice.shuffle(sends)
        for event_id, topic, body in sends:
            head = sign(body, topic, webhook_id=event_id)
            if seed:
                flipped = bytearray(body)
                flipped[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
                bad = await client.post(path(shop), content=bytes(flipped), headers=head)
                assert bad.status_code == 401
            good = await client.post(path(shop), content=body, headers=head)
            assert good.status_code == 200
            if dice.random() < 0.5:
                await shop.work()
        clock.forward(hours=2)
        await shop.work()
        states.append(await shop.state())
    assert all(state == states[0] for state in states)
    assert [row["external"] for row in states[0]["payments"] if row["gateway"] == refunded]


async def test_two_orders_of_one_second_under_one_delivery_id_are_both_taken(
    ctx: Context, client: httpx.AsyncClient
) -> None:
    """WooCommerce makes the id of a delivery of the webhook and the second alone."""
    shop = await an_intake(ctx)
    await shop.connect("woo", "shop", "woocommerce", secrets=SECRETS)
    told = [woocommerce.order(), woocommerce.order(id=800, number="800", transaction_id="")]
    for body in (*told, *told):
        head = woocommerce_signed(body, "order.updated", webhook_id="5f3a0c")
        assert (await client.post(path(shop, "woo"), content=body, headers=head)).is_success
    await shop.work()
    assert [row["external_id"] for row in (await shop.state())["orders"]] == ["727", "800"]
    (stored,) = await shop.rows("SELECT count(*) AS messages FROM inbox")
    assert stored["messages"] == 2
