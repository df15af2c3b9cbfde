"""A decision of the engine, reduced to what ``policy_reference`` computes as well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from returns_api.domain.policy import Decision


def summary(decision: Decision) -> dict[str, Any]:
    """What a buyer can feel of a decision, as plain data; ends are the first instants too late."""
    d = decision
    approval: tuple[Any, ...] = ("auto",)
    if not d.approval.auto:
        silence = d.approval.on_silence.value if d.approval.on_silence else None
        approval = ("review", d.approval.respond_within_seconds, silence)
    ship = d.deadlines.ship_within_seconds
    ends = {
        r.kind.value: (r.until + timedelta(seconds=1)).isoformat() if r.until else None
        for r in d.resolutions
    }
    return {
        "eligible": d.eligible,
        "resolutions": dict(sorted(ends.items())),
        "methods": {method.kind.value: method.fee_minor for method in d.methods},
        "own_label": d.freight.own_label,
        "original": d.refund_original_shipping,
        "restocking": d.restocking_ppm,
        "grades": {grade.value: share for grade, share in d.grades.items()},
        "evidence": {proof.kind.value: proof.minimum for proof in d.evidence},
        "approval": approval,
        "ship": float("inf") if ship is None else ship,
        "laws": sorted(d.law),
    }
