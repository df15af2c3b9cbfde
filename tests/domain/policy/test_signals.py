"""F5: what a shop wants a person to look at. Signals slow; they never refuse, and touch no fee."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from returns_api.domain.errors import PolicyInvalid
from returns_api.domain.policy import BuyerHistory, Facts, decision_bytes, restore_policy
from returns_api.domain.policy.analysis import analyse
from returns_api.domain.policy.decisions import Approval
from returns_api.domain.policy.facts import for_the_buyer
from returns_api.domain.policy.signals import BLOCK_LIST
from returns_api.domain.policy.vocabulary import Listed, OnSilence, RefundAt
from tests.domain.policy.support import HOUSE, facts, loaded, policy

REVIEW = """\
review:
  respond_within: 2 days
  when:
    - {signal: many-returns, returns_30_days: {min: 5}}
    - {signal: dear-returns, returned_value_30_days: {above: 500.00}}
    - {signal: serial-returner, orders: {min: 5}, return_rate: {min: 60%}}
    - {signal: worn-late, used_late: {min: 2}}
"""
EARLY = """\
  - id: early
    when: {unit_price: {max: 200.00}}
    refund_at: {at: first_scan, per_buyer: 300, per_day: 5000.00, recover_within: 21 days}
    exchange_at: {at: request, per_buyer: 300, per_day: 5000.00, recover_within: 21 days}
"""
TIERS = "tiers: [{tier: careful, return_rate: {max: 50%}}]\n"
DAYS = 86_400
SHOP = policy(EARLY, REVIEW)


@pytest.mark.parametrize(
    ("known", "signals"),
    [
        ({}, ()),
        ({"returns_30_days": 4}, ()),
        ({"returns_30_days": 5}, ("many-returns",)),
        ({"returned_value_30_days_minor": 500_00}, ()),
        ({"returned_value_30_days_minor": 500_01}, ("dear-returns",)),
        ({"orders": 4, "return_rate_ppm": 900_000}, ()),
        ({"orders": 5, "return_rate_ppm": 599_999}, ()),
        ({"orders": 5, "return_rate_ppm": 600_000}, ("serial-returner",)),
        ({"used_late": 1}, ()),
        ({"used_late": 2, "returns_30_days": 9}, ("many-returns", "worn-late")),
        ({"listed": Listed.BLOCK}, (BLOCK_LIST,)),
        ({"listed": Listed.BLOCK, "used_late": 3}, (BLOCK_LIST, "worn-late")),
        ({"listed": Listed.ALLOW, "used_late": 3, "returns_30_days": 99}, ()),
    ],
)
def test_signals_have_a_person_look_and_do_nothing_else(
    known: dict[str, Any], signals: tuple[str, ...]
) -> None:
    usual = SHOP.decide(facts())
    found = SHOP.decide(facts(buyer=BuyerHistory(**known)))
    assert found.signals == signals
    assert (usual.approval, usual.refund_at) == (Approval(auto=True), RefundAt.FIRST_SCAN)
    if signals:
        assert found.approval == Approval(False, 2 * DAYS, OnSilence.APPROVE)
        assert found.refund_at is RefundAt.INSPECTION
        assert (found.advance, found.exchange_first) == (None, None)
    assert usual.exchange_first is not None
    names = ("approval", "refund_at", "advance", "exchange_first")
    slowed: dict[str, Any] = {name: getattr(usual, name) for name in names}
    alike = replace(found, **slowed, facts=usual.facts, signals=(), terms=(), refund_due=())
    assert alike == replace(usual, terms=(), refund_due=())


def test_what_a_buyer_reads_names_no_signal() -> None:
    plain = facts(buyer=BuyerHistory(returns=3))
    caught = facts(buyer=BuyerHistory(returns=3, used_late=2, listed=Listed.BLOCK))
    shop = policy(EARLY + "  - {id: t, when: {tier: careful}, evidence: none}\n", TIERS + REVIEW)
    body = decision_bytes(shop.decide(caught)).decode()
    assert not any(word in body for word in ("worn-late", "used_late", "block", "listed"))
    assert "review.person" in body
    assert for_the_buyer(caught.to_json()) == for_the_buyer(plain.to_json()) == plain.to_json()
    assert Facts.from_json(caught.to_json()) == caught


def test_staff_read_which_facts_a_signal_looked_at() -> None:
    buyer = BuyerHistory(orders=8, return_rate_ppm=700_000, listed=Listed.BLOCK)
    assert SHOP.signals.told(buyer, "EUR") == (
        {"signal": BLOCK_LIST, "because": {"listed": "block"}},
        {"signal": "serial-returner", "because": {"orders": 8, "return_rate_ppm": 700_000}},
    )


def test_a_value_in_a_currency_that_is_not_named_slows_nobody() -> None:
    much = facts(buyer=BuyerHistory(returned_value_30_days_minor=10**9), currency="USD")
    assert SHOP.decide(much).signals == ()


def test_the_allow_list_keeps_what_speaks_for_a_buyer() -> None:
    shop = policy(header="tiers: [{tier: gold, orders_kept: {min: 5}, clawbacks: {max: 0}}]\n")
    buyer = BuyerHistory(orders_kept=5, clawbacks=1)
    assert shop.decide(facts(buyer=buyer)).tier == "standard"
    assert shop.decide(facts(buyer=replace(buyer, listed=Listed.ALLOW))).tier == "gold"
    new = BuyerHistory(orders_kept=4, listed=Listed.ALLOW)
    assert shop.decide(facts(buyer=new)).tier == "standard"


def test_what_a_person_decides_anyway_keeps_its_own_terms() -> None:
    own = HOUSE.replace("auto", "{respond_within: 48 hours, on_silence: reject}")
    shop = policy(header=REVIEW, house=own)
    known = facts(buyer=BuyerHistory(used_late=2))
    assert shop.decide(known).approval == shop.decide(facts()).approval
    assert shop.decide(known).signals == ("worn-late",)


def test_a_refusal_is_the_rules_alone_and_the_law_holds_against_signals() -> None:
    final = "  - {id: final, when: {tags: sale, fault: buyer}, refuse: final_sale}\n"
    shop = policy(final, REVIEW)
    listed = BuyerHistory(listed=Listed.BLOCK)
    sale = facts(tags=frozenset({"sale"}), country="CH")
    usual, caught = shop.decide(sale), shop.decide(replace(sale, buyer=listed))
    assert (usual.eligible, usual.because) == (caught.eligible, caught.because)
    abroad = replace(sale, country="DE")
    usual, caught = shop.decide(abroad), shop.decide(replace(abroad, buyer=listed))
    assert caught.eligible
    assert (caught.resolutions, caught.refund_due) == (usual.resolutions, usual.refund_due)


def test_room_is_how_many_returns_bring_the_next_signal() -> None:
    def room(**known: Any) -> Any:
        return SHOP.signals.room(BuyerHistory(**known), "EUR")

    assert room() == (5, ("many-returns",))
    assert room(returns_30_days=4) == (1, ("many-returns",))
    assert room(returns_30_days=5) is None, "it holds already"
    assert room(listed=Listed.ALLOW) is None
    assert policy().signals.room(BuyerHistory(), "EUR") is None


def test_signals_are_part_of_a_version_and_silence_means_yes_without_any() -> None:
    again = restore_policy(loaded(EARLY, REVIEW).canonical)
    assert again.document.review == loaded(EARLY, REVIEW).document.review
    listed = facts(buyer=BuyerHistory(listed=Listed.BLOCK))
    assert policy().decide(listed).approval == Approval(False, 3 * DAYS, OnSilence.APPROVE)
    assert "review" not in loaded().canonical.decode().partition('"law"')[0].partition("rules")[0]


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("{signal: odd, returns: {min: 5, max: 4}}", "signal.unreachable"),
        ("{signal: odd, return_rate: {above: 100%}}", "signal.unreachable"),
        ("{signal: odd}", "signal.everybody"),
        ("{signal: odd, returned_value_30_days: {min: {USD: 5}}}", "signal.no_amount"),
    ],
)
def test_the_checker_names_signals_that_mean_nothing(when: str, code: str) -> None:
    report = analyse(loaded(header=f"review: {{when: [{when}]}}\n"))
    assert code in [finding.code for finding in report.findings]
    assert all(finding.line for finding in report.findings if finding.code == code)


@pytest.mark.parametrize(
    "when",
    [
        "[{signal: a, returns: {min: 1}}, {signal: a, returns: {min: 2}}]",
        f"[{{signal: {BLOCK_LIST}, returns: {{min: 1}}}}]",
        "[{signal: a, returned_value_30_days: {min: 1.001}}]",
    ],
)
def test_names_are_used_once_and_amounts_are_money(when: str) -> None:
    with pytest.raises(PolicyInvalid):
        loaded(header=f"review: {{when: {when}}}\n")
