"""What every request must look like before anybody reads it: one place, all operations.

Frameworks are lenient where two readers may differ: of a repeated JSON key the last one wins, of a
repeated header the first, an unknown query parameter is dropped, a body in UTF-16 is decoded. The
sender then believes one thing and we do another. Here each of these is refused. What a field may
hold is said by the schemas; webhooks are exempt, since a signature covers the sender's own bytes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn

import orjson
from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from returns_api.api.errors import Refused
from returns_api.domain.errors import Invalid

DEPTH_MAX: Final = 64
"""Deeper than any shape of ours; far below where a JSON writer gives up."""
RAW: Final = frozenset({"receiveWebhook"})
"""Operations that take the sender's bytes as they come."""
NDJSON: Final = frozenset({"addImportPart"})
"""Operations whose body is lines of JSON; each says by itself what is wrong in a line."""
STREAMED: Final = frozenset({"addOrderPhoto", "addReturnPhoto"})
"""Operations that read a file from the stream, count it and judge it by themselves."""
UNREAD: Final = frozenset({"optOut"})
"""Operations that mail programs call with a form of their own (RFC 8058), which nobody reads."""
SINGLE: Final = frozenset(
    {b"authorization", b"content-type", b"content-encoding", b"idempotency-key", b"if-match"}
)
_JSON: Final = re.compile(r'application/json(\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)
_NDJSON: Final = re.compile(r'application/x-ndjson(\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def install(app: FastAPI, routes: Iterable[BaseRoute]) -> None:
    """Tell the checks which operations there are."""
    app.state.operations = [route for route in routes if isinstance(route, APIRoute)]
    app.state.queries = {route.operation_id: _parameters(route) for route in app.state.operations}


async def strict(request: Request) -> None:
    """Dependency of every operation.

    Raises:
        Refused: 400 for a header that came twice or a body that is not exactly one JSON text; 415
            for a body that does not say that it is JSON in UTF-8.
        Invalid: an unknown or repeated query parameter, or a body where none is taken.
    """
    route = request.scope["route"]
    if route.operation_id in RAW:
        return
    _check_headers(request.scope["headers"])
    if request.scope["query_string"]:
        known = request.app.state.queries[route.operation_id]
        _check_query(known, request.query_params.multi_items())
    if route.operation_id in STREAMED | UNREAD:
        return
    headers = request.headers
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        if route.operation_id in NDJSON:
            _check_lines(headers.get("content-type", ""))
        else:
            await _check_body(route, request)


def _check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    seen = set()
    for name, _ in headers:
        if name in SINGLE:
            if name in seen:
                text = name.decode()
                raise Refused(400, "header_repeated", f"The header '{text}' came more than once.")
            seen.add(name)


def _check_query(known: Mapping[str, bool], given: list[tuple[str, str]]) -> None:
    times = Counter(name for name, _ in given)
    for name, count in times.items():
        if name not in known:
            _refuse_parameter(name, "is not known here", sorted(known))
        if count > 1 and not known[name]:
            _refuse_parameter(name, "came more than once", sorted(known))


def _parameters(route: APIRoute) -> dict[str, bool]:
    """Query parameters by name on the wire, and whether one may be repeated."""
    return {
        field.alias: "list" in str(field.field_info.annotation)
        for dependant in _whole(route.dependant)
        for field in dependant.query_params
    }


def _whole(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _whole(inner)


def _refuse_parameter(name: str, problem: str, known: list[str]) -> NoReturn:
    shown = name[:100]
    raise Invalid(
        f"{shown}: this query parameter {problem}.",
        errors=[{"field": shown, "in": "query", "problem": problem, "allowed": known}],
    )


def _check_lines(media: str) -> None:
    if not _NDJSON.fullmatch(media):
        raise _unsupported("Send the body as 'Content-Type: application/x-ndjson' in UTF-8.")


async def _check_body(route: APIRoute, request: Request) -> None:
    body = await request.body()
    if not body:
        return
    if not _JSON.fullmatch(request.headers.get("content-type", "")):
        raise _unsupported("Send the body as 'Content-Type: application/json' in UTF-8.")
    if "content-encoding" in request.headers:
        raise _unsupported("Send the body without Content-Encoding.")
    value = parse(body)
    if route.body_field is None and value != {}:
        raise Invalid(
            "This operation takes no body.", errors=[{"field": "body", "problem": "not taken"}]
        )


def parse(body: bytes) -> Any:
    """The value of one JSON text (RFC 8259) in UTF-8. Raises ``Refused``."""
    try:
        if _SURROGATE.search(body):
            orjson.loads(body)  # the standard library lets half a surrogate pair pass
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8") from None
    except ValueError as bad:
        raise _malformed(str(bad)) from None
    _check_depth(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError("a number is out of range")
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise _malformed("it is nested too deeply")


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _malformed(problem: str) -> Refused:
    return Refused(400, "invalid_json", f"The body is not valid JSON: {problem}.")


def _unsupported(detail: str) -> Refused:
    return Refused(415, "unsupported_media_type", detail)
