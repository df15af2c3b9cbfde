"""Deadlines, caps, failure classes, redaction and the guard, over real sockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import structlog

from returns_api.adapters.http import Call, GuardedClient, HttpClient, Reply, WebhookAnswer
from returns_api.adapters.http.connections import REST_SECONDS, Connections
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from tests.support.bank import Bank
from tests.support.recorder import CLOSE, Recorder

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (answer(b"", "429 Slow", "retry-after: 7"), ProviderUnavailable),
        (answer(b"", "500 Oops"), OutcomeUnknown),
        (answer(b"", "503 Oops", "retry-after: 1"), OutcomeUnknown),
        (answer(b"", "302 Found", "location: http://169.254.169.254/"), OutcomeUnknown),
        (answer(b"", "304 Same"), OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}" + CLOSE, OutcomeUnknown),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n" + CLOSE, OutcomeUnknown),
        (CLOSE, OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n", OutcomeUnknown),
        (answer(b"x" * 2_000_000), OutcomeUnknown),
        (
            answer(gzip.compress(b"x" * 50_000_000, mtime=0), "200 OK", "content-encoding: gzip"),
            OutcomeUnknown,
        ),
        (answer(b"not gzip", "200 OK", "content-encoding: gzip"), OutcomeUnknown),
        (
            answer(gzip.compress(b"{}", mtime=0)[:-9], "200 OK", "content-encoding: gzip"),
            OutcomeUnknown,
        ),
        (answer(b"{}", "200 OK", "content-encoding: br"), OutcomeUnknown),
        (answer(b"{}", "200 OK", "content-encoding: gzip, gzip"), OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}" + CLOSE, OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\ncontent-le" + CLOSE, OutcomeUnknown),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", OutcomeUnknown),
        (answer(b"{}", "200 OK", "content-length: 3"), OutcomeUnknown),
    ],
)
async def test_unclear_answers(
    recorder: Recorder, http: HttpClient, raw: bytes, expected: type[Exception]
) -> None:
    recorder.answers.append(raw)
    with pytest.raises(expected):
        await http.send(Call("POST", f"{recorder.url}/x", {}, b"{}"))
    assert len(recorder.requests) == 1, "nothing is retried or followed"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (answer(b'{"a":1}'), b'{"a":1}'),
        (
            answer(gzip.compress(b'{"a":1}', mtime=0), "200 OK", "content-encoding: gzip"),
            b'{"a":1}',
        ),
        (answer(b"", "404 No"), b""),
        (b"HTTP/1.1 103 Wait\r\nlink: x\r\n\r\n" + answer(b"{}"), b"{}"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}"),
        (b"HTTP/1.0 200 OK\r\n\r\n{}" + CLOSE, b"{}"),
        (answer(b"x" * (1 << 20)), b"x" * (1 << 20)),
    ],
)
async def test_clear_answers(recorder: Recorder, http: HttpClient, raw: bytes, body: bytes) -> None:
    recorder.answers.append(raw)
    reply = await http.send(Call("GET", f"{recorder.url}/x?q=1"))
    assert reply.body == body
    sent = recorder.requests[0].headers
    assert sent["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://nowhere.invalid/",
        "ftp://127.0.0.1/",
        "ftp://127.0.0.1:9/",
        "http://",
        "http://[::1",
        "nonsense",
        "http://127.0.0.1:99999/",
    ],
)
async def test_nothing_sent_is_unavailable(http: HttpClient, url: str) -> None:
    with pytest.raises(ProviderUnavailable):
        await http.send(Call("POST", url, {}, b"{}"))


@pytest.mark.parametrize("header", ["bad\r\nx-injected: 1", "trailing ", "é\udc80"])
async def test_unsendable_headers_are_unavailable(
    recorder: Recorder, http: HttpClient, header: str
) -> None:
    with pytest.raises(ProviderUnavailable):
        await http.send(Call("POST", recorder.url, {"authorization": header}, b"{}"))
    assert recorder.requests == []


async def test_a_server_that_accepts_and_says_nothing_is_unknown(http: HttpClient) -> None:
    async with silent() as url:
        with pytest.raises(OutcomeUnknown):
            await http.send(Call("POST", url, {}, b"{}"))


async def test_waiting_for_a_connection_is_unavailable() -> None:
    """The first call holds the only connection for longer than the second one's whole deadline."""
    http = HttpClient(deadline_seconds=3.0, max_connections=1)
    async with silent() as url:
        first = asyncio.create_task(http.send(Call("POST", url, {}, b"{}")))
        await asyncio.sleep(0)  # it has read its deadline and stands first in the queue
        http.deadline_seconds = 0.2
        with pytest.raises(ProviderUnavailable):
            await http.send(Call("POST", url, {}, b"{}"))
        with pytest.raises(OutcomeUnknown):
            await first
    await http.aclose()


async def test_a_connection_closed_between_two_calls_is_not_resent(
    recorder: Recorder, http: HttpClient
) -> None:
    """The server hangs up exactly when the second request arrives: it may have been read."""
    recorder.answers.extend([OK, CLOSE])
    await http.send(Call("POST", recorder.url, {}, b"1"))
    with pytest.raises(OutcomeUnknown):
        await http.send(Call("POST", recorder.url, {}, b"2"))
    assert [each.body for each in recorder.requests] == [b"1", b"2"]


async def test_a_cookie_is_not_sent_back(recorder: Recorder, http: HttpClient) -> None:
    """A connection serves one account now and another one next."""
    recorder.answers.extend(
        [OK.replace(b"\r\n\r\n", b"\r\nset-cookie: session=one; path=/\r\n\r\n", 1), OK]
    )
    for _ in range(2):
        await http.send(Call("GET", recorder.url))
    assert recorder.connections == 1
    assert all("cookie" not in each.headers for each in recorder.requests)


async def test_connections_long_unused_are_closed(recorder: Recorder) -> None:
    """Three at once, then one at a time: the two others do not burden the server for ever."""
    seconds = 0.0
    connections, url = Connections(3, lambda: seconds), httpx.URL(recorder.url)
    recorder.answers.extend([OK] * 4)
    async with (
        connections.one(url) as one,
        connections.one(url) as two,
        connections.one(url) as three,
    ):
        for transport in (one, two, three):
            await (await transport.handle_async_request(httpx.Request("GET", url))).aread()
    seconds = REST_SECONDS + 1
    async with connections.one(url) as transport:
        await (await transport.handle_async_request(httpx.Request("GET", url))).aread()
    async with asyncio.timeout(5):
        while recorder.closed < 2:  # noqa: ASYNC110 - the server's side of it
            await asyncio.sleep(0.01)
    assert recorder.connections - recorder.closed <= 1
    await connections.aclose()


async def test_a_transport_whose_exchange_failed_is_not_used_again(recorder: Recorder) -> None:
    connections, url = Connections(1), httpx.URL(recorder.url)
    seen = []
    for fails in (True, False, False):
        with contextlib.suppress(ConnectionResetError):
            async with connections.one(url) as transport:
                seen.append(transport)
                if fails:
                    raise ConnectionResetError
    failed, fresh, again = seen
    assert failed is not fresh
    assert fresh is again
    await connections.aclose()


async def test_connections_are_reused(recorder: Recorder, http: HttpClient) -> None:
    recorder.answers.extend([OK] * 5)
    for _ in range(5):
        await http.send(Call("POST", recorder.url, {}, b"{}"))
    assert recorder.connections == 1


async def test_a_connection_that_the_server_closed_at_rest_is_not_used(
    recorder: Recorder, http: HttpClient
) -> None:
    recorder.answers.extend([OK + CLOSE, OK])
    await http.send(Call("POST", recorder.url, {}, b"{}"))
    await asyncio.sleep(0.05)  # its end arrives
    await http.send(Call("POST", recorder.url, {}, b"{}"))
    assert recorder.connections == 2


async def test_the_answer_to_an_interrupted_call_is_nobody_elses(http: HttpClient) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        await reader.readuntil(b"\r\n\r\n")
        if number == 1:
            await asyncio.sleep(0.1)
        writer.write(answer(b"%d" % number))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    http.deadline_seconds = 0.05
    with pytest.raises(OutcomeUnknown):
        await http.send(Call("GET", url))
    http.deadline_seconds = 2.0
    assert (await http.send(Call("GET", url))).body == b"2"
    server.close()
    await server.wait_closed()


async def test_a_repeated_header_is_joined(recorder: Recorder, http: HttpClient) -> None:
    recorder.answers.append(answer(b"{}", "200 OK", "x-many: 1", "x-many: 2"))
    assert (await http.send(Call("GET", recorder.url))).headers["x-many"] == "1, 2"


async def test_the_deadline_covers_a_drip(bank: Bank, http: HttpClient) -> None:
    await bank.script({"fault": "drip", "on": "read"})
    payment = await bank.pay(100)
    headers = {"authorization": f"Bearer {bank.account.secret}"}
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        await http.send(Call("GET", f"{bank.base_url}/v1/payment_intents/{payment}", headers))
    assert time.monotonic() - started < http.deadline_seconds + 0.5


async def test_floods_and_bombs_cost_little_memory(bank: Bank) -> None:
    http = HttpClient(deadline_seconds=5)
    payment = await bank.pay(100)
    headers = {"authorization": f"Bearer {bank.account.secret}"}
    call = Call("GET", f"{bank.base_url}/v1/payment_intents/{payment}", headers)
    await http.send(call)
    before = peak_memory()
    for fault in ("flood", "bomb"):
        await bank.script({"fault": fault, "on": "read"})
        with pytest.raises(OutcomeUnknown, match="larger than"):
            await http.send(call)
    assert peak_memory() - before <= 20 << 20
    await http.aclose()


def peak_memory() -> int:
    """The highest resident size of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs /proc")
    line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (("retry-after: 7",), 7.0),
        (("retry-after: 0",), 0.0),
        (("retry-after: 999999999",), 86_400.0),
        (("retry-after: 9999999999",), None),
        (("retry-after: -1",), None),
        (("retry-after: NaN",), None),
        (("retry-after: soon",), None),
        (
            (
                "date: Sun, 01 Mar 2026 12:00:00 GMT",
                "retry-after: Sun, 01 Mar 2026 12:01:30 GMT",
            ),
            90.0,
        ),
        (("retry-after: Sun, 01 Mar 2026 12:01:30 GMT",), None),
        ((), None),
    ],
)
async def test_retry_after(
    recorder: Recorder, http: HttpClient, headers: tuple[str, ...], seconds: float | None
) -> None:
    recorder.answers.append(answer(b"", "429 Slow", *headers))
    with pytest.raises(ProviderUnavailable) as slow:
        await http.send(Call("GET", recorder.url))
    assert slow.value.retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"NaN", b"[]", b'{"a":NaN}', b'{"a":1e', b"\xff", b"null"])
def test_only_json_objects_are_read(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        Reply(200, {}, body).json_object()


async def test_secrets_and_bodies_stay_out_of_logs_and_reprs(
    recorder: Recorder, http: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    structlog.reset_defaults()  # a server that ran here before may have asked for warnings only
    headers = {"authorization": "Bearer CANARY"}
    call = Call("POST", f"{recorder.url}/path?name=CANARY", headers, b"CANARY")
    recorder.answers.append(answer(b"CANARY", "200 OK", "x-secret: CANARY"))
    with structlog.testing.capture_logs() as lines:
        reply = await http.send(call)
    assert [line["path"] for line in lines] == ["/path"]
    assert "CANARY" not in json.dumps(lines)
    assert "CANARY" not in caplog.text
    assert "CANARY" not in repr(reply)
    assert "authorization" not in repr(call)


# The guarded client


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
    client = GuardedClient(allow_loopback=True, deadline_seconds=0.3)
    async with silent() as url:
        assert (await client.post_webhook(url, {}, b"{}")).error == "timeout"
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


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """A server that accepts, reads and never answers."""
    open_ones: list[asyncio.StreamWriter] = []

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for writer in open_ones:
        writer.close()
    server.close()
    await server.wait_closed()
