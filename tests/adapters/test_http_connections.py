"""Connections of the client: reused, left alone once they broke, closed when long unused."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest

from returns_api.adapters.http import Call, HttpClient
from returns_api.adapters.http.connections import REST_SECONDS, Connections
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from tests.support.patience import PATIENCE
from tests.support.raw_http import OK, answer, silent
from tests.support.recorder import CLOSE, Recorder


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
    async with asyncio.timeout(PATIENCE):
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
    async with asyncio.timeout(PATIENCE):
        while not recorder.closed:  # noqa: ASYNC110 - the server's side of it
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # its end arrives
    await http.send(Call("POST", recorder.url, {}, b"{}"))
    assert recorder.connections == 2


async def test_the_answer_to_an_interrupted_call_is_nobody_elses(http: HttpClient) -> None:
    connections, asked, given_up = 0, asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        await reader.readuntil(b"\r\n\r\n")
        if number == 1:
            asked.set()
            await given_up.wait()
        writer.write(answer(b"%d" % number))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    call = asyncio.create_task(http.send(Call("GET", url)))
    await asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    given_up.set()
    assert (await http.send(Call("GET", url))).body == b"2"
    server.close()
    await server.wait_closed()
