"""From rows of policy versions, and of the steps of their lives, to their shapes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.api.schemas.policies import (
    FindingCountsOut,
    FindingOut,
    PolicyState,
    PolicyStepOut,
    PolicyVersionDetailOut,
    PolicyVersionOut,
)
from returns_api.db.engine import Row


def version_out(row: Row, in_force: UUID | None) -> PolicyVersionOut:
    """A version without its text; ``in_force`` is the one that judges now."""
    return PolicyVersionOut(**_members(row, in_force))


def version_detail_out(row: Row, in_force: UUID | None) -> PolicyVersionDetailOut:
    """A version with its text and its findings, which are counted here."""
    levels = [finding["severity"] for finding in row["findings"]]
    counts = {f"{name}s": levels.count(name) for name in FindingCountsOut.model_fields}
    return PolicyVersionDetailOut(
        **_members({**row, **counts}, in_force),
        findings=[FindingOut(**finding) for finding in row["findings"]],
        source=row["source"],
    )


def step_out(row: Row) -> PolicyStepOut:
    """Who did what to a version."""
    same = ("id", "number", "action", "at", "actor", "digest", "note", "effective_from")
    return PolicyStepOut(
        **{name: row[name] for name in same},
        policy_version=row["policy_version_id"],
        key=row["actor_id"],
        acknowledged=row["findings"],
    )


def _members(row: Any, in_force: UUID | None) -> dict[str, Any]:
    made = {"state", "in_force", "counts"}
    return {
        **{name: row[name] for name in PolicyVersionOut.model_fields if name not in made},
        "state": PolicyState(row["state"]),
        "in_force": row["id"] == in_force,
        "counts": FindingCountsOut(error=row["errors"], warning=row["warnings"], info=row["infos"]),
    }
