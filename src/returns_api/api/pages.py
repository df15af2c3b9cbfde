"""Keyset pages, newest first: where a page starts, and the cursor of the one after it.

A cursor is the public id of the last item shown. It is an id that the caller saw already, so there
is nothing to sign and nothing to leak.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, TypeVar
from uuid import UUID

from returns_api.api.deps import Page
from returns_api.domain import ids
from returns_api.domain.errors import Invalid

T = TypeVar("T")

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


def cut(
    found: Sequence[T], page: Page, prefix: str, id_of: Callable[[Any], UUID] = itemgetter("id")
) -> tuple[Sequence[T], str | None]:
    """What to show and the next cursor, from a query that asked for one more."""
    if len(found) <= page.limit:
        return found, None
    shown = found[: page.limit]
    return shown, ids.encode(prefix, id_of(shown[-1]))
