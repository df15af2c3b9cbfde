"""Explanations: the smallest change, as data and as a sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from proofs import policy_flips
from proofs.policy_neighbours import anything
from proofs.policy_random import case, document
from proofs.policy_reference.decisions import Reference

from returns_api.domain.policy import BuyerHistory, Facts, Policy
from returns_api.domain.policy.decisions import Because
from returns_api.domain.policy.explain import (
    Explainer,
    Flip,
    apply_flip,
    because_text,
    explain,
    goal_of,
)
from returns_api.domain.policy.texts import LANGUAGES
from tests.domain.policy.support import facts, policy, utc

TIERS = "tiers: [{tier: gold, orders_kept: {min: 5}, return_rate: {max: 25%}}]\n"


def flips(shop: Policy, case: Facts, locale: str | None = None) -> dict[str, Flip]:
    found = explain(shop, case, shop.decide(case), locale)
    for flip in found:
        after = apply_flip(case, flip)
        assert goal_of(flip.target)(shop.weigh(after), after)
    return {flip.target: flip for flip in found}


@pytest.mark.parametrize(
    ("rules", "case", "change"),
    [
        ("  - {id: f, when: {fault: merchant}, resolutions: {refund: 2 years}}\n",
         facts(asked_at=utc(2026, 4, 12, 12)), {"asked_at": "2026-04-09T21:59:59Z"}),
        ("  - {id: f, when: {fault: buyer}, refuse: final_sale}\n", facts(),
         {"reason": "defective"}),
        ("  - {id: g, grades: {used_worn: refused, used_like_new: refused}}\n",
         facts(condition="used_worn"), {"condition": "opened_unused"}),
        ("  - {id: g, when: {tier: {not: [gold]}}, refuse: no_returns}\n", facts(),
         {"buyer": {"orders_kept": 5, "returns": 0, "return_rate_ppm": 0, "clawbacks": 0,
                    "chargebacks": 0, "account_days": 0}}),
        ("  - {id: p, when: {unit_price: {below: 100}}, refuse: low_value}\n", facts(),
         {"unit_paid_minor": 10_000, "order_paid_minor": 12_900}),
        ("  - {id: p, when: {order_value: {below: 200}}, refuse: low_value}\n", facts(),
         {"order_paid_minor": 20_000}),
        ("  - {id: d, when: {discounted: true}, refuse: final_sale}\n", facts(discounted=True),
         {"discounted": False}),
        ("  - {id: d, when: {tags: sale}, refuse: final_sale}\n", facts(tags=frozenset({"sale"})),
         {"tags": []}),
        ("  - {id: d, when: {category: Gift*}, refuse: gift_card}\n", facts(category="Gift Cards"),
         {"category": None}),
        ("  - {id: d, when: {place: {not: [US-CA]}}, refuse: not_in_this_place}\n",
         facts(country="US", region="NV"), {"country": "US", "region": "CA"}),
        ("  - {id: d, when: {placed: {from: 2026-02-15}}, refuse: final_sale}\n", facts(),
         {"placed_at": "2026-02-14T22:59:59Z"}),
        ("  - {id: d, when: {channel: outlet}, refuse: final_sale}\n", facts(channel="outlet"),
         {"channel": None}),
    ],
)  # fmt: skip
def test_the_smallest_change_of_a_refusal(rules: str, case: Facts, change: dict[str, Any]) -> None:
    flip = flips(policy(rules, TIERS), case)["eligible"]
    assert flip.as_json()["change"] == change


def test_two_facts_are_changed_where_one_does_not_help() -> None:
    rules = "  - {id: f, when: {fault: buyer, tags: {none: [vip]}}, refuse: final_sale}\n" \
            "  - {id: g, when: {tags: sale}, refuse: final_sale}\n"  # fmt: skip
    flip = flips(policy(rules), facts(tags=frozenset({"sale"})))["eligible"]
    assert flip.as_json()["change"] == {"reason": "defective", "tags": []}
    assert flip.as_json()["kind"] == "item"


def test_where_no_change_helps_the_explanation_says_so() -> None:
    shop = policy(header="markets: [CH]\n", house="  - {id: no, refuse: no_returns}\n")
    case = facts(country="CH")
    (flip,) = explain(shop, case, shop.decide(case), "en")
    assert flip.as_json() == {
        "target": "eligible",
        "kind": "none",
        "change": {},
        "text": "No change of the facts would make a return possible.",
    }
    assert apply_flip(case, flip) == case


def test_prices_are_told_apart_where_rules_ask_for_the_order_only() -> None:
    rules = "  - {id: p, when: {order_value: {below: 50}}, refuse: low_value}\n" \
            "  - {id: q, when: {order_value: {min: 50, below: 90}}, refuse: low_value}\n" \
            "  - {id: r, when: {order_value: {min: 90}}, refuse: low_value}\n"  # fmt: skip
    shop = policy(rules, "markets: [CH]\n")
    (flip,) = explain(shop, facts(country="CH"), shop.decide(facts(country="CH")))
    assert flip.kind == "none"


def test_a_cheaper_order_has_a_cheaper_item() -> None:
    rules = "  - {id: p, when: {order_value: {max: 10}}, restocking_fee: 0%}\n" \
            "  - {id: q, restocking_fee: 10%}\n"  # fmt: skip
    shop = policy(rules, "markets: [CH]\n")
    change = flips(shop, facts(country="CH"))["restocking_fee"].as_json()["change"]
    assert change == {"unit_paid_minor": 1_000, "order_paid_minor": 1_000}


def test_another_place_of_the_law_is_the_last_resort() -> None:
    shop = policy(house="  - {id: no, refuse: no_returns}\n")
    change = flips(shop, facts(country="CH"))["eligible"].as_json()["change"]
    assert set(change) == {"country", "region"}
    rules = "  - {id: f, when: {fault: buyer, tags: {none: [vip]}}, refuse: final_sale}\n" \
            "  - {id: g, when: {reason: {not: [defective]}}, refuse: final_sale}\n"  # fmt: skip
    near = flips(policy(rules), facts(country="CH", tags=frozenset({"sale"})))["eligible"]
    assert near.as_json()["change"] == {"reason": "defective"}


def test_four_facts_are_changed_where_three_do_not_help() -> None:
    rules = """\
  - {id: a, when: {condition: {not: [sealed]}}, refuse: final_sale}
  - {id: b, when: {tags: {none: [x]}}, refuse: final_sale}
  - {id: c, when: {tags: {none: [y]}}, refuse: final_sale}
  - {id: d, when: {unit_price: {below: 100}}, refuse: low_value}
"""
    flip = flips(policy(rules, "markets: [CH]\n"), facts(country="CH"), "en")["eligible"]
    assert flip.as_json()["change"] == {
        "condition": "sealed", "unit_paid_minor": 10_000, "tags": ["x", "y"],
    }  # fmt: skip
    assert flip.sentence.count(" and ") == 3


def test_a_window_that_ended_before_the_order_needs_an_earlier_order() -> None:
    rules = "  - {id: old, resolutions: {refund: until 2026-01-31}}\n"
    change = flips(policy(rules, "markets: [CH]\n"), facts(country="CH"))["eligible"].as_json()
    assert change["change"] == {
        "asked_at": "2026-01-31T22:59:59Z", "placed_at": "2026-01-31T22:59:59Z",
    }  # fmt: skip


def test_a_later_order_is_not_delivered_before_it_is_placed() -> None:
    rules = "  - {id: then, when: {placed: {until: 2026-06-30}}, refuse: final_sale}\n"
    change = flips(policy(rules, "markets: [CH]\n"), facts(country="CH"))["eligible"].as_json()
    assert set(change["change"].values()) == {"2026-06-30T22:00:00Z"}
    assert set(change["change"]) == {"placed_at", "fulfilled_at", "delivered_at", "asked_at"}


def test_deciding_and_explaining_at_once_says_the_same() -> None:
    shop = policy("  - {id: f, when: {fault: buyer}, return_shipping: 4.90}\n")
    decision = shop.decide(facts())
    assert Explainer(shop).decide(facts(), "de") == (
        decision, explain(shop, facts(), decision, "de"),
    )  # fmt: skip


def test_a_search_that_would_be_too_large_gives_up_and_says_so() -> None:
    tags = ", ".join(f"t{n}" for n in range(40))
    goods = f"goods: {{custom_made: {{tags: [{tags}]}}, perishable: {{tags: [{tags}]}}}}\n"
    rules = "  - {id: g, when: {goods: {all: [custom_made, perishable]}}, resolutions: " \
            "{refund: 5 days}}\n"  # fmt: skip
    shop = policy(rules, f"markets: [CH]\n{goods}", "  - {id: no, refuse: no_returns}\n")
    case = facts(country="CH")
    (flip,) = explain(shop, case, shop.decide(case), "de")
    assert (flip.kind, flip.proven) == ("not_found", False)


def test_every_fee_has_its_change() -> None:
    rules = """\
  - {id: g, when: {tier: gold}, return_shipping: free, restocking_fee: 0%}
  - {id: o, when: {tier: gold}, original_shipping: refund}
  - {id: f, return_shipping: 4.90, restocking_fee: 10%, original_shipping: keep}
  - {id: w, grades: {used_worn: 30%}}
"""
    case = facts(condition="used_worn", country="US")
    found = flips(policy(rules, TIERS), case, "en")
    assert {target: flip.as_json()["text"] for target, flip in found.items()} == {
        "return_freight":
            "Sending it back would cost nothing for customers of the tier “gold”.",
        "restocking_fee":
            "There would be no restocking fee for customers of the tier “gold”.",
        "deduction":
            "Nothing would be deducted for the condition in the condition “used, like new”.",
        "original_shipping":
            "The original shipping would be refunded for customers of the tier “gold”.",
    }  # fmt: skip


def test_a_resolution_that_lapsed_is_explained_beside_those_still_open() -> None:
    shop = policy("  - {id: r, resolutions: {refund: 5 days, exchange: 60 days}}\n")
    found = flips(shop, facts(), "de")
    sentence = "Erstattung wäre möglich bei Anfrage bis 2026-03-15 (5 Tage früher)."
    assert found["resolution.refund"].sentence == sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_in_every_language(language: str) -> None:
    shop = policy("  - {id: f, when: {fault: buyer, tags: a}, refuse: final_sale}\n")
    case = facts(tags=frozenset({"a"}), asked_at=utc(2026, 5, 1))
    for flip in explain(shop, case, shop.decide(case), language):
        assert "{" not in flip.sentence
        assert flip.sentence[-1] in ".。"
    for because in shop.decide(case).because:
        assert "{" not in because_text(shop, because, language)


def test_the_reasons_for_an_outcome_in_words() -> None:
    header = 'refusals: {ours: {en: "Not these.", de: "Diese nicht."}}\n'
    shop = policy(header=header)
    late = shop.decide(facts(asked_at=utc(2026, 4, 12)))
    assert because_text(shop, late.because[0], "de-AT") == (
        "Die Frist ist abgelaufen: Erstattung war 30 Tage lang möglich, bis 2026-04-09."
    )
    texts = {
        Because("ours", "r"): "Diese nicht.",
        Because("final_sale", "r"): "Dieser Artikel ist vom Umtausch ausgeschlossen (Restposten).",
        Because("unheard_of", "r"): "Dieser Artikel kann nicht zurückgegeben werden (unheard_of).",
        Because("law_grants", "eu-withdrawal"):
            "Dieses Recht gibt Ihnen das Gesetz: EU-Widerrufsrecht von 14 Tagen.",
        Because("condition_refused", "r", (("condition", "used_worn"),)):
            "Artikel im Zustand „benutzt mit Spuren“ werden nicht zurückgenommen.",
    }  # fmt: skip
    assert {because: because_text(shop, because, "de") for because in texts} == texts
    assert because_text(shop, Because("ours", "r"), "fr") == "Not these."


def test_a_tier_is_reached_by_the_least_change_of_history() -> None:
    shop = policy("  - {id: g, when: {tier: gold}, return_shipping: free}\n"
                  "  - {id: f, return_shipping: 4.90}\n", TIERS)  # fmt: skip
    case = facts(buyer=BuyerHistory(orders_kept=9, return_rate_ppm=300_000, account_days=3))
    change = flips(shop, case)["return_freight"].as_json()["change"]
    assert change["buyer"]["return_rate_ppm"] == 250_000
    assert (change["buyer"]["orders_kept"], change["buyer"]["account_days"]) == (9, 3)


def test_an_explainer_serves_many_cases() -> None:
    shop = policy("  - {id: f, when: {fault: buyer}, return_shipping: 4.90}\n")
    explainer = Explainer(shop)
    for price in (100, 5_000, 90_000):
        case = replace(facts(), unit_paid_minor=price)
        assert [flip.target for flip in explainer.flips(case, shop.decide(case))] == [
            "return_freight"
        ]


def test_the_proof_tries_only_orders_that_are_worth_what_is_in_them() -> None:
    random = Random(61)
    plain = document(random, complete=True)
    reference, data = Reference(plain), case(random, tuple(plain["currency"]))
    tried = [anything(data, reference, random) for _ in range(2_000)]
    assert all(one["order_paid_minor"] >= one["unit_paid_minor"] for one in tried)
    assert len({one["order_paid_minor"] for one in tried}) > 5


def test_a_dearer_item_may_lift_the_order_over_an_edge() -> None:
    """One price is changed where a first look at each part of its axis would change two."""
    assert policy_flips.check_document(529139254, 53, Counter()) == []


def test_asked_in_time_the_terms_still_have_to_be_right() -> None:
    """In Korea, only the law opens the return, and only a tier gives the shipping back:
    both have to change together."""
    shop = policy("  - {id: closed, refuse: no_returns}\n"
                  "  - {id: g, when: {tier: gold, place: KR}, original_shipping: refund}\n"
                  "  - {id: k, original_shipping: keep}\n", TIERS + "markets: [KR]\n")  # fmt: skip
    case = facts(country="AU", reason="defective", asked_at=utc(2026, 9, 1, 12))
    change = flips(shop, case)["original_shipping"].as_json()["change"]
    assert change.keys() == {"country", "region", "buyer", "asked_at"}
    assert policy_flips.check_document(2003318728, 136, Counter()) == []


def test_the_proof_runs_in_small(capsys: pytest.CaptureFixture[str]) -> None:
    assert policy_flips.main(["--refusals", "60", "--seed", "11", "--json"]) == 0
    assert '"turned_percent": 100' in capsys.readouterr().out
