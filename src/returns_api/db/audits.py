"""Audits as runs, with the end of the chain that each one saw.

What they look for is ``db.audit_checks``'s.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import null, select

from returns_api.db.engine import Transaction
from returns_api.db.query import Query, here
from returns_api.db.runs import Runs, named
from returns_api.db.tables import audits as _t

ANCHORS: Final = 1_000
"""Ends of the chain that earlier audits saw, as many as a later one compares."""

RUNS: Final = Runs(
    _t,
    new=("requested_by",),
    carried=named(_t, ("done", "breaches", "place", "report")),
    ended={**named(_t, ("done", "breaches", "report", "position", "digest")), "place": null()},
    hidden=frozenset({"place", "report"}),
)
_ANCHORS: Final = Query(
    select(_t.c.position, _t.c.digest)
    .where(here(_t), _t.c.digest.is_not(None), _t.c.position > 0)
    .order_by(_t.c.position.desc())
    .limit(ANCHORS)
)


async def anchors(tx: Transaction) -> dict[int, bytes]:
    """The ends of the chain that earlier audits saw, by position."""
    return {row["position"]: row["digest"] for row in await tx.all(_ANCHORS)}
