"""Shapes of exports."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from returns_api.api.schemas.base import ExportId, In, Moment, Out, example, example_id
from returns_api.api.schemas.runs import RunState

ExportKind = Literal["orders", "returns"]

_EXPORT: Final[dict[str, Any]] = {
    "id": example_id("exp"),
    "kind": "returns",
    "state": "succeeded",
    "total": 48210,
    "done": 48213,
    "parts": 242,
    "size": 91204331,
    "failure": None,
    "created_at": "2026-11-22T09:12:44Z",
    "finished_at": "2026-11-22T09:13:58Z",
    "forget_at": "2026-11-29T09:12:44Z",
}
_LINK: Final = (
    f"https://returns.example/v1/exports/{example_id('exp')}/file"
    f"?shop={example_id('shp')}&until=1795255500&signature=q1w2…"
)
LINE: Final = '{"return":"ret_…","number":"#1001-R1","state":"completed","lines":[…]}\n'


class ExportIn(In):
    """What is exported: every order, or every return with its history."""

    model_config = example({"kind": "returns"})

    kind: ExportKind


class ExportOut(Out):
    """How far an export is. `total` may be passed: things go on while it is written."""

    model_config = example(_EXPORT)

    id: ExportId
    kind: ExportKind
    state: RunState
    total: int = Field(description="Lines expected when it began.")
    done: int = Field(description="Lines written.")
    parts: int = Field(description="Parts that can be fetched by now, from 1.")
    size: int = Field(description="Bytes of them together.")
    failure: str | None
    created_at: Moment
    finished_at: Moment | None
    forget_at: Moment = Field(description="Then it is gone.")


class ExportDetailOut(ExportOut):
    """An export with a link to its file, once that is whole."""

    model_config = example({**_EXPORT, "link": _LINK, "link_until": "2026-11-22T10:14:00Z"})

    link: str | None = Field(description="Whoever has it fetches the file, without a key.")
    link_until: Moment | None


class ExportsOut(Out):
    """A page of exports, newest first."""

    model_config = example({"items": [_EXPORT], "next_cursor": None})

    items: list[ExportOut]
    next_cursor: str | None
