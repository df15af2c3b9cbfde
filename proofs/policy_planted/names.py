"""Planted defects of what the document calls things: names, tiers, sentences, currencies, days."""

# ruff: noqa: E501 - a table of documents, each as an author would write it

from __future__ import annotations

from proofs.policy_planted.documents import HOUSE, TIERS, Planted, doc
from proofs.policy_planted.shows import (
    late,
    message,
    named,
    no_tier,
    open_for_ever,
    refused,
    unknown,
    zone,
)

DEFECTS: tuple[Planted, ...] = (
    Planted("two ids that read alike",
            doc("  - {id: final-sale, when: {tags: a}, evidence: {photo: 1}}\n"
                "  - {id: final_sale, when: {tags: b}, evidence: {photo: 2}}\n"),
            "name.overlapping_id", "rules[1].id", named("final_sale")),
    Planted("a rule named like a law",
            doc("  - {id: eu_withdrawal, when: {tags: a}, evidence: {photo: 1}}\n"),
            "name.overlapping_id", "rules[0].id", named("eu_withdrawal")),
    Planted("a tier behind a wider one",
            doc(header=TIERS + "  - {tier: platinum, orders_kept: {min: 9}}\n"),
            "tier.unreachable", "tiers[1]", no_tier("platinum")),
    Planted("a tier that two others cover",
            doc(header="tiers:\n  - {tier: few, returns: {max: 4}}\n  - {tier: many, returns: {min: 5}}\n"
                       "  - {tier: platinum, clawbacks: {max: 0}}\n"),
            "tier.unreachable", "tiers[2]", no_tier("platinum")),
    Planted("a tier that asks for the impossible",
            doc(header="tiers:\n  - {tier: platinum, returns: {min: 5, max: 3}}\n"),
            "tier.unreachable", "tiers[0]", no_tier("platinum")),
    Planted("a reason that is not in the catalogue",
            doc("  - {id: r, when: {reason: [changed_minds, expired]}, evidence: {photo: 1}}\n"),
            "name.unknown_reason", "rules[0].when.reason", unknown, ("rule.dead_choice",)),
    Planted("a tier that is not declared",
            doc("  - {id: r, when: {tier: [platinum, gold]}, evidence: {photo: 1}}\n", header=TIERS),
            "name.unknown_tier", "rules[0].when.tier", unknown, ("rule.dead_choice",)),
    Planted("a goods group that is not declared",
            doc("  - {id: r, when: {goods: {none: [cards]}, discounted: true}, evidence: {photo: 1}}\n"),
            "name.unknown_goods", "rules[0].when.goods", unknown),
    Planted("a country that does not exist",
            doc("  - {id: r, when: {place: [UK, CH]}, evidence: {photo: 1}}\n", market="CH, LI"),
            "name.unknown_place", "rules[0].when.place", unknown, ("rule.dead_choice",)),
    Planted("a refusal without a sentence",
            doc("  - {id: r, when: {tags: sale}, refuse: house_rule}\n"),
            "name.unknown_refusal", "rules[0].refuse", refused),
    Planted("a group that is almost a legal one",
            doc("  - {id: r, when: {goods: custom-made}, evidence: {photo: 1}}\n",
                header="goods: {custom-made: {tags: x}}\n"),
            "name.almost_legal", "goods.custom-made", message("custom_made")),
    Planted("a group that no rule uses", doc(header="goods: {shoes: {tags: x}}\n"),
            "name.unused_goods", "goods.shoes", message("shoes")),
    Planted("a language without sentences", doc(header="languages: [en, pt]\n"),
            "text.no_language", "languages", message("pt")),
    Planted("a refusal without a translation",
            doc("  - {id: r, when: {tags: sale}, refuse: ours}\n",
                header='languages: [en, de]\nrefusals: {ours: {en: "No."}}\n'),
            "text.missing", "refusals.ours", message("ours", "de")),
    Planted("a fee in one of two currencies",
            doc("  - {id: f, when: {unit_price: {min: {EUR: 20, CHF: 20}}}, return_shipping: 4.90}\n"
                ).replace("currency: EUR", "currency: [EUR, CHF]"),
            "amount.missing", "rules[0].return_shipping",
            lambda _p, _f, c, d: c.currency == "CHF" and d.freight.fee_minor == 0),
    Planted("a fee in a currency that is not the policy's",
            doc("  - {id: f, when: {unit_price: {min: 20}}, return_shipping: {EUR: 4.90, USD: 5}}\n"),
            "amount.other_currency", "rules[0].return_shipping", message("USD")),
    Planted("a zone without summer time", doc().replace("Europe/Berlin", "Etc/GMT-1"),
            "zone.fixed", "timezone", zone("Etc/GMT-1")),
    Planted("a window that never begins", doc(house=HOUSE.replace(
                "starts: [delivered, fulfilled + 7 days]", "starts: delivered")),
            "window.never_begins", "rules[0].starts", open_for_ever),
    Planted("a window that ends before later orders",
            doc(house=HOUSE.replace("{refund: 30 days, exchange: 60 days}", "{refund: until 2026-01-31}")),
            "window.over_before_order", "rules[0].resolutions", late),
    Planted("an extension before the orders it is for",
            doc("  - {id: x, when: {placed: {from: 2026-11-01}}, extend_to: 2026-01-31}\n"),
            "window.extension_over", "rules[0].extend_to",
            lambda _p, _f, c, d: d.resolutions[0].until_local > "2026-02"
            and c.placed_at.year >= 2026),
)  # fmt: skip
