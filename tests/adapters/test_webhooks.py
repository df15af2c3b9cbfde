"""Bad addresses are refused before they are stored; what is posted arrives, and nothing raises."""

from __future__ import annotations

import pytest

from returns_api.adapters.http import GuardedClient
from returns_api.adapters.webhooks import Webhooks
from tests.support.receiver import Received, Reply, receiving

STRICT = Webhooks(GuardedClient())
DEVELOPMENT = Webhooks(GuardedClient(allow_loopback=True), allow_loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hooks",
        "https://shop.example:8443/hooks?a=b",
        "https://xn--bcher-kva.example/",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/x",
    ],
)
def test_public_https_is_fine(url: str) -> None:
    assert STRICT.refusal(url) is None
    assert DEVELOPMENT.refusal(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/hooks",
        "http://shop.example/hooks",
        "ftp://shop.example/",
        "https://shop.example:22/",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https:///hooks",
        "https://user:pw@shop.example/",
        "https://shop.example@10.0.0.1/",
        "https://shop.example/#x",
        "https://shop.example\\@10.0.0.1/",
        "https://shop.example/a b",
        "https://shop.example/\nx",
        "https://bücher.example/",
        "https://localhost/",
        "https://printer/",
        "https://db.internal/",
        "https://db.local./",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://224.0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https://shop.example/" + "x" * 2_000,
    ],
)
def test_other_addresses_are_refused_with_a_reason(url: str) -> None:
    assert STRICT.refusal(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:4000/x", "http://localhost:1/", "http://[::1]/"])
def test_loopback_is_for_development_only(url: str) -> None:
    assert DEVELOPMENT.refusal(url) is None
    assert STRICT.refusal(url)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "https://10.0.0.1/", "http://shop.example/"])
def test_development_opens_loopback_and_nothing_else(url: str) -> None:
    assert DEVELOPMENT.refusal(url)


async def test_what_is_posted_arrives_with_its_headers() -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: Reply(503, (("retry-after", "120"),))
        answer = await DEVELOPMENT.post(receiver.base_url + "/in", {"webhook-id": "evt_1"}, b"{}")
    assert (answer.status, answer.retry_after_seconds, answer.error) == (503, 120.0, None)
    assert receiver.received[0].path == "/in"
    assert receiver.received[0].body == b"{}"
    assert receiver.received[0].headers["webhook-id"] == "evt_1"


async def test_a_receiver_that_hangs_up_is_an_answer_without_a_status() -> None:
    def hang_up(_: Received) -> Reply:
        return Reply(hang_up=True)

    async with receiving() as receiver:
        receiver.answer = hang_up
        answer = await DEVELOPMENT.post(receiver.base_url, {}, b"{}")
    assert (answer.status, answer.error) == (None, "broken_answer")


async def test_loopback_is_not_reached_under_default_settings() -> None:
    async with receiving() as receiver:
        answer = await STRICT.post(receiver.base_url, {}, b"{}")
    assert answer.status is None
    assert answer.error in {"bad_url", "blocked_address"}
    assert receiver.received == []
