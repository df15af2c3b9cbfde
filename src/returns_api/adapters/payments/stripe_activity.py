"""Where a walk through a Stripe account's refunds and disputes stands, and its next address.

Pure. Owns the cursor; reads no object. Source: docs.stripe.com/api/refunds/list and disputes/list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from returns_api.adapters import fields

REFUNDS: Final = "refunds"
DISPUTES: Final = "disputes"
PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Which list, and the id after which its next page begins (empty: from the newest on)."""

    kind: str
    after: str


def place(cursor: str | None) -> Place:
    """What a cursor of ours says. Raises ``ValueError`` for any other text."""
    kind, _, after = (cursor or f"{REFUNDS}:").partition(":")
    if kind not in {REFUNDS, DISPUTES}:
        raise ValueError("not a cursor of this list")
    return Place(kind, after)


def path_of(at: Place, since: datetime) -> str:
    """Path and query of the next page; Stripe counts whole seconds, so the moment is included."""
    query = {"limit": str(PAGE_SIZE), "created[gte]": str(int(since.timestamp()))}
    if at.after:
        query["starting_after"] = at.after
    return f"/v1/{at.kind}?{urlencode(query)}"


def following(at: Place, found: Sequence[Mapping[str, object]], *, more: bool) -> str | None:
    """The cursor of the next page: on in this list, then the other one, then None.

    Raises ``ValueError`` for a page that promises more and shows nothing to go on from.
    """
    if more:
        if not found:
            raise ValueError("an empty page that is not the last")
        return f"{at.kind}:{fields.text(found[-1], 'id', longest=255)}"
    return f"{DISPUTES}:" if at.kind == REFUNDS else None
