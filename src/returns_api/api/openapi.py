"""The OpenAPI 3.1 file: what FastAPI derives, with one example at every body and stable names.

``openapi/openapi.json`` is this function's output, committed; a test fails when the two differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from returns_api.api.responses import Problem

DESCRIPTION = """The returns and refunds department of an online shop, as one service.

Amounts are integer minor units of the currency named beside them; times are RFC 3339 in UTC. Ids
are opaque and prefixed by what they name. Every refusal is a problem document (RFC 9457) with a
stable `code`. Unknown request fields are refused; expect new response fields and enum values at any
time.
"""

_REF = "#/components/schemas/"


def describe(app: FastAPI) -> None:
    """Replace the app's ``openapi`` by ours; built once, at the first call."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def build(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        servers=[{"url": "/"}],
    )
    schemas = document["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema(ref_template=_REF + "{model}")
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for media in _bodies(document):
        _show_example(media, schemas)
    return document


def _bodies(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every media type object of a request or an answer."""
    for path in document["paths"].values():
        for operation in path.values():
            yield from operation.get("requestBody", {}).get("content", {}).values()
            for answer in operation["responses"].values():
                yield from answer.get("content", {}).values()


def _show_example(media: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The shape's own example, where the operation shows none."""
    shape = media.get("schema", {}).get("$ref", "").removeprefix(_REF)
    examples = schemas.get(shape, {}).get("examples")
    if examples and "example" not in media and "examples" not in media:
        media["example"] = examples[0]
