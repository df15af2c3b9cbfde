"""Back-tests as runs: carried on page by page, finished with a report."""

from __future__ import annotations

from typing import Final

from sqlalchemy import null

from returns_api.db.runs import Runs, named
from returns_api.db.tables import backtests as _t

RUNS: Final = Runs(
    _t,
    new=("policy_version_id", "digest", "against_id", "opened_from", "opened_until"),
    carried=named(_t, ("done", "cursor", "partial")),
    ended={**named(_t, ("done", "report")), "partial": null(), "cursor": null()},
    hidden=frozenset({"partial", "cursor", "report"}),
)
