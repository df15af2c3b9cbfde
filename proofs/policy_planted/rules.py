"""Planted defects of rules: what nothing reaches, what contradicts, terms that nobody sets."""

# ruff: noqa: E501 - a table of documents, each as an author would write it

from __future__ import annotations

from proofs.policy_planted.documents import HOUSE, Planted, doc
from proofs.policy_planted.shows import gap, message, not_set_by, refused

DEFECTS: tuple[Planted, ...] = (
    Planted("a rule below one that takes everything", doc(house=HOUSE) + "  - {id: late, approval: auto}\n",
            "rule.dead", "rules[1]", not_set_by("late", "approval")),
    Planted("a rule that two rules above cover together",
            doc("  - {id: b, when: {fault: buyer}, evidence: {photo: 1}}\n"
                "  - {id: o, when: {fault: [merchant, carrier]}, evidence: {photo: 1}}\n"
                "  - {id: dead, when: {discounted: true}, evidence: {photo: 2}}\n",
                house=HOUSE.replace("    evidence: none\n", "")),
            "rule.dead", "rules[2]", not_set_by("dead", "evidence")),
    Planted("one term of a rule that is decided above",
            doc("  - {id: all, original_shipping: keep}\n"),
            "rule.dead_term", "rules[1].original_shipping", not_set_by("house", "original_shipping")),
    Planted("a reason in a list that is decided above",
            doc("  - {id: a, when: {reason: defective}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {reason: [defective, expired]}, evidence: {photo: 2}}\n"),
            "rule.dead_choice", "rules[1].when.reason", not_set_by("b", "evidence")),
    Planted("a tag in a list that is decided above",
            doc("  - {id: a, when: {tags: sale}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {tags: [sale, outlet]}, evidence: {photo: 2}}\n"),
            "rule.dead_choice", "rules[1].when.tags", not_set_by("b", "evidence")),
    Planted("a range inside a range above",
            doc("  - {id: a, when: {unit_price: {min: 50}}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {unit_price: {min: 80}}, evidence: {photo: 2}}\n"),
            "rule.dead", "rules[1]", not_set_by("b", "evidence")),
    Planted("a beginning of SKUs inside a shorter one above",
            doc("  - {id: a, when: {sku: JKT*}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {sku: JKT-M*}, evidence: {photo: 2}}\n"),
            "rule.dead", "rules[1]", not_set_by("b", "evidence")),
    Planted("a country inside a group above",
            doc("  - {id: a, when: {place: EU}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {place: LT}, evidence: {photo: 2}}\n", market="LT, CH"),
            "rule.dead", "rules[1]", not_set_by("b", "evidence"), ("law.below_floor",)),
    Planted("a reason whose fault excludes it",
            doc("  - {id: never, when: {fault: buyer, reason: defective}, evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.reason", not_set_by("never", "evidence")),
    Planted("a tag that is demanded and forbidden",
            doc("  - {id: never, when: {tags: {all: [a], none: [a]}}, evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.tags", not_set_by("never", "evidence")),
    Planted("a price that lies in no range",
            doc("  - {id: never, when: {unit_price: {min: 50, below: 20}}, evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.unit_price", not_set_by("never", "evidence")),
    Planted("an item dearer than its order",
            doc("  - {id: never, when: {unit_price: {min: 50}, order_value: {below: 20}}, "
                "evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.unit_price", not_set_by("never", "evidence")),
    Planted("a place that is no market",
            doc("  - {id: never, when: {place: US}, evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.place", not_set_by("never", "evidence")),
    Planted("a rule without terms", doc("  - {id: idle, when: {fault: buyer}}\n"),
            "rule.empty", "rules[0]", message("idle", "nothing")),
    *(
        Planted(f"nobody sets {term}", doc(house="".join(
                    line for line in HOUSE.splitlines(keepends=True) if f" {term}:" not in line)),
                "term.gap", "rules", gap(term))
        for term in ("resolutions", "return_shipping", "original_shipping", "methods", "approval",
                     "ship_within", "inspect_within", "refund_within")
    ),
    Planted("a gap for one fault",
            doc("  - {id: b, when: {fault: buyer}, approval: auto}\n"
                "  - {id: m, when: {fault: merchant}, approval: auto}\n",
                house=HOUSE.replace("    approval: auto\n", "")),
            "term.gap", "rules", gap("approval")),
    Planted("a gap behind a refusal that does not take all",
            doc("  - {id: r, when: {tags: sale}, refuse: final_sale}\n"
                "  - {id: w, when: {tags: {none: [sale, outlet]}}, methods: [post]}\n",
                house=HOUSE.replace("    methods: [post, dropoff]\n", "")),
            "term.gap", "rules", gap("methods")),
    Planted("a refusal that also offers",
            doc("  - {id: r, when: {tags: sale}, refuse: final_sale, resolutions: {exchange: 9 days}}\n"),
            "rule.contradiction", "rules[0].resolutions", refused),
)  # fmt: skip
