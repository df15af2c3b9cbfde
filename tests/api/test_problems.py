"""Requests that two readers could read differently, and how every refusal looks.

Over a real socket: what a framework, a server and a client library do to odd requests on the way is
part of what is tested.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from returns_api.api.errors import HTTP, STATUS, TITLES, problems_table
from returns_api.domain import errors
from tests.support.checksums import checksums
from tests.support.live import LiveServer
from tests.support.patience import PATIENCE
from tests.support.world import World, asked, bearer

ROOT = Path(__file__).resolve().parents[2]
JSON = {"content-type": "application/json"}
QUOTES = "/v1/quotes"


@pytest.fixture
async def http(server: LiveServer, world: World) -> AsyncIterator[httpx.AsyncClient]:
    headers = bearer(world.ours.keys["admin"])
    async with httpx.AsyncClient(
        base_url=server.url, headers=headers, trust_env=False, timeout=PATIENCE
    ) as client:
        yield client


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of ``answer``, checked for what every one of them has."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["type"].endswith("/" + code.replace("_", "-"))
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == answer.request.url.path
    assert body["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    return body


def a_quote(world: World, **more: Any) -> dict[str, Any]:
    made = world.ours.made[0]
    return {**asked(made["ord"], made["li"]), **more}


BAD_JSON: dict[str, bytes] = {
    "not JSON": b"{",
    "two values": b"{} {}",
    "a name twice": b'{"order": "a", "order": "b"}',
    "a name twice, written differently": b'{"order": "a", "\\u006frder": "b"}',
    "a name twice, deep inside": b'{"lines": [{"line": {"a": 1, "a": 2}}]}',
    "NaN": b'{"order": NaN}',
    "Infinity": b'{"order": Infinity}',
    "-Infinity": b'{"lines": [{"quantity": -Infinity}]}',
    "1e400": b'{"lines": [{"quantity": 1e400}]}',
    "-1e999": b'{"lines": [{"quantity": -1e999}]}',
    "5000 digits": b'{"lines": [{"quantity": ' + b"9" * 5000 + b"}]}",
    "a lone surrogate": b'{"order": "\\ud800"}',
    "a lone surrogate as a name": b'{"\\udc00": 1}',
    "a surrogate in UTF-8": b'{"order": "\xed\xa0\x80"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": json.dumps({"order": "a"}).encode("utf-16"),
    "UTF-16 without a mark": json.dumps({"order": "a"}).encode("utf-16-le"),
    "UTF-32": json.dumps({"order": "a"}).encode("utf-32"),
    "Latin-1": '{"order": "ü"}'.encode("latin-1"),
    "overlong UTF-8": b'{"order": "\xc0\x80"}',
    "65 deep": b'{"order": ' + b"[" * 65 + b"]" * 65 + b"}",
    "200 000 deep": b"[" * 200_000 + b"]" * 200_000,
    "200 000 deep, open": b'{"a":' * 100_000,
    "a comment": b'{"order": 1} // x',
    "a trailing comma": b'{"order": 1,}',
    "single quotes": b"{'order': 1}",
    "a control character": b'{"order": "\x01"}',
    "a NUL byte": b'{"order": "a"}\x00',
}


@pytest.mark.parametrize("name", BAD_JSON)
async def test_what_is_not_exactly_one_json_text_is_refused(
    http: httpx.AsyncClient, name: str
) -> None:
    for path in (QUOTES, "/v1/returns", "/v1/admin/keys"):
        answer = await http.post(
            path, content=BAD_JSON[name], headers={**JSON, "idempotency-key": f"json {len(name)}"}
        )
        problem(answer, 400, "invalid_json")


@pytest.mark.parametrize("text", ["true", "1", '"text"', "null", "[]", "[{}]", "{}"])
async def test_json_of_the_wrong_shape_is_a_422(http: httpx.AsyncClient, text: str) -> None:
    problem(await http.post(QUOTES, content=text, headers=JSON), 422, "invalid_request")


async def test_a_body_may_be_a_megabyte_and_not_more(
    http: httpx.AsyncClient, server: LiveServer
) -> None:
    limit = server.settings.max_body_bytes
    fits = b'{"source": "' + b"x" * (limit - 14) + b'"}'
    assert len(fits) == limit
    path = "/v1/admin/policies/check"
    problem(await http.post(path, content=fits, headers=JSON), 422, "invalid_request")
    problem(await http.post(path, content=fits + b" ", headers=JSON), 413, "body_too_large")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(limit // 50_000 + 2):
            yield b" " * 50_000

    chunked = await http.post(path, content=pieces(), headers=JSON)
    problem(chunked, 413, "body_too_large")
    assert (await http.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/jsonp",
        "application/problem+json",
        "application/json, text/plain",
        "application/json;",
        "nonsense",
    ],
)
async def test_a_body_has_to_say_that_it_is_json(
    http: httpx.AsyncClient, world: World, kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = await http.post(QUOTES, content=json.dumps(a_quote(world)), headers=headers)
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", 'application/json; charset="UTF-8"']
)
async def test_it_may_say_so_in_any_case(http: httpx.AsyncClient, world: World, kind: str) -> None:
    body = json.dumps(a_quote(world))
    answer = await http.post(QUOTES, content=body, headers={"content-type": kind})
    assert answer.status_code == 201, answer.text


async def test_a_compressed_body_is_not_unpacked(http: httpx.AsyncClient) -> None:
    headers = {**JSON, "content-encoding": "gzip"}
    packed = await http.post(QUOTES, content=gzip.compress(b"{}"), headers=headers)
    problem(packed, 400, "invalid_json")
    unpacked = await http.post(QUOTES, content=b"{}", headers=headers)
    problem(unpacked, 415, "unsupported_media_type")


async def test_an_operation_without_a_body_takes_none(
    http: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/returns/{world.ours.made[0]['ret']}/ship"
    refused = await http.post(path, json={"state": "completed"})
    assert problem(refused, 422, "invalid_request")["errors"][0]["field"] == "body"
    read = await http.request("GET", "/v1/returns", json={"state": "x"})
    problem(read, 422, "invalid_request")
    for harmless in (b"", b"{}"):
        answer = await http.post(f"{path}x", content=harmless, headers=JSON)
        problem(answer, 404, "not_found")


async def test_unknown_and_repeated_query_parameters_are_refused(http: httpx.AsyncClient) -> None:
    for query, field in (
        ("surprise=1", "surprise"),
        ("limit=1&limt=1", "limt"),
        ("limit=1&limit=2", "limit"),
        ("Limit=1", "Limit"),
        ("%00=1", "\x00"),
        ("state=requested&state=approved", "state"),
        ("=1", ""),
    ):
        answer = await http.get(f"/v1/returns?{query}")
        body = problem(answer, 422, "invalid_request")
        assert (body["errors"][0]["field"], body["errors"][0]["in"]) == (field, "query"), query
    many = await http.get("/v1/policy?tag=a&tag=b")
    assert many.status_code == 200, many.text


@pytest.mark.parametrize(
    "limit",
    ["0", "101", "-1", "1_0", " 7", "7 ", "+7", "7.0", "1e1", "٧", "0x7", "", "null", "9" * 4000],
)
async def test_a_limit_is_written_in_digits(http: httpx.AsyncClient, limit: str) -> None:
    answer = await http.get("/v1/returns", params={"limit": limit})
    assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == "limit"


@pytest.mark.parametrize("flag", ["1", "yes", "on", "True", "TRUE", "t", "", "0", "null"])
async def test_a_flag_is_true_or_false(http: httpx.AsyncClient, flag: str) -> None:
    answer = await http.get("/v1/returns", params={"expected": flag})
    assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == "expected"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ret_",
        "ref_01jbrc2b9yf95rrq8000000001",
        "ret_01jbrc2b9yf95rrq8000000001'--",
        "ret_81jbrc2b9yf95rrq8000000001",
        "RET_01JBRC2B9YF95RRQ8000000001",
        "\x00",
        "",
    ],
)
async def test_a_cursor_that_we_never_gave_is_refused(http: httpx.AsyncClient, cursor: str) -> None:
    answer = await http.get("/v1/returns", params={"cursor": cursor})
    assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("header", ["authorization", "idempotency-key", "if-match", "content-type"])
async def test_a_header_that_decides_comes_once(
    http: httpx.AsyncClient, world: World, header: str
) -> None:
    values = {
        "authorization": f"Bearer {world.ours.keys['agent']}",
        "idempotency-key": "twice",
        "if-match": '"1"',
        "content-type": "application/json",
    }
    request = http.build_request("POST", "/v1/returns", content=b"{}")
    kept = [pair for pair in request.headers.raw if pair[0].lower() != header.encode()]
    twice = [(header.encode(), values[header].encode())] * 2
    request.headers = httpx.Headers([*kept, *twice])
    problem(await http.send(request), 400, "header_repeated")


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "rk_admin",
        "rk_admin_x_y",
        "é",
        "rk_admin_01jbrc2b9yf95rrq8000000001_" + "0" * 48,
        "rk_admin_01jbrc2b9yf95rrq8000000001_" + "0" * 4000,
        "a b",
    ],
)
async def test_a_credential_that_is_none_gets_401(server: LiveServer, token: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE) as http:
        for value in (b"Bearer " + token.encode(), b"Basic " + token.encode(), token.encode()):
            answer = await http.get("/v1/orders", headers=[(b"authorization", value)])
            problem(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_other_methods_get_405_and_are_told_which_ones_work(
    http: httpx.AsyncClient, world: World
) -> None:
    ret = world.ours.made[0]["ret"]
    for path, allowed in (
        ("/v1/returns", "GET, POST"),
        (f"/v1/returns/{ret}", "GET"),
        (f"/v1/returns/{ret}/approve", "POST"),
        ("/v1/admin/shop", "GET, PATCH"),
        ("/v1/admin/connections/stripe", "DELETE, GET, PUT"),
        ("/v1/admin/policies/check", "POST"),
        ("/livez", "GET"),
    ):
        for method in ("HEAD", "OPTIONS", "TRACE", "LINK", "DELETE", "PATCH"):
            if method in allowed:
                continue
            answer = await http.request(method, path)
            assert answer.status_code == 405, (method, path)
            assert answer.headers["allow"] == allowed, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            if method != "HEAD":
                problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v2/returns",
        "/v1/returns/",
        "/v1//returns",
        "/v1/Returns",
        "/v1/returns/a/b/c",
        "/v1/returns/%2e%2e/orders",
        "/v1/returns/..%2forders",
        "/v1/returns%00",
        "/v1/returns/%ED%A0%80",
        "/v1/returns/%FF",
        "/v1/returns/ret_01jbrc2b9yf95rrq8000000001",
        "/v1/returns/" + "9" * 90,
        "/admin",
        "/openapi.yaml",
    ],
)
async def test_what_is_not_there_is_a_404_and_never_a_redirect(
    http: httpx.AsyncClient, path: str
) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("offered", ["abc-123", "x" * 64])
async def test_a_harmless_request_id_is_kept(http: httpx.AsyncClient, offered: str) -> None:
    answer = await http.get("/v1/orders", headers={"x-request-id": offered})
    assert answer.headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["a b", "x" * 65, "<script>", "", "a;b"])
async def test_another_one_is_replaced(http: httpx.AsyncClient, offered: str) -> None:
    answer = await http.get("/v1/orders", headers={"x-request-id": offered})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_a_refusal_never_repeats_what_was_sent(http: httpx.AsyncClient) -> None:
    canary = "canary-4711"
    body = {
        "kind": "payments",
        "adapter": "stripe",
        "account": "x",
        "base_url": "https://api.stripe.com",
        "secret": {"nested": canary},
        "webhook_secrets": [canary * 100],
    }
    answer = await http.put("/v1/admin/connections/canary", json=body)
    problem(answer, 422, "invalid_request")
    assert canary not in answer.text


async def test_a_thousand_faults_are_not_all_listed(http: httpx.AsyncClient) -> None:
    body = {f"field-{number}-{'x' * 500}": 1 for number in range(1000)}
    answer = await http.post(QUOTES, json=body)
    assert len(problem(answer, 422, "invalid_request")["errors"]) <= 50
    assert len(answer.content) < 40_000


async def test_refused_requests_write_nothing(
    http: httpx.AsyncClient, world: World, database_url: str
) -> None:
    before = await checksums(database_url, world.ours.id)
    for body in BAD_JSON.values():
        for path in ("/v1/refunds", "/v1/admin/policies", "/v1/admin/keys"):
            headers = {**JSON, "idempotency-key": "refused"}
            assert (await http.post(path, content=body, headers=headers)).status_code == 400
    await http.post("/v1/admin/keys?x=1", json={"role": "agent", "label": "x"})
    await http.post("/v1/admin/keys", data={"role": "agent", "label": "x"})
    assert await checksums(database_url, world.ours.id) == before


def test_the_guide_lists_every_problem() -> None:
    assert problems_table() in (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_error_has_a_status_and_every_code_one_meaning() -> None:
    classes = set()
    waiting: list[type[errors.ReturnsError]] = list(errors.ReturnsError.__subclasses__())
    while waiting:
        found = waiting.pop()
        classes.add(found)
        waiting += found.__subclasses__()
    assert classes == set(STATUS)
    codes = [found.code for found in classes]
    assert len(set(codes)) == len(codes)
    for status, (code, title) in HTTP.items():
        assert 400 <= status < 500
        assert TITLES[code] == title
