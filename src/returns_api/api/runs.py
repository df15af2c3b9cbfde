"""What operations on runs share: the answer to one that was queued, and pages of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Response

from returns_api.api import pages
from returns_api.api.deps import Page
from returns_api.api.responses import BODY, refusals
from returns_api.db.engine import Row
from returns_api.domain import ids

Shown = TypeVar("Shown")


def queued(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses=`` of an operation that queues a run; ``statuses`` are its own refusals."""
    location = {"description": "Where to follow it.", "schema": {"type": "string"}}
    return {202: {"headers": {"Location": location}}, **refusals(*BODY, *statuses)}


def locate(response: Response, collection: str, prefix: str, row: Row) -> None:
    """Say where to follow a run that was queued."""
    response.headers["Location"] = f"{collection}/{ids.encode(prefix, row['id'])}"


def page_of(
    rows: list[Row], page: Page, prefix: str, show: Callable[[Row], Shown]
) -> tuple[list[Shown], str | None]:
    """The runs to show and the next cursor, from a query that asked for one more."""
    shown, cursor = pages.cut(rows, page, prefix)
    return [show(row) for row in shown], cursor
