"""A draft on history: what flips, where the money goes, and the proof of the replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from proofs.policy_random import case as random_case
from proofs.policy_random import document as random_document

from returns_api.domain.policy import (
    BuyerHistory,
    Facts,
    compile_policy,
    decision_bytes,
    load_policy,
)
from returns_api.domain.policy.backtest import EVERY, MOST_AFFECTED, OTHER, Case, backtest
from returns_api.domain.policy.vocabulary import Grade
from tests.domain.policy.support import facts, policy, utc

OLD = policy("  - {id: f, return_shipping: 4.90}\n")


def cases(*several: Facts) -> Iterator[Case]:
    for number, case in enumerate(several):
        yield Case(f"rl_{number}", case, case.unit_paid_minor)


def test_a_higher_fee_moves_its_difference_away_from_the_buyer() -> None:
    report = backtest(OLD, policy("  - {id: f, return_shipping: 5.90}\n"), cases(facts(), facts()))
    assert report.total.as_json() == {
        "cases": 2, "changed": 2, "opened": 0, "closed": 0, "moved_minor": {"EUR": -200},
    }  # fmt: skip
    assert report.changes == {"methods": 2, "freight": 2}


def test_what_opens_and_what_closes_is_counted_by_reason_tier_country_and_sku() -> None:
    tiers = "tiers: [{tier: gold, orders_kept: {min: 5}}]\n"
    old = policy("  - {id: s, when: {tags: sale}, refuse: final_sale}\n", tiers)
    new = policy("  - {id: d, when: {reason: style}, refuse: no_returns}\n", tiers)
    report = backtest(
        old,
        new,
        cases(
            facts(tags=frozenset({"sale"}), sku="A", country="CH"),
            facts(reason="style", sku="B", country="CH", buyer=BuyerHistory(orders_kept=9)),
            facts(sku="B", country="NO"),
        ),
    )
    data = report.as_json()
    assert (report.total.opened, report.total.closed, report.changed) == (1, 1, 2)
    assert data["by"]["sku"]["A"]["moved_minor"] == {"EUR": 8_900}
    assert data["by"]["sku"]["B"] == {
        "cases": 2, "changed": 1, "opened": 0, "closed": 1, "moved_minor": {"EUR": -8_900},
    }  # fmt: skip
    assert data["by"]["tier"]["gold"]["closed"] == 1
    assert data["by"]["country"]["NO"]["changed"] == 0
    assert data["by"]["reason"]["style"]["closed"] == 1
    first = data["most_affected"][0]
    assert (first["case"], first["before"]["eligible"], first["after"]["eligible"]) == (
        "rl_0", False, True,
    )  # fmt: skip


def test_deductions_follow_the_grade_that_was_found() -> None:
    new = policy("  - {id: f, return_shipping: 4.90, grades: {used_worn: 50%}}\n")
    found = Case("a", facts(), 10_000, found=Grade.USED_WORN)
    claimed = Case("b", facts(condition="used_worn"), 10_000)
    clean = Case("c", facts(), 10_000, found=Grade.SEALED)
    report = backtest(OLD, new, [found, claimed, clean])
    assert report.total.moved == {"EUR": -10_000}


def test_the_replay_under_the_old_version_is_the_stored_decision_bit_for_bit() -> None:
    stored = decision_bytes(OLD.decide(facts()))
    same = Case("a", facts(), 100, stored=stored)
    other = Case("b", facts(), 100, stored=stored.replace(b"490", b"491"))
    report = backtest(OLD, OLD, [same, other])
    assert (report.replayed, report.replay_mismatches, report.mismatched) == (2, 1, ["b"])
    assert report.changed == 0


def test_refusals_that_stay_refusals_do_not_count() -> None:
    old = policy("  - {id: r, refuse: no_returns, return_shipping: 4.90}\n")
    new = policy("  - {id: r, refuse: final_sale, return_shipping: 5.90}\n")
    assert backtest(old, new, cases(facts())).changed == 0


def test_the_ten_most_affected_are_kept_and_memory_is_bounded() -> None:
    new = policy("  - {id: r, refuse: no_returns}\n")
    many = (replace(facts(), unit_paid_minor=1_000 + n, sku=f"S{n}") for n in range(10_050))
    seen: list[int] = []
    report = backtest(OLD, new, cases(*many), seen.append)
    assert len(report.affected) == MOST_AFFECTED
    assert [found.key for found in report.affected[:2]] == ["rl_10049", "rl_10048"]
    assert report.by["sku"][OTHER].cases == 50
    assert seen == [*range(EVERY, 10_001, EVERY), 10_050]
    assert report.first_asked == report.last_asked == utc(2026, 3, 20, 12)


def test_random_policies_against_deciding_one_by_one() -> None:
    random = Random("backtest")
    for _ in range(8):
        old = compile_policy(load_policy(json.dumps(random_document(random, complete=True))))
        new = compile_policy(load_policy(json.dumps(random_document(random, complete=True))))
        drawn = [Facts.from_json(random_case(random)) for _ in range(30)]
        report = backtest(old, new, cases(*drawn))
        pairs = [(old.decide(case).eligible, new.decide(case).eligible) for case in drawn]
        assert report.total.opened == sum(after and not before for before, after in pairs)
        assert report.total.closed == sum(before and not after for before, after in pairs)
        json.dumps(report.as_json())
