"""What lists are narrowed by: the order, the return or the state that their items have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from returns_api.api.schemas.base import example_id, id_pattern, path_id
from returns_api.domain.errors import Invalid

OfOrder = Annotated[str | None, Query(pattern=id_pattern("ord"), examples=[example_id("ord")])]
OfReturn = Annotated[
    str | None, Query(alias="return", pattern=id_pattern("ret"), examples=[example_id("ret")])
]


def in_state(states: Sequence[str], example: str) -> Any:
    """The query parameter ``state`` of a list whose items have these states."""
    return Query(examples=[example], json_schema_extra={"enum": list(states)})


def asked_id(prefix: str, text: str | None) -> UUID | None:
    """The thing that a list is asked for, if any. Raises ``NotFound`` for no id of that kind."""
    return None if text is None else path_id(prefix, text)


def known_state(state: str | None, states: Sequence[str]) -> str | None:
    """The state that a list is asked for. Raises ``Invalid`` for one that does not exist."""
    if state is None or state in states:
        return state
    known = ", ".join(states)
    raise Invalid(
        f"There is no state '{state}'; known: {known}.",
        errors=[{"field": "state", "in": "query", "problem": f"one of: {known}"}],
    )
