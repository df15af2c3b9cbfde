"""From a tree of plain data to a model, with every fault named by line, path and suggestion.

Owns the translation of Pydantic's errors into findings. Refuses to own what the models allow.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from returns_api.domain.policy.findings import MAX_FINDINGS, Finding, Path, invalid, write_path
from returns_api.domain.policy.tree import Tree, Value
from returns_api.domain.policy.values import BadValue, closest
from returns_api.domain.policy.vocabulary import Severity

_M = TypeVar("_M", bound=BaseModel)

_MESSAGES: Final = {
    "missing": "This is missing.",
    "extra_forbidden": "This is not known here.",
    "dict_type": "Names with values are due here (a mapping).",
    "model_type": "Names with values are due here (a mapping).",
    "tuple_type": "A list is due here.",
    "bool_type": "Only true or false can stand here.",
    "string_type": "A text is due here.",
}


def read_model(model: type[_M], tree: Tree) -> _M:
    """``tree`` as ``model``. Raises ``PolicyInvalid`` with all faults."""
    try:
        return model.model_validate(tree.value)
    except ValidationError as error:
        details = _without_echoes(error.errors(include_url=False))[:MAX_FINDINGS]
        raise invalid([_finding(model, tree, detail) for detail in details]) from None


def _without_echoes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """A list whose only item is bad is also called too short; that says nothing new."""
    places = [detail["loc"] for detail in details]

    def echoes(loc: tuple[int | str, ...]) -> bool:
        return any(len(place) > len(loc) and place[: len(loc)] == loc for place in places)

    return [d for d in details if d["type"] != "too_short" or not echoes(d["loc"])]


def fault(
    tree: Tree, path: Path, code: str, message: str, suggestion: str | None = None
) -> Finding:
    """An error-level finding at ``path``."""
    mark = tree.mark(path)
    return Finding(
        code, Severity.ERROR, message, write_path(path), mark.line, mark.column, suggestion
    )


def _finding(model: type[BaseModel], tree: Tree, detail: ErrorDetails) -> Finding:
    path = _real_path(tree.value, detail["loc"])
    kind = detail["type"]
    cause = (detail.get("ctx") or {}).get("error")
    if isinstance(cause, BadValue):
        return fault(tree, path, "document.value", cause.message, cause.suggestion)
    message = _MESSAGES.get(kind, f"{detail['msg']}.")
    if kind == "missing":
        return fault(tree, path, "document.missing", message, f"Add {path[-1]}.")
    if kind == "extra_forbidden":
        name = str(path[-1])
        known = tuple(_fields_at(model, path[:-1]))
        guess = closest(name, known)
        hint = f"Did you mean {guess}?" if guess else f"Known here: {', '.join(known)}."
        return fault(tree, path, "document.unknown_key", f"“{name[:60]}” is not known here.", hint)
    expected = (detail.get("ctx") or {}).get("expected")
    hint_text = f"Write {expected}." if expected else None
    return fault(tree, path, "document.value", message, hint_text)


def _real_path(value: Value, loc: tuple[int | str, ...]) -> Path:
    """``loc`` without the parts that Pydantic adds for unions and keys."""
    path: Path = ()
    for position, part in enumerate(loc):
        if isinstance(value, dict) and isinstance(part, str):
            if part in value:
                value = value[part]
            elif position != len(loc) - 1 or part == "[key]":
                continue
            else:
                value = None
            path = (*path, part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
            path = (*path, part)
    return path


def _fields_at(model: Any, path: Path) -> list[str]:
    """The keys that ``model`` knows at ``path``."""
    current: Any = model
    for part in path:
        if isinstance(part, str) and _is_model(current):
            found = current.model_fields.get(part)
            current = found.annotation if found else None
        inner = _inner_model(current)
        current = inner if inner is not None else current
    return list(current.model_fields) if _is_model(current) else []


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inner_model(kind: Any) -> type[BaseModel] | None:
    """The model inside ``tuple[Model, …]``, ``dict[str, Model]``, ``Model | None``."""
    if _is_model(kind):
        found: type[BaseModel] = kind
        return found
    for argument in getattr(kind, "__args__", ()):
        inner = _inner_model(argument)
        if inner is not None:
            return inner
    return None
