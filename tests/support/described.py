"""The operations of the OpenAPI file: how each is called, and every place where an id can stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from returns_api.domain.access import Scope
from returns_api.domain.order_documents import EXAMPLE as DOCUMENT
from tests.support.pictures import picture

_PATTERN: Final = re.compile(r"^\^([a-z]+)_\[0-7\]")


_EXAMPLE: Final = re.compile(r"^([a-z]{2,3})_[0-7][0-9a-hjkmnp-tv-z]{25}$")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an id: ``where`` is path, query or body; ``at`` a name or a path into a body."""

    where: str
    at: tuple[str | int, ...]
    prefix: str

    @property
    def text(self) -> str:
        return f"{self.where} {'.'.join(map(str, self.at))}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the file. ``bodies`` are its examples, the first one the usual."""

    id: str
    method: str
    path: str
    scope: Scope | None
    slots: tuple[Slot, ...]
    bodies: tuple[Any, ...]
    unknown: tuple[str, ...]
    raw: tuple[str, str | bytes] | None = None
    """Media type and example of a body that is not JSON."""

    def body_for(self, slot: Slot | None) -> Any:
        """An example that has the slot, or the first one."""
        for body in self.bodies:
            if slot is not None and slot.where == "body" and reaches(body, slot.at):
                return deepcopy(body)
        return deepcopy(self.bodies[0]) if self.bodies else None


def read_operations(description: Mapping[str, Any]) -> list[Operation]:
    """Every operation of an OpenAPI document."""
    return [
        _operation(description, method.upper(), path, found)
        for path, methods in description["paths"].items()
        for method, found in methods.items()
    ]


def _operation(
    description: Mapping[str, Any], method: str, path: str, found: Mapping[str, Any]
) -> Operation:
    slots, unknown = [], []
    for parameter in found.get("parameters", ()):
        prefix = _prefix_of(parameter)
        if prefix is not None and parameter["in"] in {"path", "query"}:
            slots.append(Slot(parameter["in"], (parameter["name"],), prefix))
        elif parameter["in"] == "path":
            unknown.append(f"nobody knows an id for the path parameter '{parameter['name']}'")
    bodies: tuple[Any, ...] = ()
    content = found.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        schema = resolve(description, content["schema"])
        bodies = tuple(schema.get("examples") or [content["example"]])
        slots += [Slot("body", at, prefix) for at, prefix in _ids_in(description, schema)]
    scope = found.get("x-scope")
    return Operation(
        found["operationId"],
        method,
        path,
        None if scope is None else Scope(scope),
        tuple(slots),
        bodies,
        tuple(unknown),
        _raw(found),
    )


def _raw(found: Mapping[str, Any]) -> tuple[str, str | bytes] | None:
    for media, content in found.get("requestBody", {}).get("content", {}).items():
        if media == "image/jpeg":
            return media, picture()
        if media != "application/json":
            return media, content["example"]
    return None


def _prefix_of(parameter: Mapping[str, Any]) -> str | None:
    if parameter["name"] == "cursor":
        return None
    if parameter["name"] == "source":
        return "slug"
    if parameter["name"] == "report":
        return "report"
    if str(parameter.get("example", "")) == DOCUMENT["external_id"]:
        return "name"
    shown = _EXAMPLE.match(str(parameter.get("example", "")))
    return None if shown is None else shown[1]


def resolve(description: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return description["components"]["schemas"][name] if name else schema


def _ids_in(
    description: Mapping[str, Any], schema: Mapping[str, Any], at: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Places of a body whose schema is the pattern of an id; of a list, its first item."""
    schema = resolve(description, schema)
    pattern = _PATTERN.match(schema.get("pattern", ""))
    if pattern:
        yield at, pattern[1]
    for name, inner in schema.get("properties", {}).items():
        yield from _ids_in(description, inner, (*at, name))
    if isinstance(schema.get("items"), Mapping):
        yield from _ids_in(description, schema["items"], (*at, 0))
    if at:  # at the root these say what holds between fields
        for kind in schema.get("anyOf", ()):
            yield from _ids_in(description, kind, at)


def reaches(body: Any, at: Sequence[str | int]) -> bool:
    for step in at:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def put(body: Any, at: Sequence[str | int], value: str) -> None:
    """Write into a body, making the objects and lists on the way."""
    for step, following in pairwise(at):
        if isinstance(step, str) and body.get(step) is None:
            body[step] = [] if isinstance(following, int) else {}
        elif isinstance(step, int) and len(body) <= step:
            body.append({})
        body = body[step]
    last = at[-1]
    if isinstance(last, int) and len(body) <= last:
        body.append(value)
    else:
        body[last] = value


def load(text: str) -> list[Operation]:
    """The operations of a committed OpenAPI file."""
    return read_operations(json.loads(text))
