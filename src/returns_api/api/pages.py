"""Keyset pages, newest first: where a page starts, and the cursor of the one after it.

A cursor is the public id of the last item shown. It is an id that the caller saw already, so there
is nothing to sign and nothing to leak.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from returns_api.api.deps import Page
from returns_api.domain import ids
from returns_api.domain.errors import Invalid

NEWEST: Final = UUID(int=2**128 - 1)
"""Larger than every id there is."""


def before(page: Page, prefix: str) -> UUID:
    """The id below which the page starts. Raises ``Invalid`` for a cursor that we never gave."""
    if page.cursor is None:
        return NEWEST
    found = ids.decode(prefix, page.cursor)
    if found is None:
        raise Invalid(
            "The cursor is not one of this list.",
            errors=[{"field": "cursor", "in": "query", "problem": "not a cursor of this list"}],
        )
    return found


def cut(rows: Sequence[Any], page: Page, prefix: str, key: str = "id") -> tuple[Any, str | None]:
    """The rows to show and the next cursor, from a query that asked for one row more."""
    if len(rows) <= page.limit:
        return rows, None
    shown = rows[: page.limit]
    return shown, ids.encode(prefix, shown[-1][key])
