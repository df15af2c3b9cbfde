"""The one JSON form of a decision, and its bytes.

Owns what is stored and shown: the same facts under the same policy version give the same bytes, for
ever. Refuses to own the shape that it is made from (``decisions``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from returns_api.domain.policy.decisions import (
    Advance,
    Because,
    Decision,
    ExchangeFirst,
    Insurance,
    RefundDue,
    Resolution,
    Term,
)
from returns_api.domain.policy.facts import Facts, fact_json, time_json


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """The decision as plain data, with the values of the facts that each term used."""
    d = decision
    return {
        "eligible": d.eligible,
        "fault": d.fault.value,
        "tier": d.tier,
        "because": [because_json(b) for b in d.because],
        "resolutions": [resolution_json(r) for r in d.resolutions],
        "methods": [{"kind": m.kind.value, "fee_minor": m.fee_minor} for m in d.methods],
        "freight": {
            "payer": d.freight.payer.value,
            "fee_minor": d.freight.fee_minor,
            "own_label": d.freight.own_label,
        },
        "restocking_ppm": d.restocking_ppm,
        "refund_original_shipping": d.refund_original_shipping,
        "evidence": [{"kind": e.kind.value, "minimum": e.minimum} for e in d.evidence],
        "approval": {
            "auto": d.approval.auto,
            "respond_within_seconds": d.approval.respond_within_seconds,
            "on_silence": d.approval.on_silence.value if d.approval.on_silence else None,
        },
        "deadlines": {
            "ship_within_seconds": d.deadlines.ship_within_seconds,
            "inspect_within_seconds": d.deadlines.inspect_within_seconds,
            "refund_within_seconds": d.deadlines.refund_within_seconds,
        },
        "refund_at": d.refund_at.value,
        "refund_due": [_due_json(due) for due in d.refund_due],
        "grades": {grade.value: share for grade, share in d.grades.items()},
        "advance": _advance_json(d.advance),
        **_exchange_first_json(d.exchange_first),
        "insurance": _insurance_json(d.insurance),
        "keep": {"always": d.keep.always, "label_over_ppm": d.keep.label_over_ppm},
        "send_to": d.send_to,
        "law": list(d.law),
        "law_data": d.law_data,
        "terms": [
            term_json(term, {name: fact_of(d.facts, name) for name in term.facts})
            for term in d.terms
        ],
    }  # fmt: skip


_CANONICAL: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


def canonical_json(data: object) -> bytes:
    """Sorted keys, no blanks, UTF-8: one byte string for one value."""
    return _CANONICAL.encode(data).encode()


def decision_bytes(decision: Decision) -> bytes:
    """The decision as canonical bytes; equal for equal facts under one policy version."""
    return canonical_json(decision_to_json(decision))


def because_json(b: Because) -> dict[str, Any]:
    """One reason as plain data."""
    return {"code": b.code, "rule": b.rule, "args": dict(b.args)}


def resolution_json(r: Resolution) -> dict[str, Any]:
    """One resolution as plain data."""
    return {
        "kind": r.kind.value,
        "until": time_json(r.until) if r.until else None,
        "until_local": r.until_local,
        "bonus_ppm": r.bonus_ppm,
        "cost": r.cost.value,
    }


def _due_json(due: RefundDue) -> dict[str, Any]:
    return {
        "after": due.after.value,
        "within_seconds": due.within_seconds,
        "not_before": due.not_before.value if due.not_before else None,
    }


def _advance_json(advance: Advance | None) -> dict[str, Any] | None:
    if advance is None:
        return None
    return {
        "per_buyer_minor": advance.per_buyer_minor,
        "per_day_minor": advance.per_day_minor,
        "recover_within_seconds": advance.recover_within_seconds,
        "otherwise": advance.otherwise.value,
    }


def _exchange_first_json(first: ExchangeFirst | None) -> dict[str, Any]:
    """Left out where no rule speaks of it, so that what was decided before there was such a term
    reads the same today."""
    if first is None:
        return {}
    limits = {
        "at": first.at.value,
        "per_buyer_minor": first.per_buyer_minor,
        "per_day_minor": first.per_day_minor,
        "recover_within_seconds": first.recover_within_seconds,
    }
    return {"exchange_first": limits}


def _insurance_json(insurance: Insurance | None) -> dict[str, Any] | None:
    if insurance is None:
        return None
    return {"cover_minor": insurance.cover_minor, "excess_minor": insurance.excess_minor}


def term_json(term: Term, facts: Mapping[str, Any]) -> dict[str, Any]:
    """One term as plain data, with the values of the facts that it used."""
    by = term.set_by
    set_by: dict[str, Any] = {"default": True}
    if by.law:
        set_by = {"law": by.law}
    elif by.rule:
        set_by = {"rule": by.rule, "line": by.line}
    floor = term.floor
    return {
        "term": term.term,
        "value": term.value,
        "set_by": set_by,
        "facts": facts,
        "floor": {"law": floor.law, "value": floor.value, "kinder": floor.kinder}
        if floor
        else None,
    }


def fact_of(facts: Facts, name: str) -> Any:
    """A fact by name, as plain data; ``buyer.returns`` reaches into the history."""
    head, _, rest = name.partition(".")
    value = getattr(facts, head)
    return fact_json(getattr(value, rest) if rest else value)
