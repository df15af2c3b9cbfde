"""The policy document: the closed vocabulary in which a merchant says what can come back.

A document is a header, some names (tiers, signals, goods, reasons, refusals) and a list of rules.
A rule has conditions (``when``) and terms. For each term, the first rule from the top that applies
and sets that term decides it. There is nothing else to know: no expressions, no inheritance, no
priorities.

Owns the shape. Refuses to own reading text (``loader``), meaning (``evaluate``), law (``floors``)
and judgement (``analysis``). The models are frozen; ``model_dump(mode="json")`` gives back what an
author would write.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from returns_api.domain.policy import fields as f
from returns_api.domain.policy import term_fields as tf
from returns_api.domain.reasons import Fault, ReasonCategory

FORMAT: Final = "returns-policy/v1"

MAX_RULES: Final = 2_000
MAX_TIERS: Final = 50
MAX_GROUPS: Final = 100
MAX_SIGNALS: Final = 50

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Language = Annotated[str, Field(pattern="^[a-z]{2}$")]
Titles = dict[Language, f.Text]


def _listed(raw: Any) -> Any:
    """One value where a list is due is a list of one."""
    return raw if isinstance(raw, list | tuple) or raw is None else [raw]


# One value or a list of them, also in the published schema.
_LISTED_TEXT = BeforeValidator(_listed, json_schema_input_type=f.Text | tuple[f.Text, ...])
_LISTED_PATTERN = BeforeValidator(_listed, json_schema_input_type=f.Pattern | tuple[f.Pattern, ...])
_LISTED_CURRENCY = BeforeValidator(
    _listed, json_schema_input_type=f.Currency | tuple[f.Currency, ...]
)
_LISTED_PLACE = BeforeValidator(_listed, json_schema_input_type=f.Place | tuple[f.Place, ...])
_LISTED_LANGUAGE = BeforeValidator(_listed, json_schema_input_type=Language | tuple[Language, ...])


class Part(BaseModel):
    """Base of all parts: closed and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TierRule(Part):
    """A trust tier and the history that earns it. The first tier that matches is the buyer's."""

    tier: f.Slug
    orders_kept: f.CountRange | None = None
    returns: f.CountRange | None = None
    return_rate: f.PpmRange | None = None
    clawbacks: f.CountRange | None = None
    chargebacks: f.CountRange | None = None
    account_days: f.CountRange | None = None


class SignalRule(Part):
    """A signal and the history that gives it; all that hold are a buyer's."""

    signal: f.Slug
    orders: f.CountRange | None = None
    orders_kept: f.CountRange | None = None
    returns: f.CountRange | None = None
    return_rate: f.PpmRange | None = None
    clawbacks: f.CountRange | None = None
    chargebacks: f.CountRange | None = None
    account_days: f.CountRange | None = None
    returns_1_day: f.CountRange | None = None
    returns_30_days: f.CountRange | None = None
    returned_value_30_days: f.AmountRange | None = None
    used_late: f.CountRange | None = None


class Review(Part):
    """What makes a person look at a return that would be approved by itself, and how long that may
    take: silence approves."""

    respond_within: f.Elapsed | None = None
    when: Annotated[tuple[SignalRule, ...], Field(max_length=MAX_SIGNALS)] = ()


class GoodsGroup(Part):
    """A named group of products: those with one of these tags, SKUs, categories or vendors."""

    tags: Annotated[tuple[f.Text, ...], _LISTED_TEXT] = ()
    sku: Annotated[tuple[f.Pattern, ...], _LISTED_PATTERN] = ()
    category: Annotated[tuple[f.Pattern, ...], _LISTED_PATTERN] = ()
    vendor: Annotated[tuple[f.Pattern, ...], _LISTED_PATTERN] = ()


class ReasonRule(Part):
    """A reason of the shop's own, or another fault for a standard reason."""

    fault: Literal["buyer", "merchant", "carrier"]
    category: Literal["fit", "preference", "quality", "description", "delivery", "other"] = "other"
    title: Titles = Field(default_factory=dict)

    @property
    def at_fault(self) -> Fault:
        """The fault as an enumeration."""
        return Fault(self.fault)

    @property
    def group(self) -> ReasonCategory:
        """The category as an enumeration."""
        return ReasonCategory(self.category)


class When(Part):
    """Conditions; all of them must hold. One that is left out always holds."""

    reason: f.NameChoice | None = None
    fault: f.FaultChoice | None = None
    condition: f.ConditionChoice | None = None
    goods: f.NameSet | None = None
    tags: f.TextSet | None = None
    sku: f.PatternChoice | None = None
    category: f.PatternChoice | None = None
    vendor: f.PatternChoice | None = None
    unit_price: f.AmountRange | None = None
    order_value: f.AmountRange | None = None
    place: f.PlaceChoice | None = None
    channel: f.TextChoice | None = None
    tier: f.NameChoice | None = None
    placed: f.DayRange | None = None
    discounted: StrictBool | None = None
    rollout: f.Percent | None = None


class Terms(Part):
    """What a rule can promise. A term that is left out is left to the rules below."""

    refuse: f.Slug | None = None
    resolutions: tf.ResolutionsField | None = None
    starts: tf.StartsField | None = None
    extend_to: f.Day | None = None
    return_shipping: tf.ShippingField | None = None
    original_shipping: Literal["refund", "keep"] | None = None
    restocking_fee: f.Percent | None = None
    grades: tf.GradesField | None = None
    evidence: tf.EvidenceField | None = None
    methods: tf.MethodsField | None = None
    approval: tf.ApprovalField | None = None
    ship_within: tf.DeadlineField | None = None
    inspect_within: tf.DeadlineField | None = None
    refund_at: tf.RefundAtField | None = None
    refund_within: tf.DeadlineField | None = None
    exchange_at: tf.ExchangeAtField | None = None
    freight_insurance: tf.InsuranceField | None = None
    keep_item: tf.KeepField | None = None
    send_to: f.Slug | None = None


TERM_NAMES: Final[tuple[str, ...]] = tuple(Terms.model_fields)
"""All terms, in the order in which decisions report them."""


class Rule(Terms):
    """One rule. ``note`` is for people and has no effect."""

    id: f.Slug
    note: f.Text | None = None
    when: When = Field(default_factory=When)

    def terms(self) -> dict[str, Any]:
        """The terms that this rule sets."""
        found = ((name, getattr(self, name)) for name in TERM_NAMES)
        return {name: value for name, value in found if value is not None}


class PolicyDocument(Part):
    """The whole document."""

    policy: Literal["returns-policy/v1"]
    name: f.Text
    timezone: f.Zone
    day_ends: Literal["shop", "buyer"] = "shop"
    currency: Annotated[tuple[f.Currency, ...], _LISTED_CURRENCY, Field(min_length=1)]
    markets: Annotated[tuple[f.Place, ...], _LISTED_PLACE] = ()
    languages: Annotated[tuple[Language, ...], _LISTED_LANGUAGE] = ("en",)
    weekend: Annotated[tuple[Weekday, ...], Field(max_length=6)] = ("sat", "sun")
    holidays: Annotated[tuple[f.Day, ...], Field(max_length=2_000)] = ()
    tiers: Annotated[tuple[TierRule, ...], Field(max_length=MAX_TIERS)] = ()
    review: Review | None = None
    goods: Annotated[dict[f.Slug, GoodsGroup], Field(max_length=MAX_GROUPS)] = Field(
        default_factory=dict
    )
    reasons: dict[f.Slug, ReasonRule] = Field(default_factory=dict)
    refusals: dict[f.Slug, Titles] = Field(default_factory=dict)
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=MAX_RULES)]

    @property
    def home_currency(self) -> str:
        """The currency of amounts that name none."""
        return self.currency[0]
