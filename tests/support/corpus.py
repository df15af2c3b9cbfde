"""T20: odd values, and every place of the OpenAPI file where one can be put.

Owns the values (as they are written on the wire, since many cannot be held in Python), the places,
and one run over pairs of both. A place is named as it reads in a report: ``createQuote body
lines.0.quantity``.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import asyncpg
import httpx

from tests.support.checksums import NOT_COMPARED
from tests.support.described import Operation, put, reaches, read_operations, resolve
from tests.support.matrix import NAMES, OF_A_GIFT
from tests.support.world import World, bearer

_MARK: Final = "@@the-odd-value@@"

NUMBERS: Final = (
    "0", "-0", "-1", "1", "1.0", "1.5", "1e2", "1E+2", "0.1", "-0.0", "2147483647", "2147483648",
    "-2147483649", "4294967296", "9007199254740993", "9007199254740993.0", "9223372036854775807",
    "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e20", "1e308", "1e309",
    "1e400", "-1e999", "1e999999", "1e-20000", "1e-400", "9" * 400, "9" * 4000, "9" * 5000,
    "-" + "9" * 4000, "0." + "1" * 4000, "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.",
    "0x10", "1_000", "true", "false", "null",
)  # fmt: skip
"""As JSON would have them, and as it would not."""

TEXTS: Final = (
    "", " ", "0", "7", " 7 ", "1_000", "+7", "-1", "1.0", "٧", "７", "0x10", "1e5", "NaN",
    "Infinity",
    "-Infinity", "null", "undefined", "true", "True", "None", "[]", "{}", "\x00", "a\x00b", "\x01",
    "\x1b[31m", "\x7f", "\u0085", "\u2028", "\ufeff", "\ufffe", "\uffff", "\U0010ffff", "\t",
    "\r\n",
    "a\r\nX-Injected: 1", "é", "e\u0301", "İ", "ı", "ﬁ", "ß", "ẞ", "Ⅷ", "ﷺ", "ⓐ", "\u202eabc",
    "\u200b", "a\u200bb", "\u200d", "𝕏", "👩\u200d👩\u200d👧", "Z\u0351\u036b\u0343", "Ω", "\u2126",
    "a" * 64, "a" * 65, "a" * 201, "a" * 256, "a" * 4001, "a" * 20_000, "é" * 4001, "𝕏" * 2001,
    "a" * 5000 + "!", "(a+)+$", ".*.*.*=.*", "^", "$", "\\", "\\u0000", "%00", "%", "%s%s%s%n",
    "{0}",
    "{{7*7}}", "${7*7}", "${jndi:ldap://127.0.0.1/a}", "#{1}", "<script>alert(1)</script>",
    "=1+1", "@SUM(A1)", "-1+1", "' OR '1'='1", "'; DROP TABLE orders; --", '"', "''", "`id`",
    "$(id)", "; id", "| id", "../../etc/passwd", "..\\..\\x", "/", "//", ".", "..", "a/b", "a?b=c",
    "a#b", "a&b", "a;b", "file:///etc/passwd", "http://127.0.0.1", "https://169.254.169.254/",
    "https://[::1]/", "https://0x7f000001/", "https://a@b", "javascript:alert(1)",
    "2026-02-30T00:00:00Z", "2026-11-21", "2026-11-21T09:12:44", "2026-11-21T09:12:60Z",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "10000-01-01T00:00:00Z", "infinity",
    "epoch", "1732180000", "2026-11-21T09:12:44.1234567Z", "2026-11-21t09:12:44z", "24:00",
    "ret_", "ret_x", "ret_81jbrc2b9yf95rrq8000000001", "ret_01jbrc2b9yf95rrq800000000l",
    "RET_01JBRC2B9YF95RRQ8000000001", "ret_01jbrc2b9yf95rrq80000000011",
    "_01jbrc2b9yf95rrq8000000001",
    "0192f0c1-2d3e-7a4b-8c5d-000000000001", "ret_01jbrc2b9yf95rrq8000000001\n",
    "EUR", "eur", "EU", "XXX", "€", "DE", "de", "D€", "XK", "Europe/Berlin", "../UTC", "GMT+25",
    "sealed", "SEALED", "requested", "requested ", "refund.*", "*", "a@b", "@", "a@b@c",
)  # fmt: skip
"""Texts by their characters; ``RAW`` has half surrogates, which are none."""

RAW: Final = (
    r'"\ud800"', r'"\udc00\ud800"', r'"\uD83D"', r'"a\ud800\u0041"', "[]", "{}",
    "[[]]",
    "[null]", "[{}]", '{"": ""}', '{"a": {"a": 1}, "a": 2}', '{"__proto__": {}}', '{"$ref": "#"}',
    "[" + "1," * 9_999 + "1]", '["' + '","' * 2_000 + '"]', "[" * 60 + "]" * 60,
    "[" * 500 + "]" * 500,
    '{"a":' * 40 + "1" + "}" * 40, "",
)  # fmt: skip
"""JSON that is neither a number nor a text, or not JSON at all."""

TOKENS: Final = (*NUMBERS, *RAW, *(json.dumps(text, ensure_ascii=True) for text in TEXTS))
HEADERS: Final = ("authorization", "idempotency-key", "if-match", "if-none-match", "accept",
                  "accept-language", "content-type", "x-request-id", "x-forwarded-for", "origin",
                  "range", "cookie")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value can stand in the requests of one operation."""

    operation: Operation
    where: str
    at: tuple[str | int, ...]

    @property
    def text(self) -> str:
        return f"{self.operation.id} {self.where} {'.'.join(map(str, self.at))}"

    def values(self) -> Sequence[str]:
        if self.where == "body":
            return TOKENS
        if self.where == "header":
            return [text for text in TEXTS if text == text.strip() and text.isprintable()]
        return TEXTS


@dataclass(slots=True)
class Verdict:
    """What a run saw."""

    requests: int = 0
    refused: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def p99(self) -> float:
        ordered = sorted(self.seconds)
        return ordered[len(ordered) * 99 // 100]


def places(description: Mapping[str, Any]) -> list[Place]:
    """Every path and query parameter, every header that somebody reads, every field of a body.

    Operations that take something away come last, so that the others still find it.
    """
    found = []
    documents = {
        operation["operationId"]: operation
        for methods in description["paths"].values()
        for operation in methods.values()
    }
    operations = read_operations(description)
    for operation in sorted(operations, key=lambda each: each.method == "DELETE"):
        document = documents[operation.id]
        for parameter in document.get("parameters", ()):
            if parameter["in"] in {"path", "query"}:
                found.append(Place(operation, parameter["in"], (parameter["name"],)))
        found += [Place(operation, "header", (name,)) for name in HEADERS]
        content = document.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            fields = _fields(description, content["schema"])
            found += [Place(operation, "body", at) for at in [(), *fields, ("surprise",)]]
    return found


def _fields(
    description: Mapping[str, Any], schema: Mapping[str, Any], at: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    schema = resolve(description, schema)
    for name, inner in schema.get("properties", {}).items():
        yield (*at, name)
        yield from _fields(description, inner, (*at, name))
    items = schema.get("items")
    if isinstance(items, Mapping):
        yield (*at, 0)
        yield from _fields(description, items, (*at, 0))
    if at:
        for kind in schema.get("anyOf", ()):
            yield from _fields(description, kind, at)


@dataclass(slots=True)
class Fuzzer:
    """Sends odd values as the administrator of our shop and looks at what comes of it."""

    http: httpx.AsyncClient
    world: World
    owner: asyncpg.Connection[asyncpg.Record]
    verdict: Verdict = field(default_factory=Verdict)
    _tables: Sequence[str] = ()
    _rows: Sequence[int] = ()
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def run(self, pairs: Sequence[tuple[Place, str]]) -> Verdict:
        await self._look()
        for place, value in pairs:
            await self._try(place, value)
        return self.verdict

    async def _try(self, place: Place, value: str) -> None:
        begun = time.perf_counter()
        self.verdict.requests += 1
        try:
            answer = await self.http.send(self._request(place, value))
        except httpx.TransportError as lost:
            self._blame(place, value, f"no answer: {type(lost).__name__} {lost}")
            return
        self.verdict.seconds.append(time.perf_counter() - begun)
        self.verdict.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            self._blame(place, value, f"{answer.status_code} {answer.text[:200]}")
        if answer.status_code < 400:
            await self._look()
            return
        self.verdict.refused += 1
        if answer.headers.get("content-type") != "application/problem+json":
            self._blame(
                place, value, f"{answer.status_code} as {answer.headers.get('content-type')}"
            )
        before = self._rows
        await self._look()
        if self._rows != before:
            changed = [
                table
                for table, was, now in zip(self._tables, before, self._rows, strict=True)
                if was != now
            ]
            self._blame(place, value, f"{answer.status_code}, but wrote to {changed}")

    def _blame(self, place: Place, value: str, problem: str) -> None:
        self.verdict.wrong.append(f"{place.text} = {value[:80]!r}: {problem}")

    async def _look(self) -> None:
        """Rows per table of all shops, but for those that refusals are meant to write."""
        if not self._tables:
            rows = await self.owner.fetch(
                "SELECT table_name AS name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND column_name = 'shop_id' ORDER BY 1"
            )
            self._tables = [row["name"] for row in rows if row["name"] not in NOT_COMPARED]
        counted = ", ".join(f"(SELECT count(*) FROM {table})" for table in self._tables)
        row = await self.owner.fetchrow(f"SELECT {counted}")
        assert row is not None
        self._rows = tuple(row.values())

    def _request(self, place: Place, value: str) -> httpx.Request:
        operation, house = place.operation, self.world.ours
        theirs = house.gifts[0] if OF_A_GIFT(operation.path) else {}
        own = {**NAMES, **house.made[0], **theirs}
        who = "recipient" if theirs else "admin"
        path = operation.path
        body = deepcopy(operation.bodies[0]) if operation.bodies else None
        headers: dict[str, str] = {
            **bearer(house.keys[who]),
            "idempotency-key": f"fuzz-{next(self._numbers)}",
        }
        if operation.method in {"PUT", "PATCH"}:
            headers["if-match"] = '"1"'
        query = ""
        for slot in operation.slots:
            if slot.where == "path" and (place.where, place.at) != ("path", slot.at):
                path = path.replace(f"{{{slot.at[0]}}}", own[slot.prefix])
            elif slot.where == "body" and reaches(body, slot.at):
                put(body, slot.at, own[slot.prefix])
        if place.where == "path":
            path = path.replace(f"{{{place.at[0]}}}", quote(value, safe=""))
        elif place.where == "query":
            query = f"?{place.at[0]}={quote(value, safe='')}"
        elif place.where == "header":
            headers[str(place.at[0])] = value
        content = None if body is None else _written(body, place, value)
        if content is not None and "content-type" not in headers:
            headers["content-type"] = "application/json"
        raw = [(name.encode(), text.encode()) for name, text in headers.items()]
        return self.http.build_request(operation.method, path + query, content=content, headers=raw)


def _written(body: Any, place: Place, value: str) -> bytes:
    """The body as text, with the odd token where the place is."""
    if place.where != "body":
        return json.dumps(body).encode()
    if not place.at:
        return value.encode()
    put(body, place.at, _MARK)
    return json.dumps(body).replace(f'"{_MARK}"', value).encode()
