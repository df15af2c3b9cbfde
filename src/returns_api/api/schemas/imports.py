"""Shapes of imports and of what is wrong in their lines."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import ImportId, In, Moment, NoBool, Out, example, example_id
from returns_api.api.schemas.connections import SLUG
from returns_api.usecases._documents import OWN_SOURCE
from returns_api.usecases.imports import SIZE_MAX

_IMPORT: Final[dict[str, Any]] = {
    "id": example_id("imp"),
    "source": "api",
    "state": "running",
    "size": 912_004_113,
    "total": 1_000_000,
    "done": 412_250,
    "created": 412_007,
    "updated": 0,
    "unchanged": 231,
    "rejected": 12,
    "failure": None,
    "created_at": "2026-11-21T09:12:44Z",
    "finished_at": None,
}
_PROBLEM: Final[dict[str, Any]] = {
    "line": 10311,
    "external_id": "A-1001",
    "errors": [
        {
            "field": "lines[0].quantity",
            "problem": "Input should be greater than or equal to 1",
        }
    ],
}


class ImportState(StrEnum):
    """``open`` waits for parts; then as every run."""

    OPEN = "open"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ImportIn(In):
    """Where the orders come from."""

    model_config = example({"source": "api"})

    source: Annotated[str, StringConstraints(pattern=SLUG)] = Field(
        OWN_SOURCE,
        description=(
            "`api` for a shop without a platform, or the slug of a connected platform: then its"
            " webhooks go on with the same orders."
        ),
    )


class ImportStartIn(In):
    """How long the file is: nothing begins before all of it is here."""

    model_config = example({"size": 912_004_113})

    size: Annotated[int, Field(ge=0, le=SIZE_MAX, description="Bytes in all."), NoBool]


class ImportOut(Out):
    """How far an import is."""

    model_config = example(_IMPORT)

    id: ImportId
    source: str
    state: ImportState
    size: int = Field(description="Bytes that are here: where the next part begins.")
    total: int = Field(description="Lines in these.")
    done: int = Field(description="Lines that are done, empty ones among them.")
    created: int
    updated: int
    unchanged: int = Field(description="Known already in this version or a later one.")
    rejected: int = Field(description="Lines that cannot be taken; see the problems.")
    failure: str | None
    created_at: Moment
    finished_at: Moment | None


class ImportsOut(Out):
    """A page of imports, newest first."""

    model_config = example({"items": [_IMPORT], "next_cursor": None})

    items: list[ImportOut]
    next_cursor: str | None


class FieldProblemOut(Out):
    field: str = Field(description="Empty when it is the whole line.")
    problem: str = Field(description="What would be right.")


class ImportProblemOut(Out):
    """A line that cannot be taken."""

    model_config = example(_PROBLEM)

    line: int = Field(description="Of the whole file, from 1.")
    external_id: str | None = Field(description="The order's, where it can be told.")
    errors: list[FieldProblemOut]


class ImportProblemsOut(Out):
    """Lines that cannot be taken, in their order; the first 10 000 of an import are named."""

    model_config = example({"items": [_PROBLEM], "next_after": None})

    items: list[ImportProblemOut]
    next_after: int | None = Field(description="`after` of the next page.")
