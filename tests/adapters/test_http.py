"""Deadlines, caps, failure classes and redaction, over real sockets on loopback."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import structlog

from returns_api.adapters.http import Call, HttpClient, Reply
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from tests.support.bank import Bank
from tests.support.patience import PATIENCE
from tests.support.raw_http import answer, silent
from tests.support.recorder import CLOSE, Recorder


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


async def test_a_server_that_accepts_and_says_nothing_is_unknown(hasty: HttpClient) -> None:
    async with silent() as url:
        with pytest.raises(OutcomeUnknown):
            await hasty.send(Call("POST", url, {}, b"{}"))


async def test_a_repeated_header_is_joined(recorder: Recorder, http: HttpClient) -> None:
    recorder.answers.append(answer(b"{}", "200 OK", "x-many: 1", "x-many: 2"))
    assert (await http.send(Call("GET", recorder.url))).headers["x-many"] == "1, 2"


async def test_the_deadline_covers_a_drip(bank: Bank, hasty: HttpClient) -> None:
    await bank.script({"fault": "drip", "on": "read"})
    payment = await bank.pay(100)
    headers = {"authorization": f"Bearer {bank.account.secret}"}
    with pytest.raises(OutcomeUnknown, match="TimeoutError"):
        await hasty.send(Call("GET", f"{bank.base_url}/v1/payment_intents/{payment}", headers))


async def test_floods_and_bombs_cost_little_memory(bank: Bank) -> None:
    http = HttpClient(deadline_seconds=PATIENCE)
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
