"""Planted defects that stand below what a law grants."""

from __future__ import annotations

from proofs.policy_planted.documents import Planted, doc
from proofs.policy_planted.shows import law

DEFECTS: tuple[Planted, ...] = (
    Planted("a refusal that the law overrides",
            doc("  - {id: r, when: {tags: sale, fault: buyer}, refuse: final_sale}\n", market="DE"),
            "law.below_floor", "rules[0].refuse", law("refuse", "eu-withdrawal"),
            ("law.below_floor",)),
    Planted("a window below the law's",
            doc("  - {id: w, when: {fault: buyer}, resolutions: {refund: 7 days}}\n", market="FR"),
            "law.below_floor", "rules[0].resolutions", law("window", "eu-withdrawal"),
            ("law.below_floor",)),
    Planted("return freight where the law says free",
            doc("  - {id: f, when: {unit_price: {min: 50}}, return_shipping: 9.90}\n", market="BR"),
            "law.below_floor", "rules[0].return_shipping", law("return_shipping", "br-regret")),
    Planted("a restocking fee where the law forbids it",
            doc("  - {id: f, when: {discounted: true}, restocking_fee: 10%}\n", market="TW"),
            "law.below_floor", "rules[0].restocking_fee", law("restocking_fee", "tw-seven-day")),
    Planted("a refund later than the law's",
            doc("  - {id: f, when: {discounted: true}, refund_within: 9 days}\n", market="CN"),
            "law.below_floor", "rules[0].refund_within", law("refund_within", "cn-seven-day")),
    Planted("a deduction for trying on",
            doc("  - {id: g, when: {fault: buyer}, grades: {used_like_new: 10%}}\n", market="DE"),
            "law.below_floor", "rules[0].grades", law("grades", "eu-withdrawal"),
            ("law.below_floor",)),
    Planted("less time to send than the law's",
            doc("  - {id: s, when: {fault: buyer}, ship_within: 7 days}\n", market="GB"),
            "law.below_floor", "rules[0].ship_within", law("ship_within", "uk-cancel"),
            ("law.below_floor",)),
    Planted("proofs for a plain withdrawal",
            doc("  - {id: e, when: {reason: size_too_small}, evidence: {photo: 2}}\n", market="DE"),
            "law.below_floor", "rules[0].evidence", law("evidence", "eu-withdrawal-statement"),
            ("law.below_floor",)),
)  # fmt: skip
