"""Shapes of policy versions, their findings and history, and of one case explained."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, StrictBool, StringConstraints

from returns_api.api.schemas.base import (
    In,
    KeyId,
    LongText,
    Moment,
    NoBool,
    Out,
    PolicyStepId,
    PolicyVersionId,
    ReturnId,
    Storable,
    TextFormat,
    example,
    example_id,
)
from returns_api.api.schemas.shop import Currency
from returns_api.api.schemas.times import MomentIn
from returns_api.domain.policy.vocabulary import Grade
from returns_api.usecases.policies import SOURCE_MAX

EXAMPLE = """\
policy: returns-policy/v1
name: Field & Loom
timezone: Europe/Berlin
currency: EUR
rules:
  - id: house
    resolutions: {refund: 30 days}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: free
    original_shipping: refund
    grades: {used_worn: 30%}
    evidence: none
    methods: [post]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""


_VERSION: Final = {
    "id": example_id("pv"),
    "number": 7,
    "state": "published",
    "name": "Field & Loom",
    "digest": "sha256:178ad2d21d95334e60663505866b1973268bc6a027c4b9284709cc6e751670e6",
    "effective_from": "2026-12-01T00:00:00Z",
    "created_at": "2026-11-21T09:12:44Z",
    "published_at": "2026-11-21T09:20:00Z",
    "published_by": example_id("key"),
    "acknowledged": None,
    "checked_at": "2026-11-21T09:18:10Z",
    "retired_at": None,
    "in_force": True,
    "counts": {"error": 0, "warning": 1, "info": 0},
}
_FINDING: Final = {
    "code": "law.below_floor",
    "severity": "warning",
    "message": "house sets refund_within below what the law gives (kr-withdrawal); buyers there"
    " get the law's.",
    "path": "rules[0].refund_within",
    "line": 16,
    "column": 20,
    "suggestion": "The law: {'within': '3 days', 'after': 'receipt'}.",
    "witness": {"shows": "kr-withdrawal holds instead", "facts": {"country": "KR"}},
}
_FACTS: Final = {
    "reason": "changed_mind",
    "currency": "EUR",
    "placed_at": "2026-10-01T10:00:00Z",
    "delivered_at": "2026-10-05T12:00:00Z",
    "asked_at": "2026-11-21T09:12:44Z",
    "unit_paid_minor": 9900,
    "order_paid_minor": 9900,
    "country": "DE",
}


class PolicyState(StrEnum):
    DRAFT = "draft"
    CHECKED = "checked"
    PUBLISHED = "published"
    RETIRED = "retired"


Source = Annotated[
    str,
    StringConstraints(min_length=1, max_length=SOURCE_MAX),
    Storable,
    TextFormat("returns-policy"),
]
FactText = Annotated[str, StringConstraints(max_length=500), Storable]
Count = Annotated[int, Field(ge=0, le=10**15), NoBool]
Language = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$", max_length=35)
]
"""A language tag, such as ``de`` or ``de-AT``."""


class PolicyDraftIn(In):
    """A policy document as text."""

    model_config = example({"source": EXAMPLE})

    source: Source = Field(description="The document, in YAML or JSON.")


class PolicyRetireIn(In):
    """Why."""

    model_config = example({"note": "Replaced by version 8."})

    note: LongText | None = Field(None, description="Kept in the history.")


class BuyerFactsIn(In):
    """What a shop knows about the buyer, as of the decision."""

    orders_kept: Count = 0
    returns: Count = 0
    return_rate_ppm: Count = Field(0, description="Units returned of those kept, in millionths.")
    clawbacks: Count = 0
    chargebacks: Count = 0
    account_days: Count = 0


class FactsIn(In):
    """Everything that a rule or a law may look at. Amounts in minor units of ``currency``."""

    model_config = example(_FACTS)

    reason: FactText
    currency: Currency
    placed_at: MomentIn
    asked_at: MomentIn
    condition: Grade | None = Field(None, description="The grade that the buyer claims.")
    sku: FactText | None = None
    category: FactText | None = None
    vendor: FactText | None = None
    tags: Annotated[list[FactText], Field(max_length=250)] = Field(default_factory=list)
    unit_paid_minor: Count = Field(0, description="For one unit of the line after discounts.")
    order_paid_minor: Count = 0
    discounted: StrictBool = False
    country: FactText | None = None
    region: FactText | None = Field(None, description="`CA` of `US-CA`.")
    channel: FactText | None = None
    buyer: BuyerFactsIn | None = None
    fulfilled_at: MomentIn | None = None
    delivered_at: MomentIn | None = None
    buyer_timezone: FactText | None = None
    informed: StrictBool = Field(True, description="Whether the buyer was told of the terms.")
    rollout_ppm: Count | None = Field(None, description="The buyer's place in roll-outs.")


class ExplainIn(In):
    """A case, and the policy that is to judge it: a text, a version, or the one in force."""

    model_config = example(
        {"policy_version": example_id("pv"), "facts": _FACTS, "lang": "en"},
        anyOf=[
            {"properties": {"source": {"type": "null"}}},
            {"properties": {"policy_version": {"type": "null"}}},
        ],
    )

    source: Source | None = Field(None, description="A document that is not stored.")
    policy_version: PolicyVersionId | None = Field(
        None, description="One of yours, draft or not; with neither, the one in force."
    )
    facts: FactsIn
    lang: Language = Field("en", description="Of the sentences: en, de, fr, es, zh; else English.")


class PolicyPublishIn(In):
    """From when on, and why the warnings are right."""

    model_config = example(
        {"effective_from": "2027-01-01T00:00:00Z", "acknowledge": "Agreed with legal."}
    )

    effective_from: MomentIn | None = Field(
        None, description="Orders placed from then on; left out, from now on."
    )
    acknowledge: LongText | None = Field(
        None, description="Needed when there are warnings: why publishing is right all the same."
    )


class FindingOut(Out):
    """One thing that is wrong, or odd, in the document."""

    code: str
    severity: str
    message: str
    path: str
    line: int = Field(description="From 1; 0 is the document as a whole.")
    column: int
    suggestion: str | None
    witness: dict[str, Any] | None = Field(description="A case that shows it.")


class ReportOut(Out):
    """What the analysis says about a text. Nothing was stored."""

    model_config = example(
        {
            "name": "Field & Loom",
            "digest": _VERSION["digest"],
            "publishable": True,
            "complete": True,
            "steps": 70,
            "steps_bound": 400_000,
            "findings": [_FINDING],
        }
    )

    name: str
    digest: str
    publishable: bool = Field(description="Whether nothing forbids publishing.")
    complete: bool = Field(description="False where it was too large to be analysed.")
    steps: int
    steps_bound: int
    findings: list[FindingOut]


class FindingCountsOut(Out):
    error: int
    warning: int
    info: int


class PolicyVersionOut(Out):
    """A version without its text and findings."""

    model_config = example(_VERSION)

    id: PolicyVersionId
    number: int
    state: PolicyState
    name: str
    digest: str = Field(description="Names the document and the law it is judged under.")
    effective_from: Moment | None
    created_at: Moment
    published_at: Moment | None
    published_by: str | None = Field(description="The key that published it.")
    acknowledged: str | None
    checked_at: Moment | None
    retired_at: Moment | None = Field(description="It judges no order placed from then on.")
    in_force: bool = Field(description="Whether it judges an order placed now.")
    counts: FindingCountsOut


class PolicyVersionDetailOut(PolicyVersionOut):
    """A version with its text and findings."""

    model_config = example({**_VERSION, "findings": [_FINDING], "source": EXAMPLE})

    findings: list[FindingOut]
    source: str


class PolicyVersionsOut(Out):
    """A page of versions, newest first."""

    model_config = example({"items": [_VERSION], "next_cursor": None})

    items: list[PolicyVersionOut]
    next_cursor: str | None


class AcknowledgedOut(Out):
    """A warning that was published all the same."""

    code: str
    severity: str
    message: str
    path: str
    line: int


class PolicyStepOut(Out):
    """One step in the life of a version; never changed."""

    model_config = example(
        {
            "id": example_id("ph"),
            "policy_version": example_id("pv"),
            "number": 7,
            "action": "published",
            "at": "2026-11-21T09:20:00Z",
            "actor": "admin",
            "key": example_id("key"),
            "digest": _VERSION["digest"],
            "note": "Agreed with legal.",
            "acknowledged": [
                {n: _FINDING[n] for n in ("code", "severity", "message", "path", "line")}
            ],
            "effective_from": "2026-12-01T00:00:00Z",
        }
    )

    id: PolicyStepId
    policy_version: PolicyVersionId
    number: int
    action: str = Field(description="`drafted`, `edited`, `checked`, `published`, `retired`.")
    at: Moment
    actor: str
    key: KeyId | None
    digest: str = Field(description="Of the document as it was then.")
    note: str | None
    acknowledged: list[AcknowledgedOut]
    effective_from: Moment | None


class PolicyHistoryOut(Out):
    """A page of steps, newest first."""

    items: list[PolicyStepOut]
    next_cursor: str | None


class SentenceOut(Out):
    """A reason for the outcome."""

    code: str
    rule: str | None = Field(description="The rule or law that says so.")
    text: str


class FlipOut(Out):
    """The smallest change of the facts that turns a refusal or a fee, or that there is none."""

    target: str = Field(description="What turns: `eligible`, `return_freight` …")
    kind: str = Field(
        description="Whose doing it would be: `buyer`, `order` or `item`; `none` where no change of"
        " the facts helps, `not_found` where the search was too large."
    )
    change: dict[str, Any] = Field(description="The facts to set; empty where none helps.")
    text: str


class ExplainedOut(Out):
    """One case judged, whole."""

    model_config = example(
        {
            "policy_version": example_id("pv"),
            "language": "en",
            "eligible": False,
            "because": [
                {
                    "code": "window_over",
                    "rule": "house",
                    "text": "The time for this is over: refund was possible for 30 days, until"
                    " 2026-11-04.",
                }
            ],
            "flips_if": [
                {
                    "target": "eligible",
                    "kind": "buyer",
                    "change": {"asked_at": "2026-11-04T22:59:59Z"},
                    "text": "17 days earlier, on 2026-11-04, it could have been returned.",
                }
            ],
            "decision": {"eligible": False, "terms": []},
            "facts": _FACTS,
        }
    )

    policy_version: PolicyVersionId | None
    language: str
    eligible: bool
    because: list[SentenceOut]
    flips_if: list[FlipOut]
    decision: dict[str, Any]
    facts: dict[str, Any]


class RecomputedOut(Out):
    """A stored decision and the same made again from its facts under its version."""

    model_config = example(
        {
            "return": example_id("ret"),
            "policy_version": example_id("pv"),
            "at": "2026-11-21T09:12:44Z",
            "stored_digest": _VERSION["digest"],
            "recomputed_digest": _VERSION["digest"],
            "identical": True,
            "bytes": 4211,
            "lines": {example_id("li"): {"eligible": True, "fault": "buyer", "terms": []}},
        }
    )

    return_: ReturnId = Field(alias="return")
    policy_version: PolicyVersionId
    at: Moment
    stored_digest: str
    recomputed_digest: str = Field(
        description="SHA-256 of all lines as stored: canonical JSON, sorted keys, no blanks, UTF-8."
    )
    identical: bool = Field(description="Whether the canonical bytes are the same.")
    bytes_: int = Field(alias="bytes")
    lines: dict[str, Any] = Field(description="The decision of each line, as it comes out now.")
