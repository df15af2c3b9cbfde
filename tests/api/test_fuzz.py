"""T20 in small: a sample of odd values in odd places. All of them: ``script/proof fuzz``."""

from __future__ import annotations

import asyncio
import random

import asyncpg
import httpx
import pytest

from tests.support.corpus import RAW, TEXTS, TOKENS, Fuzzer, places
from tests.support.live import LiveServer
from tests.support.patience import PATIENCE
from tests.support.world import World

SAMPLE = 1_500
SEED = 20


def test_there_are_values_and_places_enough(server: LiveServer) -> None:
    assert len(set(TEXTS)) == len(TEXTS) >= 120
    assert len(set(TOKENS)) == len(TOKENS)
    found = places(server.app.openapi())
    assert len(found) > 400
    assert {place.operation.id for place in found} == {
        route.operation_id for route in server.app.state.operations
    }
    assert RAW


async def test_no_value_anywhere_breaks_anything(
    server: LiveServer, world: World, database_url: str
) -> None:
    """No 5xx, no lost connection, always a problem document, and a refusal writes nothing."""
    everywhere = places(server.app.openapi())
    chance = random.Random(SEED)
    pairs = [(place, chance.choice(place.values())) for place in everywhere]
    more = chance.choices(everywhere, k=max(SAMPLE - len(pairs), 0))
    pairs += [(place, chance.choice(place.values())) for place in more]
    pairs.sort(key=lambda pair: pair[0].operation.method == "DELETE")
    owner = await asyncpg.connect(database_url)
    try:
        async with httpx.AsyncClient(
            base_url=server.url, trust_env=False, timeout=PATIENCE
        ) as http:
            verdict = await Fuzzer(http, world, owner).run(pairs)
    finally:
        await owner.close()
    assert not verdict.wrong, "\n".join(verdict.wrong[:30])
    assert verdict.requests == len(pairs)
    assert verdict.refused > verdict.requests // 3
    assert {200, 404, 409, 422} <= set(verdict.statuses)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Odd: a\x00b\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"GET /li vez HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-Many: y\r\n" * 5_000 + b"\r\n",
    ],
)
async def test_what_is_not_http_ends_in_a_4xx_or_a_closed_door(
    server: LiveServer, request_: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(request_)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read(4096)
    except ConnectionError:
        answer = b""
    finally:
        writer.close()
    assert not answer or answer.split(b" ")[1][:1] in {b"2", b"4"}, answer
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE) as http:
        assert (await http.get("/livez")).status_code == 200
