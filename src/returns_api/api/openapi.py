"""The OpenAPI 3.1 file: what FastAPI derives, with one example at every body and stable names.

``openapi/openapi.json`` is this function's output, committed; a test fails when the two differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from returns_api.api.deps import REQUIRED, Allowed
from returns_api.api.operations import OPERATIONS, STATES
from returns_api.api.responses import Problem
from returns_api.api.schemas.base import In, Out
from returns_api.domain.access import ROLE_SCOPES, Role, Scope
from returns_api.domain.lifecycle.describe import in_words

DESCRIPTION = """The returns and refunds department of an online shop, as one service.

Amounts are integer minor units of the currency named beside them; times are RFC 3339 in UTC. Ids
are opaque and prefixed by what they name. Every refusal is a problem document (RFC 9457) with a
stable `code`. Unknown request fields are refused; expect new response fields and enum values at any
time.
"""

_REF: Final = "#/components/schemas/"
_NAMES: Final = {
    "ord": "an order",
    "qt": "a quote",
    "gft": "a gift receipt",
    "ret": "a return",
    "ev": "a photo",
    "rl": "a line of a return",
    "ref": "a refund",
    "pku": "a pickup",
    "clm": "a transport claim",
    "can": "a cancellation",
    "adc": "an address change",
    "off": "an offer",
    "dsp": "a dispute",
    "cpl": "a complaint",
    "exc": "an exchange",
    "rep": "a repair",
    "wdr": "a withdrawal",
    "cn": "a credit note",
    "pv": "a policy version",
    "key": "a key",
    "whe": "a webhook endpoint",
    "evt": "an event",
    "in": "an incoming message",
    "rcn": "a reconciliation",
    "exp": "an export",
    "shp": "a shop",
}
_TEXT: Final = {"schema": {"type": "string"}}
_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-ID": {"description": "Names this request; quote it when you ask for help.", **_TEXT},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "`Bearer`.", **_TEXT},
    "Idempotent-Replayed": {
        "description": "`true` when this is the first answer to the same key, again.",
        **_TEXT,
    },
}


def describe(app: FastAPI) -> None:
    """Replace the app's ``openapi`` by ours; built once, at the first call."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it


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
    _restore_examples(schemas)
    scopes = {route.operation_id: scope_of(route) for route in app.state.operations}
    _tell_lives(document)
    for operation in _operations(document):
        scope = scopes[operation["operationId"]]
        if scope is not None:
            operation["x-scope"] = scope.value
            operation["x-roles"] = [role.value for role in Role if scope in ROLE_SCOPES[role]]
        for parameter in operation.get("parameters", ()):
            _finish_parameter(parameter, schemas)
        _name_headers(operation)
        for media in _bodies(operation):
            _show_example(media, schemas)
    return document


def scope_of(route: APIRoute) -> Scope | None:
    """The scope that an operation asks for; None where it asks for no key."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Allowed):
            return dependency.call.scope
    return None


def _tell_lives(document: dict[str, Any]) -> None:
    """From the lifecycle tables: who may act when, at each action, and the states of each field."""
    for operation in _operations(document):
        found = OPERATIONS.get(operation["operationId"])
        if found is not None:
            operation["description"] += f"\n\n{in_words(*found)}"
    schemas = document["components"]["schemas"]
    for name, machine in STATES.items():
        field = schemas[name]["properties"]["state"]
        listed = f"One of {', '.join(f'`{state}`' for state in machine.states)}."
        field["description"] = " ".join(filter(None, (field.get("description"), listed)))


def _restore_examples(schemas: dict[str, Any]) -> None:
    """The framework drops every null of the document, those inside of examples too."""
    waiting: list[type[BaseModel]] = [In, Out]
    while waiting:
        shape = waiting.pop()
        waiting += shape.__subclasses__()
        extra = shape.__dict__.get("model_config", {}).get("json_schema_extra")
        if isinstance(extra, dict) and "examples" in extra and shape.__name__ in schemas:
            schemas[shape.__name__]["examples"] = deepcopy(extra["examples"])


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _finish_parameter(parameter: dict[str, Any], schemas: dict[str, Any]) -> None:
    """What a parameter is on the wire: never null, required where we ask for it ourselves."""
    shape = parameter["schema"]
    kinds = [kind for kind in shape.pop("anyOf", ()) if kind != {"type": "null"}]
    if kinds:
        parameter["schema"] = shape = {**kinds[0], **shape}
    if shape.pop(REQUIRED, False):
        parameter["required"] = True
    listed = schemas.get(shape.get("$ref", "").removeprefix(_REF), shape).get("enum")
    shown = shape.pop("examples", None) or listed
    if shown:
        parameter["example"] = shown[0]
        name = _NAMES.get(str(shown[0]).partition("_")[0])
        if name is not None:
            parameter.setdefault("description", f"Id of {name}.")
    parameter.setdefault("description", shape.get("description", "One of the listed values."))


def _name_headers(operation: dict[str, Any]) -> None:
    """Which headers each answer of an operation may carry."""
    keyed = any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", ()))
    for status, answer in operation["responses"].items():
        names = ["X-Request-ID"]
        names += ["Retry-After"] if status in {"409", "429", "503"} else []
        names += ["WWW-Authenticate"] if status == "401" else []
        names += ["Idempotent-Replayed"] if keyed and status in {"201", "202", "409"} else []
        answer["headers"] = {
            **{name: _HEADERS[name] for name in names},
            **answer.get("headers", {}),
        }


def _bodies(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every media type object of a request or an answer."""
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for answer in operation["responses"].values():
        yield from answer.get("content", {}).values()


def _show_example(media: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The shape's own example, where the operation shows none."""
    if "example" in media or "examples" in media:
        return
    name = media.get("schema", {}).get("$ref", "").removeprefix(_REF)
    shown = _example_of(schemas.get(name, {}), schemas)
    if shown is not None:
        media["example"] = shown


def _example_of(shape: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A list's example is its item's."""
    if shape.get("examples"):
        return shape["examples"][0]
    fields = shape.get("properties", {})
    item = fields.get("items", {}).get("items", {}).get("$ref", "").removeprefix(_REF)
    inner = _example_of(schemas[item], schemas) if item in schemas else None
    if inner is None:
        return None
    page = {"next_cursor": None} if "next_cursor" in fields else {}
    return {"items": [inner], **page}
