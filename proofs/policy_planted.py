"""Documents with one planted defect each, and clean ones.

``PLANTED`` says for each defect which finding must name it and how its witness shows it: a
predicate over the finding, the witness facts and the decision that the policy makes of them.
``CLEAN`` are documents without any defect. All are built from one sound document by small edits, so
that exactly one thing is wrong.
"""

# ruff: noqa: E501 - a table of documents, each as an author would write it

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from returns_api.domain.policy import Decision, Facts, Policy
from returns_api.domain.policy.findings import Finding
from returns_api.domain.policy.vocabulary import Grade, RefundAt

HEADER = """\
policy: returns-policy/v1
name: Planted
timezone: Europe/Berlin
currency: EUR
markets: [CH]
"""

HOUSE = """\
  - id: house
    resolutions: {refund: 30 days, exchange: 60 days}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: free
    original_shipping: refund
    restocking_fee: 0%
    grades: {used_worn: 30%}
    evidence: none
    methods: [post, dropoff]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""

Shows = Callable[[Policy, Finding, Facts, Decision], bool]


@dataclass(frozen=True, slots=True)
class Planted:
    """A document, the code of the finding it must give, its place, and what its witness shows."""

    name: str
    text: str
    code: str
    path: str
    shows: Shows
    also: tuple[str, ...] = ()
    """Other findings that cannot be avoided beside the planted one."""


def doc(rules: str = "", *, header: str = "", house: str = HOUSE, market: str = "CH") -> str:
    """A document: ``rules`` stand above the house rule."""
    return f"{HEADER.replace('[CH]', f'[{market}]')}{header}rules:\n{rules}{house}"


def set_by(decision: Decision, term: str) -> str | None:
    """The id of the rule or law that set ``term``."""
    found = next(t for t in decision.terms if t.term == term)
    return found.set_by.law or found.set_by.rule


def _not_set_by(rule: str, *terms: str) -> Shows:
    """No term of ``terms`` is decided by ``rule`` although it applies."""
    return lambda _p, _f, _c, d: all(
        set_by(d, term) != rule for term in terms if any(t.term == term for t in d.terms)
    )


def _silence(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    a = d.approval
    return not a.auto and (a.respond_within_seconds is None or a.on_silence is None)


def _gap(term: str) -> Shows:
    if term == "resolutions":
        return lambda _p, _f, _c, d: [b.code for b in d.because] == ["no_rule"]
    return lambda _p, _f, _c, d: d.eligible and set_by(d, term) is None


def _unknown(_p: Policy, finding: Finding, case: Facts, d: Decision) -> bool:
    """The name reaches nothing: no such reason is accepted, nobody has the tier."""
    if finding.code == "name.unknown_reason":
        return case.reason == "changed_minds" and not d.eligible
    return d.tier != "platinum" and "“" in finding.message


def _late(_p: Policy, _f: Finding, case: Facts, d: Decision) -> bool:
    return case.asked_at - case.placed_at < timedelta(days=30) and not d.eligible


def _open_for_ever(_p: Policy, _f: Finding, case: Facts, d: Decision) -> bool:
    waited = case.asked_at - case.placed_at > timedelta(days=3_000)
    return waited and case.delivered_at is None and d.eligible


def _eaten(_p: Policy, _f: Finding, case: Facts, d: Decision) -> bool:
    price = case.unit_paid_minor
    fee = max(method.fee_minor for method in d.methods)
    return fee * 1_000_000 + price * d.restocking_ppm > price * 1_000_000 and price > 0


def _above_price(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return d.restocking_ppm + max(share or 0 for share in d.grades.values()) > 1_000_000


def _no_tier(tier: str) -> Shows:
    def shows(policy: Policy, finding: Finding, case: Facts, d: Decision) -> bool:
        return d.tier != tier and tier in finding.message

    return shows


def _law(term: str, law: str) -> Shows:
    def shows(_p: Policy, finding: Finding, _c: Facts, d: Decision) -> bool:
        if term.startswith("refuse"):
            return law in d.law and d.eligible and law in finding.message
        if term == "window":
            return set_by(d, "window.refund") == law
        if term == "refund_within":
            return len(d.refund_due) > 1 and law in d.law
        return set_by(d, term) == law

    return shows


def _fee_is(minor: int) -> Shows:
    return lambda _p, _f, _c, d: d.freight.fee_minor == minor


def _deadline(name: str, seconds: int | None) -> Shows:
    return lambda _p, _f, _c, d: getattr(d.deadlines, f"{name}_seconds") == seconds


def _unbounded(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    a = d.advance
    return a is not None and None in (a.per_buyer_minor, a.per_day_minor, a.recover_within_seconds)


def _unbounded_goods(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    f = d.exchange_first
    return f is not None and None in (f.per_buyer_minor, f.per_day_minor, f.recover_within_seconds)


def _otherwise(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    early = {RefundAt.REQUEST, RefundAt.FIRST_SCAN}
    return d.advance is not None and d.advance.otherwise in early


def _no_advance(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return d.advance is None


def _keeps(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return [m.kind.value for m in d.methods] == ["keep"] and d.refund_at is not RefundAt.REQUEST


def _too_early(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return d.refund_at is RefundAt.RECEIPT and any(
        share != 0 for grade, share in d.grades.items() if grade is Grade.USED_WORN
    )


def _refused(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return not d.eligible


def _free_method(name: str) -> Shows:
    return lambda _p, _f, _c, d: any(m.kind.value == name and m.fee_minor == 0 for m in d.methods)


def _insured(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return d.insurance is not None and all(method.fee_minor == 0 for method in d.methods)


def _zone(name: str) -> Shows:
    return lambda _p, _f, _c, d: d.resolutions[0].until_local.endswith(name)


def _message(*words: str) -> Shows:
    """For defects of wording, which no case can show: the message names them."""
    return lambda _p, finding, _c, _d: all(word in finding.message for word in words)


def _named(rule: str) -> Shows:
    return lambda _p, _f, _c, d: any(term.set_by.rule == rule for term in d.terms)


_TIERS = "tiers:\n  - {tier: gold, orders_kept: {min: 5}}\n"

PLANTED: tuple[Planted, ...] = (
    Planted("a rule below one that takes everything", doc(house=HOUSE) + "  - {id: late, approval: auto}\n",
            "rule.dead", "rules[1]", _not_set_by("late", "approval")),
    Planted("a rule that two rules above cover together",
            doc("  - {id: b, when: {fault: buyer}, evidence: {photo: 1}}\n"
                "  - {id: o, when: {fault: [merchant, carrier]}, evidence: {photo: 1}}\n"
                "  - {id: dead, when: {discounted: true}, evidence: {photo: 2}}\n",
                house=HOUSE.replace("    evidence: none\n", "")),
            "rule.dead", "rules[2]", _not_set_by("dead", "evidence")),
    Planted("one term of a rule that is decided above",
            doc("  - {id: all, original_shipping: keep}\n"),
            "rule.dead_term", "rules[1].original_shipping", _not_set_by("house", "original_shipping")),
    Planted("a reason in a list that is decided above",
            doc("  - {id: a, when: {reason: defective}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {reason: [defective, expired]}, evidence: {photo: 2}}\n"),
            "rule.dead_choice", "rules[1].when.reason", _not_set_by("b", "evidence")),
    Planted("a tag in a list that is decided above",
            doc("  - {id: a, when: {tags: sale}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {tags: [sale, outlet]}, evidence: {photo: 2}}\n"),
            "rule.dead_choice", "rules[1].when.tags", _not_set_by("b", "evidence")),
    Planted("a range inside a range above",
            doc("  - {id: a, when: {unit_price: {min: 50}}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {unit_price: {min: 80}}, evidence: {photo: 2}}\n"),
            "rule.dead", "rules[1]", _not_set_by("b", "evidence")),
    Planted("a beginning of SKUs inside a shorter one above",
            doc("  - {id: a, when: {sku: JKT*}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {sku: JKT-M*}, evidence: {photo: 2}}\n"),
            "rule.dead", "rules[1]", _not_set_by("b", "evidence")),
    Planted("a country inside a group above",
            doc("  - {id: a, when: {place: EU}, evidence: {photo: 1}}\n"
                "  - {id: b, when: {place: LT}, evidence: {photo: 2}}\n", market="LT, CH"),
            "rule.dead", "rules[1]", _not_set_by("b", "evidence"), ("law.below_floor",)),
    Planted("a reason whose fault excludes it",
            doc("  - {id: never, when: {fault: buyer, reason: defective}, evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.reason", _not_set_by("never", "evidence")),
    Planted("a tag that is demanded and forbidden",
            doc("  - {id: never, when: {tags: {all: [a], none: [a]}}, evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.tags", _not_set_by("never", "evidence")),
    Planted("a price that lies in no range",
            doc("  - {id: never, when: {unit_price: {min: 50, below: 20}}, evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.unit_price", _not_set_by("never", "evidence")),
    Planted("an item dearer than its order",
            doc("  - {id: never, when: {unit_price: {min: 50}, order_value: {below: 20}}, "
                "evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.unit_price", _not_set_by("never", "evidence")),
    Planted("a place that is no market",
            doc("  - {id: never, when: {place: US}, evidence: {photo: 1}}\n"),
            "rule.impossible", "rules[0].when.place", _not_set_by("never", "evidence")),
    Planted("a rule without terms", doc("  - {id: idle, when: {fault: buyer}}\n"),
            "rule.empty", "rules[0]", _message("idle", "nothing")),
    *(
        Planted(f"nobody sets {term}", doc(house="".join(
                    line for line in HOUSE.splitlines(keepends=True) if f" {term}:" not in line)),
                "term.gap", "rules", _gap(term))
        for term in ("resolutions", "return_shipping", "original_shipping", "methods", "approval",
                     "ship_within", "inspect_within", "refund_within")
    ),
    Planted("a gap for one fault",
            doc("  - {id: b, when: {fault: buyer}, approval: auto}\n"
                "  - {id: m, when: {fault: merchant}, approval: auto}\n",
                house=HOUSE.replace("    approval: auto\n", "")),
            "term.gap", "rules", _gap("approval")),
    Planted("a gap behind a refusal that does not take all",
            doc("  - {id: r, when: {tags: sale}, refuse: final_sale}\n"
                "  - {id: w, when: {tags: {none: [sale, outlet]}}, methods: [post]}\n",
                house=HOUSE.replace("    methods: [post, dropoff]\n", "")),
            "term.gap", "rules", _gap("methods")),
    Planted("a refusal that also offers",
            doc("  - {id: r, when: {tags: sale}, refuse: final_sale, resolutions: {exchange: 9 days}}\n"),
            "rule.contradiction", "rules[0].resolutions", _refused),
    Planted("a review without an end", doc(house=HOUSE.replace("approval: auto", "approval: review")),
            "approval.silence", "rules[0].approval", _silence),
    Planted("a review whose silence means nothing",
            doc("  - {id: dear, when: {unit_price: {min: 500}}, approval: {respond_within: 48 hours}}\n"),
            "approval.silence", "rules[0].approval", _silence),
    Planted("silence that never comes",
            doc("  - {id: dear, when: {unit_price: {min: 500}}, approval: {on_silence: reject}}\n"),
            "approval.silence", "rules[0].approval", _silence),
    Planted("an endless inspection",
            doc(house=HOUSE.replace("inspect_within: 2 days", "inspect_within: unlimited")),
            "deadline.endless", "rules[0].inspect_within", _deadline("inspect_within", None)),
    Planted("an endless refund",
            doc(house=HOUSE.replace("refund_within: 5 days", "refund_within: unlimited")),
            "deadline.endless", "rules[0].refund_within", _deadline("refund_within", None)),
    Planted("no time to send", doc(house=HOUSE.replace("ship_within: 14 days", "ship_within: 0 days")),
            "deadline.over", "rules[0].ship_within", _deadline("ship_within", 0)),
    Planted("a refund that waits for goods that stay",
            doc("  - {id: k, when: {unit_price: {below: 5}}, methods: [keep]}\n"),
            "refund.never_due", "rules[1].refund_at", _keeps),
    Planted("money before goods without a limit",
            doc("  - {id: f, when: {discounted: false}, refund_at: first_scan}\n"),
            "advance.unbounded", "rules[0].refund_at", _unbounded),
    Planted("goods before goods without a limit",
            doc("  - {id: f, when: {discounted: false}, exchange_at: request}\n"),
            "advance.unbounded", "rules[0].exchange_at", _unbounded_goods),
    Planted("a limit that is no limit",
            doc("  - {id: f, when: {discounted: false}, refund_at: {at: first_scan, per_buyer: 9, "
                "per_day: 9, recover_within: 9 days, otherwise: request}}\n"),
            "advance.otherwise", "rules[0].refund_at", _otherwise),
    Planted("limits without an advance",
            doc("  - {id: f, when: {discounted: false}, refund_at: {at: inspection, per_buyer: 9}}\n"),
            "advance.needless", "rules[0].refund_at", _no_advance),
    Planted("deductions after the refund",
            doc("  - {id: f, when: {discounted: false}, refund_at: receipt}\n"),
            "refund.before_inspection", "rules[1].grades", _too_early),
    Planted("a fee on cheap goods", doc("  - {id: fee, return_shipping: 4.90}\n",
                                        house=HOUSE.replace("    return_shipping: free\n", "")),
            "fee.above_refund", "rules[0].return_shipping", _eaten),
    Planted("a fee and restocking on goods that are not that cheap",
            doc("  - {id: cheap, when: {unit_price: {below: 6}}, return_shipping: free}\n"
                "  - {id: fee, return_shipping: 4.90}\n  - {id: stock, restocking_fee: 50%}\n",
                house=HOUSE.replace("    return_shipping: free\n", "").replace(
                    "    restocking_fee: 0%\n", "")),
            "fee.above_refund", "rules[1].return_shipping", _eaten),
    Planted("deduction and restocking above the price",
            doc("  - {id: r, when: {discounted: true}, restocking_fee: 80%}\n"),
            "fee.above_price", "rules[1].grades", _above_price),
    Planted("a method without a fee",
            doc("  - {id: f, when: {unit_price: {min: 20}}, return_shipping: {post: 4.90}}\n"),
            "shipping.method_without_fee", "rules[1].methods", _free_method("dropoff")),
    Planted("insurance of freight that is free",
            doc("  - {id: i, when: {discounted: true}, freight_insurance: {cover: 12}}\n"),
            "insurance.needless", "rules[0].freight_insurance", _insured),
    Planted("two ids that read alike",
            doc("  - {id: final-sale, when: {tags: a}, evidence: {photo: 1}}\n"
                "  - {id: final_sale, when: {tags: b}, evidence: {photo: 2}}\n"),
            "name.overlapping_id", "rules[1].id", _named("final_sale")),
    Planted("a rule named like a law",
            doc("  - {id: eu_withdrawal, when: {tags: a}, evidence: {photo: 1}}\n"),
            "name.overlapping_id", "rules[0].id", _named("eu_withdrawal")),
    Planted("a tier behind a wider one",
            doc(header=_TIERS + "  - {tier: platinum, orders_kept: {min: 9}}\n"),
            "tier.unreachable", "tiers[1]", _no_tier("platinum")),
    Planted("a tier that two others cover",
            doc(header="tiers:\n  - {tier: few, returns: {max: 4}}\n  - {tier: many, returns: {min: 5}}\n"
                       "  - {tier: platinum, clawbacks: {max: 0}}\n"),
            "tier.unreachable", "tiers[2]", _no_tier("platinum")),
    Planted("a tier that asks for the impossible",
            doc(header="tiers:\n  - {tier: platinum, returns: {min: 5, max: 3}}\n"),
            "tier.unreachable", "tiers[0]", _no_tier("platinum")),
    Planted("a reason that is not in the catalogue",
            doc("  - {id: r, when: {reason: [changed_minds, expired]}, evidence: {photo: 1}}\n"),
            "name.unknown_reason", "rules[0].when.reason", _unknown, ("rule.dead_choice",)),
    Planted("a tier that is not declared",
            doc("  - {id: r, when: {tier: [platinum, gold]}, evidence: {photo: 1}}\n", header=_TIERS),
            "name.unknown_tier", "rules[0].when.tier", _unknown, ("rule.dead_choice",)),
    Planted("a goods group that is not declared",
            doc("  - {id: r, when: {goods: {none: [cards]}, discounted: true}, evidence: {photo: 1}}\n"),
            "name.unknown_goods", "rules[0].when.goods", _unknown),
    Planted("a country that does not exist",
            doc("  - {id: r, when: {place: [UK, CH]}, evidence: {photo: 1}}\n", market="CH, LI"),
            "name.unknown_place", "rules[0].when.place", _unknown, ("rule.dead_choice",)),
    Planted("a refusal without a sentence",
            doc("  - {id: r, when: {tags: sale}, refuse: house_rule}\n"),
            "name.unknown_refusal", "rules[0].refuse", _refused),
    Planted("a group that is almost a legal one",
            doc("  - {id: r, when: {goods: custom-made}, evidence: {photo: 1}}\n",
                header="goods: {custom-made: {tags: x}}\n"),
            "name.almost_legal", "goods.custom-made", _message("custom_made")),
    Planted("a group that no rule uses", doc(header="goods: {shoes: {tags: x}}\n"),
            "name.unused_goods", "goods.shoes", _message("shoes")),
    Planted("a language without sentences", doc(header="languages: [en, pt]\n"),
            "text.no_language", "languages", _message("pt")),
    Planted("a refusal without a translation",
            doc("  - {id: r, when: {tags: sale}, refuse: ours}\n",
                header='languages: [en, de]\nrefusals: {ours: {en: "No."}}\n'),
            "text.missing", "refusals.ours", _message("ours", "de")),
    Planted("a fee in one of two currencies",
            doc("  - {id: f, when: {unit_price: {min: {EUR: 20, CHF: 20}}}, return_shipping: 4.90}\n"
                ).replace("currency: EUR", "currency: [EUR, CHF]"),
            "amount.missing", "rules[0].return_shipping",
            lambda _p, _f, c, d: c.currency == "CHF" and d.freight.fee_minor == 0),
    Planted("a fee in a currency that is not the policy's",
            doc("  - {id: f, when: {unit_price: {min: 20}}, return_shipping: {EUR: 4.90, USD: 5}}\n"),
            "amount.other_currency", "rules[0].return_shipping", _message("USD")),
    Planted("a zone without summer time", doc().replace("Europe/Berlin", "Etc/GMT-1"),
            "zone.fixed", "timezone", _zone("Etc/GMT-1")),
    Planted("a window that never begins", doc(house=HOUSE.replace(
                "starts: [delivered, fulfilled + 7 days]", "starts: delivered")),
            "window.never_begins", "rules[0].starts", _open_for_ever),
    Planted("a window that ends before later orders",
            doc(house=HOUSE.replace("{refund: 30 days, exchange: 60 days}", "{refund: until 2026-01-31}")),
            "window.over_before_order", "rules[0].resolutions", _late),
    Planted("an extension before the orders it is for",
            doc("  - {id: x, when: {placed: {from: 2026-11-01}}, extend_to: 2026-01-31}\n"),
            "window.extension_over", "rules[0].extend_to",
            lambda _p, _f, c, d: d.resolutions[0].until_local > "2026-02"
            and c.placed_at.year >= 2026),
    Planted("a refusal that the law overrides",
            doc("  - {id: r, when: {tags: sale, fault: buyer}, refuse: final_sale}\n", market="DE"),
            "law.below_floor", "rules[0].refuse", _law("refuse", "eu-withdrawal"),
            ("law.below_floor",)),
    Planted("a window below the law's",
            doc("  - {id: w, when: {fault: buyer}, resolutions: {refund: 7 days}}\n", market="FR"),
            "law.below_floor", "rules[0].resolutions", _law("window", "eu-withdrawal"),
            ("law.below_floor",)),
    Planted("return freight where the law says free",
            doc("  - {id: f, when: {unit_price: {min: 50}}, return_shipping: 9.90}\n", market="BR"),
            "law.below_floor", "rules[0].return_shipping", _law("return_shipping", "br-regret")),
    Planted("a restocking fee where the law forbids it",
            doc("  - {id: f, when: {discounted: true}, restocking_fee: 10%}\n", market="TW"),
            "law.below_floor", "rules[0].restocking_fee", _law("restocking_fee", "tw-seven-day")),
    Planted("a refund later than the law's",
            doc("  - {id: f, when: {discounted: true}, refund_within: 9 days}\n", market="CN"),
            "law.below_floor", "rules[0].refund_within", _law("refund_within", "cn-seven-day")),
    Planted("a deduction for trying on",
            doc("  - {id: g, when: {fault: buyer}, grades: {used_like_new: 10%}}\n", market="DE"),
            "law.below_floor", "rules[0].grades", _law("grades", "eu-withdrawal"),
            ("law.below_floor",)),
    Planted("less time to send than the law's",
            doc("  - {id: s, when: {fault: buyer}, ship_within: 7 days}\n", market="GB"),
            "law.below_floor", "rules[0].ship_within", _law("ship_within", "uk-cancel"),
            ("law.below_floor",)),
    Planted("proofs for a plain withdrawal",
            doc("  - {id: e, when: {reason: size_too_small}, evidence: {photo: 2}}\n", market="DE"),
            "law.below_floor", "rules[0].evidence", _law("evidence", "eu-withdrawal-statement"),
            ("law.below_floor",)),
)  # fmt: skip


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
           "  - {id: sale, when: {tags: sale}, refuse: final_sale}\n", _TIERS),
    _clean(_FREE_BELOW + _FEE, house=HOUSE.replace("    return_shipping: free\n", "")),
    _clean(_FEE, house=HOUSE),
    _clean("  - {id: faulty, when: {fault: [merchant, carrier]}, resolutions: {refund: 2 years}, "
           "evidence: {photo: 1}}\n"),
    _clean("  - {id: dear, when: {order_value: {min: 500}}, approval: {respond_within: 48 hours, "
           "on_silence: approve}}\n"),
    _clean("  - {id: fast, when: {tier: gold, rollout: 25%}, refund_at: {at: first_scan, "
           "per_buyer: 300, per_day: 5000, recover_within: 21 days}}\n", _TIERS),
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


def facts_of(finding: Finding) -> Facts | None:
    """The witness of a finding, as facts."""
    witness: Any = finding.witness
    return Facts.from_json(witness["facts"]) if witness is not None else None
