"""The guard of calls to addresses that others gave us: what is reached, refused and believed."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from returns_api.adapters.http import GuardedClient, WebhookAnswer
from tests.support.raw_http import answer, hang_up, silent
from tests.support.recorder import CLOSE, Recorder


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


async def test_a_receiver_in_development_is_reached(recorder: Recorder) -> None:
    client = GuardedClient(allow_loopback=True)
    recorder.answers.append(answer(b"thanks", "429 Slow", "retry-after: 5"))
    target = recorder.url.replace("127.0.0.1", "localhost") + "/in?x=1#fragment"
    got = await client.post_webhook(target, {"webhook-id": "1", "Host": "evil"}, b"{}")
    assert got == WebhookAnswer(429, 5.0)
    request = recorder.requests[0]
    assert (request.target, request.body) == ("/in?x=1", b"{}")
    assert request.headers["host"].startswith("localhost:")
    await client.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://shop.example:22/",
        "https://user:pass@shop.example/",
        "https://user@shop.example/",
        "https:///path",
        "https://",
        "//shop.example/",
        "nonsense",
        "",
        "https://[::1/",
        "https://a b/",
        "https://shop.example:99999/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://shop\x00.example/",
    ],
)
async def test_bad_urls_are_refused(url: str) -> None:
    client = GuardedClient(resolve=resolving("93.184.216.34"), deadline_seconds=1)
    assert (await client.post_webhook(url, {}, b"")).error == "bad_url"
    await client.aclose()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
        "localhost",
        "169.254.169.254",
        "10.0.0.1",
        "[fe80::1]",
        "224.0.0.1",
    ],
)
async def test_addresses_of_our_own_are_blocked(recorder: Recorder, host: str) -> None:
    """With the port of a canary that would count the connection, had there been one."""
    port = int(recorder.url.rsplit(":", 1)[1])
    client = GuardedClient(ports=frozenset({port}), deadline_seconds=2)
    answered = await client.post_webhook(f"https://{host}:{port}/", {}, b"{}")
    assert answered.status is None
    assert answered.error in {"blocked_address", "dns_failed", "bad_url"}
    assert recorder.connections == 0
    await client.aclose()


@pytest.mark.parametrize(
    "addresses",
    [("93.184.216.34", "127.0.0.1"), ("93.184.216.34", "::ffff:10.0.0.1"), ("nonsense",)],
)
async def test_one_bad_address_blocks_all(addresses: tuple[str, ...]) -> None:
    client = GuardedClient(resolve=resolving(*addresses))
    answered = await client.post_webhook("https://shop.example/", {}, b"{}")
    assert answered.error == "blocked_address"
    await client.aclose()


async def test_development_still_blocks_the_rest() -> None:
    for url, addresses in (
        ("http://shop.example/", ("93.184.216.34",)),
        ("http://shop.example/", ("10.0.0.1",)),
        ("https://shop.example/", ("169.254.169.254",)),
        ("http://shop.example/", ("127.0.0.1", "93.184.216.34")),
    ):
        client = GuardedClient(allow_loopback=True, resolve=resolving(*addresses))
        assert (await client.post_webhook(url, {}, b"{}")).error == "blocked_address"
        await client.aclose()


async def test_the_name_is_resolved_once_and_the_checked_address_used(
    recorder: Recorder,
) -> None:
    """A rebinding resolver: a harmless answer first, the target afterwards."""
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) > 1 else ["127.0.0.1"]

    client = GuardedClient(allow_loopback=True, resolve=rebinding)
    port = recorder.url.rsplit(":", 1)[1]
    answered = await client.post_webhook(f"http://shop.example:{port}/", {}, b"{}")
    assert answered.status == 204
    assert asked == ["shop.example"]
    assert recorder.requests[0].headers["host"] == f"shop.example:{port}"
    await client.aclose()


@pytest.mark.parametrize(
    ("addresses", "error"), [((), "dns_failed"), (("127.0.0.1",), "connect_failed")]
)
async def test_unreachable_receivers(addresses: tuple[str, ...], error: str) -> None:
    client = GuardedClient(allow_loopback=True, resolve=resolving(*addresses))
    assert (await client.post_webhook("http://shop.example:9/", {}, b"")).error == error
    await client.aclose()


async def test_names_that_do_not_resolve() -> None:
    client = GuardedClient()
    assert (await client.post_webhook("https://nowhere.invalid/", {}, b"")).error == "dns_failed"
    await client.aclose()


async def test_redirects_are_answers_and_bodies_are_thrown_away(recorder: Recorder) -> None:
    client = GuardedClient(allow_loopback=True)
    recorder.answers.append(answer(b"", "302 Found", "location: http://169.254.169.254/"))
    assert await client.post_webhook(recorder.url, {}, b"{}") == WebhookAnswer(302)
    recorder.answers.append(answer(b"x" * 5_000_000))
    assert await client.post_webhook(recorder.url, {}, b"{}") == WebhookAnswer(200)
    assert len(recorder.requests) == 2
    await client.aclose()


async def test_slow_and_rude_receivers(recorder: Recorder) -> None:
    hasty = GuardedClient(allow_loopback=True, deadline_seconds=0.3)
    async with silent() as url:
        assert (await hasty.post_webhook(url, {}, b"{}")).error == "timeout"
    await hasty.aclose()
    client = GuardedClient(allow_loopback=True)
    recorder.answers.append(CLOSE)
    assert (await client.post_webhook(recorder.url, {}, b"{}")).error == "broken_answer"
    assert len(recorder.requests) == 1, "a webhook that may have arrived is not sent elsewhere"
    bad_header = {"x": "é\udc80"}
    assert (await client.post_webhook(recorder.url, bad_header, b"{}")).error == "bad_request"
    await client.aclose()


async def test_certificates_are_checked_against_the_name(tmp_path: Path) -> None:
    """TLS to the checked address still asks for, and verifies, the name in the URL."""
    names: list[str | None] = []
    context = self_signed(tmp_path)

    def remember(_socket: object, name: str | None, _context: object) -> None:
        names.append(name)

    context.sni_callback = remember
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    client = GuardedClient(allow_loopback=True, resolve=resolving("127.0.0.1"))
    answered = await client.post_webhook(f"https://shop.example:{port}/", {}, b"{}")
    assert answered.error == "connect_failed", "nobody we trust signed this certificate"
    assert names == ["shop.example"]
    await client.aclose()
    server.close()
    await server.wait_closed()


def self_signed(folder: Path) -> ssl.SSLContext:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=shop.example", "-addext", "subjectAltName=DNS:shop.example"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    try:
        subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
