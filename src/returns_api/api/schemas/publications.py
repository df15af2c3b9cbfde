"""Shapes of the policy that a storefront shows."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from returns_api.api.schemas.base import Moment, Out, PolicyVersionId, example, example_id

_DIGEST: Final = "sha256:178ad2d21d95334e60663505866b1973268bc6a027c4b9284709cc6e751670e6"
POLICY: Final[dict[str, Any]] = {
    "policy_version": example_id("pv"),
    "number": 7,
    "name": "Field & Loom",
    "digest": _DIGEST,
    "effective_from": "2026-12-01T00:00:00Z",
    "language": "en",
    "currency": "EUR",
    "asked": {"country": "DE"},
    "markets": [
        {
            "places": ["DE"],
            "groups": [
                {
                    "reasons": [{"code": "changed_mind", "title": "Changed my mind"}],
                    "eligible": True,
                    "because": [],
                    "resolutions": [
                        {
                            "kind": "refund",
                            "within": "30 days",
                            "from": "delivered",
                            "days": 30,
                            "extended_until": None,
                            "bonus_ppm": 0,
                            "cost": "free",
                        }
                    ],
                    "methods": [{"kind": "post", "fee_minor": 490}],
                    "freight": {"payer": "buyer", "fee_minor": 490, "own_label": False},
                    "restocking_ppm": 0,
                    "refund_original_shipping": True,
                    "grades": {"used_worn": 300000, "empty_box": None},
                    "evidence": [],
                    "approval": {
                        "auto": True,
                        "respond_within_seconds": None,
                        "on_silence": None,
                    },
                    "ship_within_seconds": 1209600,
                    "refund_due": [
                        {"within_seconds": 432000, "after": "inspection", "not_before": None}
                    ],
                    "law": ["eu-withdrawal"],
                    "law_data": "known",
                }
            ],
        }
    ],
    "special_rules": [
        {
            "rule": "final-sale",
            "text": "If it is tagged final-sale: This item was sold as final sale.",
        }
    ],
}
TEXT: Final = """\
Return policy of Field & Loom
Version pv_01j7qc2b9fe95rs8qd00000001

For buyers in DE

If the reason is: Changed my mind
- Refund: within 30 days of delivery
- Sending it back costs you: by post (4.90 EUR).
"""
JSONLD: Final[dict[str, Any]] = {
    "@context": "https://schema.org",
    "@graph": [
        {
            "@type": "MerchantReturnPolicy",
            "@id": "#pv_01j7qc2b9fe95rs8qd00000001-1",
            "identifier": "pv_01j7qc2b9fe95rs8qd00000001",
            "name": "Field & Loom",
            "applicableCountry": ["DE"],
            "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
            "merchantReturnDays": 30,
            "returnFees": "https://schema.org/ReturnShippingFees",
            "returnShippingFeesAmount": {
                "@type": "MonetaryAmount",
                "value": "4.90",
                "currency": "EUR",
            },
            "returnMethod": ["https://schema.org/ReturnByMail"],
            "refundType": ["https://schema.org/FullRefund"],
        }
    ],
}


class MarketOut(Out):
    """Places where the same is promised."""

    places: list[str] = Field(
        description="Countries, regions (`US-CA`) and groups (`EU`); empty for everywhere else."
    )
    groups: list[dict[str, Any]] = Field(
        description="Reasons with the same terms; shares in parts per million, amounts in minor"
        " units, the law of the place included."
    )


class SpecialRuleOut(Out):
    """A rule of the policy in words."""

    rule: str = Field(description="Its id, as decisions name it.")
    text: str = Field(description="In the language of the answer.")


class PolicyOut(Out):
    """What the policy in force promises for an item that is delivered now."""

    model_config = example(POLICY)

    policy_version: PolicyVersionId
    number: int
    name: str
    digest: str
    effective_from: Moment
    language: str
    currency: str
    asked: dict[str, Any] = Field(description="The market and product that it is about.")
    markets: list[MarketOut]
    special_rules: list[SpecialRuleOut] = Field(
        description="What depends on more than reason and place (the product, the price, the"
        " tier …), in the order in which it decides; what the law gives stays as it is."
    )
