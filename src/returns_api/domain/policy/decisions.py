"""What a policy decides about one case: a complete, explained record.

Owns the shape. Refuses to own how it is reached (``evaluate``), its one JSON form
(``decision_json``) and sentences (``texts``).

A resolution is what the buyer can get; a method is a way back. Shares are parts per million, fees
are minor units of the order's currency, deadlines are elapsed seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from returns_api.domain.policy.facts import Facts
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
