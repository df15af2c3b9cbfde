"""Sound documents, each with something that comes close to a defect."""

# ruff: noqa: E501 - a table of documents, each as an author would write it

from __future__ import annotations

from proofs.policy_planted.documents import HOUSE, TIERS, doc


def _clean(rules: str, header: str = "", market: str = "CH", house: str = HOUSE) -> str:
    return doc(rules, header=header, market=market, house=house)


_EU_HOUSE = HOUSE.replace("{refund: 30 days, exchange: 60 days}",
                          "{refund: 2 years, replacement: 2 years, repair: 2 years}")  # fmt: skip
_FREE_BELOW = "  - {id: small, when: {unit_price: {below: 10}}, return_shipping: free}\n"
_FEE = "  - {id: fee, when: {unit_price: {min: 10}}, return_shipping: 4.90}\n"

CLEAN: tuple[str, ...] = (
    doc(),
    _clean("", market="US"),
    _clean("", market="DE", house=_EU_HOUSE),
    _clean("", market="EU, GB", house=_EU_HOUSE),
    _clean("  - {id: sale, when: {tags: sale, fault: buyer}, refuse: final_sale}\n"),
    _clean("  - {id: gold, when: {tier: gold}, refuse: never}\n"
           "  - {id: sale, when: {tags: sale}, refuse: final_sale}\n", TIERS),
    _clean(_FREE_BELOW + _FEE, house=HOUSE.replace("    return_shipping: free\n", "")),
    _clean(_FEE, house=HOUSE),
    _clean("  - {id: faulty, when: {fault: [merchant, carrier]}, resolutions: {refund: 2 years}, "
           "evidence: {photo: 1}}\n"),
    _clean("  - {id: dear, when: {order_value: {min: 500}}, approval: {respond_within: 48 hours, "
           "on_silence: approve}}\n"),
    _clean("  - {id: fast, when: {tier: gold, rollout: 25%}, refund_at: {at: first_scan, "
           "per_buyer: 300, per_day: 5000, recover_within: 21 days}}\n", TIERS),
    _clean("  - {id: xmas, when: {placed: {from: 2026-11-01, until: 2026-12-25}}, "
           "extend_to: 2027-01-31}\n"),
    _clean("  - {id: cards, when: {goods: cards}, refuse: gift_card}\n",
           "goods: {cards: {category: Gift*}}\n"),
    _clean("  - {id: ours, when: {goods: custom_made, fault: buyer}, refuse: custom_made}\n",
           "goods: {custom_made: {tags: engraved}}\n", "DE", _EU_HOUSE),
    _clean("  - {id: warm, when: {reason: too_warm}, evidence: {description: 1}}\n",
           "languages: [en, de]\nreasons: {too_warm: {fault: buyer, title: {en: Warm, de: Warm}}}\n"),
    _clean("  - {id: shoes, when: {category: Shoes*}, inspect_within: 5 days}\n"
           "  - {id: boots, when: {sku: BT-*}, inspect_within: 7 days}\n"),
    _clean("  - {id: keep, when: {unit_price: {below: 5}}, methods: [keep], refund_at: {at: request, "
           "per_buyer: 20, per_day: 500, recover_within: 1 days}}\n"),
    _clean("  - {id: app, when: {channel: app, discounted: false}, methods: [post, pickup]}\n"),
    _clean("  - {id: fee, when: {unit_price: {min: {EUR: 10, CHF: 10}}}, "
           "return_shipping: {EUR: 4.90, CHF: 5.00}}\n").replace(
        "currency: EUR", "currency: [EUR, CHF]"),
    _clean("  - {id: worn, when: {condition: [used_worn, damaged_buyer]}, "
           "restocking_fee: 10%}\n"),
    _clean("  - {id: ca, when: {place: US-CA}, ship_within: 21 days}\n", market="US"),
    _clean("  - {id: cheap, when: {vendor: {not: [Acme]}, tags: {none: [outlet]}}, "
           "send_to: supplier, keep_item: {label_over: 60%}}\n"),
)  # fmt: skip
