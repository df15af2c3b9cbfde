"""Decisions: by hand-made cases, and against a plain second implementation."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs.policy_random import case as random_case
from proofs.policy_random import document as random_document
from proofs.policy_reference.decisions import Reference
from proofs.policy_summary import summary

from returns_api.domain.errors import Invalid
from returns_api.domain.policy import (
    BuyerHistory,
    Decision,
    Facts,
    compile_policy,
    decision_bytes,
    decision_to_json,
    load_policy,
    restore_policy,
    rollout_place,
)
from returns_api.domain.policy.decisions import Because, ExchangeFirst, Method, SetBy
from returns_api.domain.policy.vocabulary import MethodKind, Payer, RefundAt
from returns_api.domain.reasons import Fault
from tests.domain.policy.support import document, facts, policy, utc
from tests.domain.policy.test_windows import _TOTAL


def term(decision: Decision, name: str) -> Any:
    return next(found for found in decision.terms if found.term == name)


def test_the_first_rule_that_sets_a_term_decides_it() -> None:
    rules = """\
  - {id: faulty, when: {fault: [merchant]}, return_shipping: 0, resolutions: {refund: 2 years}}
  - {id: paid, return_shipping: 4.90}
"""
    shop = policy(rules)
    assert shop.decide(facts()).freight.fee_minor == 490
    faulty = shop.decide(facts(reason="defective"))
    assert (faulty.freight.fee_minor, faulty.fault) == (0, Fault.MERCHANT)
    assert term(faulty, "window.refund").set_by == SetBy(rule="faulty", line=6)
    assert term(shop.decide(facts()), "window.refund").set_by.rule == "house"


def test_a_claimed_condition_can_be_refused_but_a_wrong_item_is_no_claim_of_use() -> None:
    shop = policy("  - {id: g, grades: {damaged_buyer: refused, used_worn: 30%}}\n")
    assert not shop.decide(facts(condition="damaged_buyer")).eligible
    assert shop.decide(facts(condition="wrong_item", reason="wrong_item")).eligible
    decision = shop.decide(facts(condition="used_worn"))
    shares = {grade.value: share for grade, share in decision.grades.items()}
    assert shares["used_worn"] == 300_000
    assert shares["damaged_buyer"] is None
    assert shares["empty_box"] is None
    assert shares["sealed"] == 0


def test_never_lets_goods_pass_that_a_rule_below_refuses() -> None:
    rules = """\
  - {id: gold, when: {tier: gold}, refuse: never}
  - {id: final, when: {tags: final-sale}, refuse: final_sale}
"""
    shop = policy(rules, header="tiers: [{tier: gold, orders_kept: {min: 5}}]\n")
    final = facts(tags=frozenset({"final-sale"}))
    assert shop.decide(final).because == (Because("final_sale", "final"),)
    gold = shop.decide(replace(final, buyer=BuyerHistory(orders_kept=5)))
    assert (gold.eligible, gold.tier) == (True, "gold")


def test_methods_carry_what_the_buyer_pays_for_them() -> None:
    rules = """\
  - {id: m, methods: [post, pickup, in_store, keep], return_shipping: {pickup: 9.90, post: 4.90}}
"""
    decision = policy(rules).decide(facts())
    assert decision.methods == (
        Method(MethodKind.POST, 490),
        Method(MethodKind.PICKUP, 990),
        Method(MethodKind.IN_STORE, 0),
        Method(MethodKind.KEEP, 0),
    )
    assert (decision.freight.payer, decision.freight.fee_minor) == (Payer.BUYER, 490)
    own = policy("  - {id: o, return_shipping: own_cost}\n").decide(facts())
    assert (own.freight.payer, own.freight.own_label) == (Payer.BUYER, True)


def test_money_before_goods_comes_with_its_limits() -> None:
    rules = """\
  - id: fast
    when: {tier: gold, unit_price: {max: 200.00}, rollout: 25%}
    refund_at: {at: first_scan, per_buyer: 300, per_day: 5000.00, recover_within: 21 days}
"""
    shop = policy(rules, header="tiers: [{tier: gold, account_days: {min: 180}}]\n")
    gold = facts(buyer=BuyerHistory(account_days=200), rollout_ppm=249_999)
    advance = shop.decide(gold).advance
    assert advance is not None
    assert (advance.per_buyer_minor, advance.per_day_minor) == (30_000, 500_000)
    assert advance.otherwise is RefundAt.INSPECTION
    for other in (
        replace(gold, rollout_ppm=250_000),
        replace(gold, rollout_ppm=None),
        replace(gold, unit_paid_minor=20_001),
        replace(gold, buyer=BuyerHistory(account_days=179)),
    ):
        assert shop.decide(other).refund_at is RefundAt.INSPECTION


def test_goods_before_goods_come_with_limits_of_their_own() -> None:
    rules = """\
  - id: ahead
    when: {tier: gold}
    exchange_at: {at: request, per_buyer: 300, per_day: 5000.00, recover_within: 21 days}
  - {id: plain, exchange_at: inspection}
"""
    shop = policy(rules, header="tiers: [{tier: gold, clawbacks: {max: 0}}]\n")
    first = shop.decide(facts()).exchange_first
    assert first == ExchangeFirst(RefundAt.REQUEST, 30_000, 500_000, 21 * 86_400)
    said = decision_to_json(shop.decide(facts()))
    assert (said["exchange_first"]["at"], said["advance"]) == ("request", None)
    other = shop.decide(facts(buyer=BuyerHistory(clawbacks=1)))
    assert other.exchange_first is None
    assert "exchange_first" not in decision_to_json(other), "as before there was such a term"


def test_amounts_count_in_the_currency_of_the_order() -> None:
    rules = """\
  - {id: dear, when: {unit_price: {min: {EUR: 50.00, JPY: 8000}}}, return_shipping: free}
  - {id: fee, return_shipping: {EUR: 4.90, JPY: 800}}
"""
    text = document(rules).replace("currency: EUR", "currency: [EUR, JPY]")
    two = compile_policy(load_policy(text))
    assert two.decide(facts(unit_paid_minor=4_999)).freight.fee_minor == 490
    assert two.decide(facts(unit_paid_minor=5_000)).freight.fee_minor == 0
    yen = facts(currency="JPY", unit_paid_minor=7_999, order_paid_minor=8_000)
    assert two.decide(yen).freight.fee_minor == 800
    assert two.decide(replace(yen, unit_paid_minor=8_000)).freight.fee_minor == 0


def test_a_currency_that_the_policy_does_not_know_goes_to_a_person_without_fees() -> None:
    decision = policy("  - {id: fee, return_shipping: 4.90}\n").decide(facts(currency="CHF"))
    assert decision.eligible
    assert (decision.approval.auto, decision.freight.fee_minor) == (False, 0)
    assert Because("currency_unknown", None, (("currency", "CHF"),)) in decision.because


def test_a_reason_that_nobody_knows_is_refused_and_does_not_raise() -> None:
    decision = policy().decide(facts(reason="because"))
    assert (decision.eligible, decision.because) == (False, (Because("reason_unknown", None),))


def test_a_merchants_own_reasons_and_faults_count() -> None:
    header = """\
reasons:
  too_warm: {fault: buyer, category: preference, title: {en: Too warm, de: Zu warm}}
  size_too_small: {fault: merchant, category: fit}
"""
    shop = policy("  - {id: f, when: {fault: merchant}, evidence: {photo: 1}}\n", header)
    assert shop.decide(facts(reason="too_warm")).evidence == ()
    assert len(shop.decide(facts(reason="size_too_small")).evidence) == 1
    assert shop.world.reasons["too_warm"].title("de-AT") == "Zu warm"


def test_goods_groups_take_products_by_any_of_their_facts() -> None:
    rules = "  - {id: c, when: {goods: cards}, refuse: gift_card}\n"
    header = "goods: {cards: {category: [Gift*], tags: gift, sku: GC-*, vendor: Cardco}}\n"
    shop = policy(rules, header)
    refused = (
        {"category": "Gift Cards"}, {"tags": frozenset({"gift", "x"})}, {"sku": "GC-50"},
        {"vendor": "Cardco"},
    )  # fmt: skip
    assert not any(shop.decide(facts(**change)).eligible for change in refused)
    assert shop.decide(facts(category="A Gift", sku="XGC-", tags=frozenset({"x"}))).eligible


def test_nothing_set_means_no_fee_and_a_person() -> None:
    decision = policy(house="  - {id: r, resolutions: {refund: 30 days}}\n").decide(facts())
    assert decision.eligible
    assert decision.freight.payer is Payer.MERCHANT
    assert not decision.approval.auto
    assert decision.restocking_ppm == 0
    assert term(decision, "approval").set_by == SetBy()
    nothing = policy(house="  - {id: r, approval: auto}\n").decide(facts())
    assert nothing.because == (Because("no_rule", None),)


def test_every_term_says_which_facts_it_used() -> None:
    rules = "  - {id: dear, when: {unit_price: {min: 50}, place: [DE]}, approval: auto}\n"
    data = decision_to_json(policy(rules).decide(facts(country="DE")))
    approval = next(t for t in data["terms"] if t["term"] == "approval")
    assert approval["set_by"] == {"rule": "dear", "line": 6}
    assert approval["facts"] == {"unit_paid_minor": 8900, "country": "DE", "region": None}
    window = next(t for t in data["terms"] if t["term"] == "window.refund")
    assert window["facts"]["delivered_at"] == "2026-03-10T12:00:00Z"


def test_facts_survive_their_json_form() -> None:
    case = facts(tags=frozenset({"b", "a"}), buyer=BuyerHistory(3, 1, 5, 0, 0, 9), region="CA")
    data = json.loads(json.dumps(case.to_json()))
    assert Facts.from_json(data) == case
    assert set(data) == {field.name for field in fields(Facts)}


@pytest.mark.parametrize(
    "change",
    [
        {"reason": None}, {"reason": 5}, {"unit_paid_minor": -1}, {"unit_paid_minor": True},
        {"unit_paid_minor": 1.5}, {"placed_at": "yesterday"}, {"placed_at": "2026-01-01T00:00:00"},
        {"placed_at": 5}, {"placed_at": "9999-12-31T23:59:59-14:00"}, {"tags": "x"}, {"tags": [1]},
        {"buyer": {"kept": 1}}, {"buyer": {"returns": "1"}}, {"discounted": "no"}, {"colour": "r"},
        {"asked_at": None}, {"sku": "x" * 501},
    ],
)  # fmt: skip
def test_bad_facts_are_refused_by_name(change: dict[str, object]) -> None:
    with pytest.raises(Invalid) as caught:
        Facts.from_json({**facts().to_json(), **change})
    assert next(iter(change)) in str(caught.value.context["errors"])


def test_a_place_in_roll_outs_is_fixed_and_spread() -> None:
    places = [rollout_place("shop", f"buyer{n}") for n in range(2_000)]
    assert places == [rollout_place("shop", f"buyer{n}") for n in range(2_000)]
    assert 400 < sum(place < 250_000 for place in places) < 600
    assert places != [rollout_place("other", f"buyer{n}") for n in range(2_000)]


@pytest.mark.parametrize("seed", range(60))
def test_random_documents_agree_with_the_plain_reference(seed: int) -> None:
    random = Random(f"evaluate {seed}")
    plain = random_document(random)
    source = load_policy(json.dumps(plain))
    shop, again, reference = compile_policy(source), None, Reference(plain)
    for _ in range(12):
        data = random_case(random, ("EUR", "EUR", "USD", "GBP"))
        case = Facts.from_json(data)
        decision = shop.decide(case)
        assert summary(decision) == reference.judge(data)
        if again is None:
            again = compile_policy(restore_policy(source.canonical))
        assert decision_bytes(again.decide(case)) == decision_bytes(decision)


_TIMES = st.datetimes().map(lambda t: t.replace(tzinfo=utc(2026, 1, 1).tzinfo))


@given(
    st.builds(
        Facts,
        reason=st.sampled_from(("changed_mind", "defective", "")),
        currency=st.sampled_from(("EUR", "XXX", "")),
        placed_at=_TIMES,
        asked_at=_TIMES,
        delivered_at=st.none() | _TIMES,
        fulfilled_at=st.none() | _TIMES,
        condition=st.none() | st.text(max_size=3),
        sku=st.none() | st.text(max_size=4),
        tags=st.frozensets(st.text(max_size=2), max_size=3),
        unit_paid_minor=st.integers(0, 10**15),
        country=st.none() | st.text(max_size=2),
        region=st.none() | st.text(max_size=5),
        buyer_timezone=st.none() | st.text(max_size=5),
        rollout_ppm=st.none() | st.integers(0, 999_999),
    )
)
@settings(max_examples=200)
def test_any_facts_get_a_decision_and_its_bytes(case: Facts) -> None:
    shop = _TOTAL
    decision = shop.decide(case)
    assert decision_bytes(decision) == decision_bytes(shop.decide(case))
    assert decision.eligible == bool(decision.resolutions)
    assert decision.eligible or decision.because
