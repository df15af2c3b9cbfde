"""Facts that a decision is asked for, and the decision with its reasons, as the API shows them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, StrictBool, StringConstraints

from returns_api.api.schemas.base import (
    In,
    Moment,
    NoBool,
    Out,
    PolicyVersionId,
    ReturnId,
    Storable,
    example,
    example_id,
)
from returns_api.api.schemas.policies import VERSION_EXAMPLE, Language, Source
from returns_api.api.schemas.returns import SignalOut
from returns_api.api.schemas.shop import Currency
from returns_api.api.schemas.times import MomentIn
from returns_api.domain.policy.vocabulary import Grade, Listed

FactText = Annotated[str, StringConstraints(max_length=500), Storable]
Count = Annotated[int, Field(ge=0, le=10**15), NoBool]
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


class BuyerFactsIn(In):
    """What a shop knows about the buyer, as of the decision."""

    orders_kept: Count = 0
    returns: Count = 0
    return_rate_ppm: Count = Field(0, description="Units returned of those kept, in millionths.")
    clawbacks: Count = 0
    chargebacks: Count = 0
    account_days: Count = 0
    orders: Count = Field(0, description="Placed before this one.")
    returns_1_day: Count = Field(0, description="Opened in the 24 hours before the question.")
    returns_30_days: Count = Field(0, description="Opened in the 30 days before it.")
    returned_value_30_days_minor: Count = Field(0, description="What these promised.")
    used_late: Count = Field(
        0, description="From the last third of their window, and came back used."
    )
    listed: Listed | None = Field(None, description="The list of the shop that they are on.")


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
            "signals": [],
            "decision": {"eligible": False, "terms": []},
            "facts": _FACTS,
        }
    )

    policy_version: PolicyVersionId | None
    language: str
    eligible: bool
    because: list[SentenceOut]
    flips_if: list[FlipOut]
    signals: list[SignalOut] = Field(description="What would have a person look at it.")
    decision: dict[str, Any]
    facts: dict[str, Any]


class RecomputedOut(Out):
    """A stored decision and the same made again from its facts under its version."""

    model_config = example(
        {
            "return": example_id("ret"),
            "policy_version": example_id("pv"),
            "at": "2026-11-21T09:12:44Z",
            "stored_digest": VERSION_EXAMPLE["digest"],
            "recomputed_digest": VERSION_EXAMPLE["digest"],
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
