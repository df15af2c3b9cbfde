"""What a policy decides about one case: a complete, explained record.

Owns the shape and its one JSON form: the same facts under the same policy version give the same
bytes, for ever. Refuses to own how it is reached (``evaluate``) and sentences (``texts``).

A resolution is what the buyer can get; a method is a way back. Shares are parts per million, fees
are minor units of the order's currency, deadlines are elapsed seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from returns_api.domain.policy.facts import Facts, fact_json, time_json
from returns_api.domain.policy.vocabulary import (
    EvidenceKind,
    Grade,
    MethodKind,
    OnSilence,
    Payer,
    RefundAt,
    RepairCost,
    ResolutionKind,
)
from returns_api.domain.reasons import Fault


@dataclass(frozen=True, slots=True)
class Because:
    """One reason for the outcome. ``code`` names a sentence in ``texts``; ``args`` fill it.

    ``rule`` is the id of the rule or law that says so, None where nothing was set at all.
    """

    code: str
    rule: str | None
    args: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Resolution:
    """Open to the buyer until ``until`` (last second, UTC); None = without end, or not begun."""

    kind: ResolutionKind
    until: datetime | None
    until_local: str
    bonus_ppm: int = 0
    cost: RepairCost = RepairCost.FREE


@dataclass(frozen=True, slots=True)
class Method:
    """A way back; ``fee_minor`` is all that the buyer pays for it."""

    kind: MethodKind
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Freight:
    """Who pays the way back; ``fee_minor`` is the fee of the first method. ``own_label``: the buyer
    sends the parcel and pays the carrier directly."""

    payer: Payer
    fee_minor: int
    own_label: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    kind: EvidenceKind
    minimum: int


@dataclass(frozen=True, slots=True)
class Approval:
    """``auto``: granted at once. Else somebody answers in time, or ``on_silence`` happens."""

    auto: bool
    respond_within_seconds: int | None = None
    on_silence: OnSilence | None = None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Elapsed seconds: to send (from approval), to inspect (from receipt), to refund (from
    ``Decision.refund_at``). None = no end was set."""

    ship_within_seconds: int | None
    inspect_within_seconds: int | None
    refund_within_seconds: int | None


@dataclass(frozen=True, slots=True)
class RefundDue:
    """The refund is due ``within_seconds`` after an event, but not before another one happened.

    Whichever clock of a decision ends first is the due date (``deadlines.refund_due``).
    """

    after: RefundAt
    within_seconds: int
    not_before: RefundAt | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """Limits of a refund that is paid before the goods are seen; beyond them ``otherwise``."""

    per_buyer_minor: int | None
    per_day_minor: int | None
    recover_within_seconds: int | None
    otherwise: RefundAt


@dataclass(frozen=True, slots=True)
class ExchangeFirst:
    """The new goods of an exchange go out ``at`` this moment, before the old ones are seen, within
    limits; beyond them they wait for the judgement."""

    at: RefundAt
    per_buyer_minor: int | None
    per_day_minor: int | None
    recover_within_seconds: int | None


@dataclass(frozen=True, slots=True)
class Insurance:
    """Freight that the buyer pays comes back up to ``cover_minor``, less ``excess_minor``."""

    cover_minor: int
    excess_minor: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Whether the buyer may keep the goods: always, or when the label costs more than a share."""

    always: bool
    label_over_ppm: int | None


@dataclass(frozen=True, slots=True)
class SetBy:
    """The rule (with its line in the source) or the law that set a term; both None: a default."""

    rule: str | None = None
    line: int | None = None
    law: str | None = None


@dataclass(frozen=True, slots=True)
class Floor:
    """What the law demands for a term, and whose value is kinder to the buyer."""

    law: str
    value: Any
    kinder: str


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its value as an author writes it, who set it, which facts mattered, the floor."""

    term: str
    value: Any
    set_by: SetBy
    facts: tuple[str, ...] = ()
    floor: Floor | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole outcome. Where ``eligible`` is False, ``because`` says why and nothing is owed."""

    eligible: bool
    fault: Fault
    tier: str
    because: tuple[Because, ...]
    resolutions: tuple[Resolution, ...]
    methods: tuple[Method, ...]
    freight: Freight
    restocking_ppm: int
    refund_original_shipping: bool
    evidence: tuple[Evidence, ...]
    approval: Approval
    deadlines: Deadlines
    refund_at: RefundAt
    refund_due: tuple[RefundDue, ...]
    grades: Mapping[Grade, int | None]
    """Deduction in parts per million by grade found; None = not taken back."""
    advance: Advance | None
    exchange_first: ExchangeFirst | None
    insurance: Insurance | None
    keep: Keep
    send_to: str
    law: tuple[str, ...]
    """The laws that bind this decision; empty where none does or there are no data."""
    law_data: str
    """``known`` when there is a pack for the buyer's place, else ``no data``."""
    terms: tuple[Term, ...]
    facts: Facts
    signals: tuple[str, ...] = ()
    """What makes a person look at it (``signals``). For staff: no part of the JSON form, which
    buyers read; it follows from policy and facts."""
    review_within_seconds: int | None = None
    """How long a person may take who looks at it because of a signal; None where a law says that
    nobody may."""


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
