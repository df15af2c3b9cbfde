"""Planted defects of what a return costs and of how long it takes: waits, advances, fees."""

# ruff: noqa: E501 - a table of documents, each as an author would write it

from __future__ import annotations

from proofs.policy_planted.documents import HOUSE, Planted, doc
from proofs.policy_planted.shows import (
    above_price,
    deadline,
    eaten,
    free_method,
    insured,
    keeps,
    no_advance,
    otherwise,
    silence,
    too_early,
    unbounded,
    unbounded_goods,
)

DEFECTS: tuple[Planted, ...] = (
    Planted("a review without an end", doc(house=HOUSE.replace("approval: auto", "approval: review")),
            "approval.silence", "rules[0].approval", silence),
    Planted("a review whose silence means nothing",
            doc("  - {id: dear, when: {unit_price: {min: 500}}, approval: {respond_within: 48 hours}}\n"),
            "approval.silence", "rules[0].approval", silence),
    Planted("silence that never comes",
            doc("  - {id: dear, when: {unit_price: {min: 500}}, approval: {on_silence: reject}}\n"),
            "approval.silence", "rules[0].approval", silence),
    Planted("an endless inspection",
            doc(house=HOUSE.replace("inspect_within: 2 days", "inspect_within: unlimited")),
            "deadline.endless", "rules[0].inspect_within", deadline("inspect_within", None)),
    Planted("an endless refund",
            doc(house=HOUSE.replace("refund_within: 5 days", "refund_within: unlimited")),
            "deadline.endless", "rules[0].refund_within", deadline("refund_within", None)),
    Planted("no time to send", doc(house=HOUSE.replace("ship_within: 14 days", "ship_within: 0 days")),
            "deadline.over", "rules[0].ship_within", deadline("ship_within", 0)),
    Planted("a refund that waits for goods that stay",
            doc("  - {id: k, when: {unit_price: {below: 5}}, methods: [keep]}\n"),
            "refund.never_due", "rules[1].refund_at", keeps),
    Planted("money before goods without a limit",
            doc("  - {id: f, when: {discounted: false}, refund_at: first_scan}\n"),
            "advance.unbounded", "rules[0].refund_at", unbounded),
    Planted("goods before goods without a limit",
            doc("  - {id: f, when: {discounted: false}, exchange_at: request}\n"),
            "advance.unbounded", "rules[0].exchange_at", unbounded_goods),
    Planted("a limit that is no limit",
            doc("  - {id: f, when: {discounted: false}, refund_at: {at: first_scan, per_buyer: 9, "
                "per_day: 9, recover_within: 9 days, otherwise: request}}\n"),
            "advance.otherwise", "rules[0].refund_at", otherwise),
    Planted("limits without an advance",
            doc("  - {id: f, when: {discounted: false}, refund_at: {at: inspection, per_buyer: 9}}\n"),
            "advance.needless", "rules[0].refund_at", no_advance),
    Planted("deductions after the refund",
            doc("  - {id: f, when: {discounted: false}, refund_at: receipt}\n"),
            "refund.before_inspection", "rules[1].grades", too_early),
    Planted("a fee on cheap goods", doc("  - {id: fee, return_shipping: 4.90}\n",
                                        house=HOUSE.replace("    return_shipping: free\n", "")),
            "fee.above_refund", "rules[0].return_shipping", eaten),
    Planted("a fee and restocking on goods that are not that cheap",
            doc("  - {id: cheap, when: {unit_price: {below: 6}}, return_shipping: free}\n"
                "  - {id: fee, return_shipping: 4.90}\n  - {id: stock, restocking_fee: 50%}\n",
                house=HOUSE.replace("    return_shipping: free\n", "").replace(
                    "    restocking_fee: 0%\n", "")),
            "fee.above_refund", "rules[1].return_shipping", eaten),
    Planted("deduction and restocking above the price",
            doc("  - {id: r, when: {discounted: true}, restocking_fee: 80%}\n"),
            "fee.above_price", "rules[1].grades", above_price),
    Planted("a method without a fee",
            doc("  - {id: f, when: {unit_price: {min: 20}}, return_shipping: {post: 4.90}}\n"),
            "shipping.method_without_fee", "rules[1].methods", free_method("dropoff")),
    Planted("insurance of freight that is free",
            doc("  - {id: i, when: {discounted: true}, freight_insurance: {cover: 12}}\n"),
            "insurance.needless", "rules[0].freight_insurance", insured),
)  # fmt: skip
