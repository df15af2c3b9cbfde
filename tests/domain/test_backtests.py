"""A draft against the past: turns, money, groups, and tallies that add up however they are cut."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs.policy_random import case as random_case
from proofs.policy_random import document as random_document

from returns_api.domain.backtests import Compared, PastLine, PastReturn, Tally, Trial, Turn, tally
from returns_api.domain.errors import Invalid
from returns_api.domain.policy import Facts, Policy, compile_policy, load_policy, read_law
from returns_api.domain.policy.law import packaged_files
from returns_api.domain.policy.vocabulary import ResolutionKind

SOURCE = """\
policy: returns-policy/v1
name: Before
timezone: UTC
currency: EUR
rules:
  - id: toys
    when: {tags: [final]}
    refuse: final_sale
  - id: house
    resolutions: {refund: 30 days, exchange: 60 days}
    return_shipping: 4.90
    original_shipping: keep
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
NO_LAW = read_law([item for item in packaged_files() if item[0] == "places.yaml"])
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def policy(*changes: tuple[str, str]) -> Policy:
    text = SOURCE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return compile_policy(load_policy(text, NO_LAW))


BEFORE = policy()


def compare(one: PastReturn, before: Policy, after: Policy) -> Compared:
    return Trial(before, after).compare(one)


def past(
    days: int = 10,
    *,
    paid: int = 10_000,
    quantity: int = 1,
    found: dict[str, int] | None = None,
    **more: Any,
) -> PastReturn:
    """A return asked for ``days`` after delivery."""
    arrived = NOW - timedelta(days=days)
    top: dict[str, Any] = {
        name: more.pop(name) for name in ("shipping_minor", "resolution") if name in more
    }
    facts: dict[str, Any] = {
        "reason": "changed_mind",
        "currency": "EUR",
        "placed_at": (arrived - timedelta(days=3)).isoformat(),
        "delivered_at": arrived.isoformat(),
        "asked_at": NOW.isoformat(),
        "unit_paid_minor": paid,
        "order_paid_minor": paid,
        "country": "DE",
        "sku": "A-1",
        **more,
    }
    line = {"facts": facts, "quantity": quantity, "found": found or {}}
    whole: dict[str, Any] = {"return": f"R{days}", "method": "post", "lines": [line]}
    whole.update(top)
    return PastReturn.from_json(whole)


@pytest.mark.parametrize(
    ("asked", "changes", "turn", "delta"),
    [
        ({}, [], Turn.SAME, 0),
        ({"days": 20}, [("refund: 30 days", "refund: 14 days")], Turn.CLOSED, -9_510),
        ({"days": 40}, [("refund: 30 days", "refund: 45 days")], Turn.OPENED, 9_510),
        ({}, [("return_shipping: 4.90", "return_shipping: free")], Turn.KINDER, 490),
        ({}, [("return_shipping: 4.90", "return_shipping: 7.00")], Turn.STRICTER, -210),
        ({}, [("restocking_fee: 0%", "restocking_fee: 10%")], Turn.STRICTER, -1_000),
        ({"quantity": 3}, [("restocking_fee: 0%", "restocking_fee: 10%")], Turn.STRICTER, -3_000),
        ({"paid": 999}, [("restocking_fee: 0%", "restocking_fee: 33%")], Turn.STRICTER, -329),
        ({"condition": "used_worn"}, [("used_worn: 30%", "used_worn: 50%")],
         Turn.STRICTER, -2_000),
        ({"found": {"used_worn": 1}}, [("used_worn: 30%", "used_worn: 50%")],
         Turn.STRICTER, -2_000),
        ({"found": {"sealed": 1}, "condition": "used_worn"}, [("used_worn: 30%", "used_worn: 50%")],
         Turn.SAME, 0),
        ({"found": {"used_worn": 1}, "condition": "used_worn", "quantity": 3},
         [("used_worn: 30%", "used_worn: 50%")], Turn.STRICTER, -6_000),
        ({"found": {"empty_box": 2, "used_worn": 1}, "quantity": 4},
         [("used_worn: 30%", "used_worn: refused")], Turn.STRICTER, -7_000),
        ({"shipping_minor": 590}, [("original_shipping: keep", "original_shipping: refund")],
         Turn.KINDER, 590),
        ({"paid": 300}, [("return_shipping: 4.90", "return_shipping: 9.00")], Turn.SAME, 0),
        ({"tags": ["final"]}, [("refuse: final_sale", "restocking_fee: 0%")], Turn.OPENED, 9_510),
        ({"resolution": "exchange"}, [("exchange: 60 days", "exchange: 5 days")], Turn.CLOSED, 0),
        ({"resolution": "exchange"}, [("return_shipping: 4.90", "return_shipping: free")],
         Turn.SAME, 0),
        ({}, [("approval: auto", "approval: {respond_within: 2 days, on_silence: approve}")],
         Turn.REVIEWED, 0),
    ],
)  # fmt: skip
def test_how_a_return_turns(
    asked: dict[str, Any], changes: list[tuple[str, str]], turn: Turn, delta: int
) -> None:
    found = compare(past(**asked), BEFORE, policy(*changes))
    assert (found.turns, found.delta_minor) == ((turn,), delta)


def test_the_way_back_is_paid_once_for_all_lines() -> None:
    one = past().lines[0]
    two = PastReturn("R", (one, one), method="dropoff")
    free = policy(("return_shipping: 4.90", "return_shipping: free"))
    found = compare(two, BEFORE, free)
    assert found.deltas == (490, 0)
    assert found.turns == (Turn.KINDER, Turn.SAME)


def test_a_report_names_money_groups_and_the_most_affected() -> None:
    draft = policy(("refund: 30 days", "refund: 15 days"), ("4.90", "5.90"))
    counted = Tally()
    for days in range(1, 31):
        counted.add(
            compare(
                past(days, paid=days * 1_000, country="DE" if days % 2 else "FR"), BEFORE, draft
            ),
            replayed=True,
        )
    report = counted.report()
    closed = sum(days * 1_000 - 490 for days in range(16, 31))
    assert (report["returns"], report["lines"], report["flipped"]) == (30, 30, 15)
    assert (report["replayed"], report["differing"]) == (30, 0)
    assert report["changes"] == {"freight": 30, "methods": 30, "resolutions": 30}
    assert report["turns"]["closed"] == 15
    assert report["turns"]["stricter"] == 15
    money = {"more_minor": 0, "less_minor": closed + 1_500, "net_minor": -closed - 1_500}
    assert report["money"] == {"EUR": money}
    assert sum(one["money"]["EUR"] for one in report["by"]["country"]) == money["net_minor"]
    assert {one["name"] for one in report["by"]["country"]} == {"DE", "FR"}
    assert [one["return"] for one in report["most_affected"]] == [
        f"R{days}" for days in range(30, 20, -1)
    ]
    first = report["most_affected"][0]["lines"][0]
    assert first["before"] == {"granted": True, "because": []}
    because = [{"code": "resolution_not_offered", "rule": None}]
    assert first["after"] == {"granted": False, "because": because}
    json.dumps(report)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_a_tally_adds_up_however_the_history_is_cut(days: list[int], cuts: list[int]) -> None:
    draft = policy(("refund: 30 days", "refund: 15 days"), ("4.90", "5.90"))
    found = [compare(past(day, paid=day * 1_000), BEFORE, draft) for day in days]
    whole, parts = Tally(), Tally()
    for one in found:
        whole.add(one)
    edges = sorted({0, len(found), *(cut for cut in cuts if cut < len(found))})
    for low, high in pairwise(edges):
        part = Tally()
        for one in found[low:high]:
            part.add(one)
        parts.merge(json.loads(json.dumps(part.to_json())))
    assert parts.report() == whole.report()


def test_a_report_shows_so_many_groups() -> None:
    counted = Tally()
    free = policy(("return_shipping: 4.90", "return_shipping: free"))
    for number in range(tally.GROUPS_SHOWN + 5):
        counted.add(compare(past(sku=f"S{number}"), BEFORE, free))
    report = counted.report()
    assert len(report["by"]["sku"]) == tally.GROUPS_SHOWN
    assert report["by"]["reason"][0]["turns"] == {"kinder": tally.GROUPS_SHOWN + 5}


GOOD: dict[str, Any] = {
    "facts": {"reason": "a", "currency": "EUR", "placed_at": "2026-01-01T00:00:00Z",
              "asked_at": "2026-01-02T00:00:00Z"},
}  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        None, [], "x", {}, {"lines": []}, {"lines": [1]}, {"lines": [{"facts": 1}]},
        {**GOOD, "surprise": 1}, {**GOOD, "quantity": 0}, {**GOOD, "quantity": True},
        {**GOOD, "quantity": 1.5}, {**GOOD, "shipping_minor": -1}, {**GOOD, "return": 5},
        {**GOOD, "return": "x" * 201}, {"facts": {**GOOD["facts"], "condition": "nice"}},
        {"facts": {**GOOD["facts"], "who": "me"}}, {"lines": [{**GOOD, "more": 1}]},
        {**GOOD, "found": 1}, {**GOOD, "found": {"nice": 1}}, {**GOOD, "found": {"sealed": 2}},
        {**GOOD, "found": {"sealed": 0}}, {**GOOD, "found": {"sealed": True}},
        {"facts": GOOD["facts"], "lines": [GOOD]},
    ],
)  # fmt: skip
def test_a_history_line_that_is_none_is_refused(data: object) -> None:
    with pytest.raises(Invalid):
        PastReturn.from_json(data)


def test_a_history_line_may_be_short() -> None:
    assert PastReturn.from_json(GOOD).lines[0].quantity == 1


def test_what_differs_is_counted_though_no_money_moves() -> None:
    slower = policy(("ship_within: 14 days", "ship_within: 7 days"))
    found = compare(past(), BEFORE, slower)
    assert (found.turns, found.changes) == ((Turn.SAME,), (("deadlines",),))
    both_refused = policy(("refund: 30 days, exchange: 60 days", "refund: 5 days"))
    stricter = policy(("refund: 30 days, exchange: 60 days", "refund: 4 days"), ("4.90", "5.90"))
    assert compare(past(20), both_refused, stricter).changes == ((),)
    assert compare(past(20), BEFORE, BEFORE).changes == ((),)


def test_returns_that_do_not_replay_are_named() -> None:
    counted, other = Tally(), Tally()
    for days in range(1, 15):
        one = compare(past(days), BEFORE, BEFORE)
        counted.add(one, replayed=days % 2 == 0)
        other.add(one, replayed=False)
    report = counted.report()
    assert (report["replayed"], report["differing"]) == (7, 7)
    assert report["differing_returns"] == sorted(f"R{days}" for days in range(1, 15, 2))
    counted.merge(json.loads(json.dumps(other.to_json())))
    assert len(counted.report()["differing_returns"]) == tally.DIFFERING_MAX


def test_random_policies_against_deciding_one_by_one() -> None:
    random = Random("backtest")
    for _ in range(8):
        old, new = (
            compile_policy(load_policy(json.dumps(random_document(random, complete=True))))
            for _ in range(2)
        )
        counted, trial = Tally(), Trial(old, new)
        drawn = [Facts.from_json(random_case(random)) for _ in range(30)]
        for facts in drawn:
            counted.add(trial.compare(PastReturn("R", (PastLine(facts),))))
        pairs = [(_refunds(old, facts), _refunds(new, facts)) for facts in drawn]
        turns = counted.report()["turns"]
        assert turns["opened"] == sum(after and not before for before, after in pairs)
        assert turns["closed"] == sum(before and not after for before, after in pairs)
        json.dumps(counted.report())


def _refunds(judge: Policy, facts: Facts) -> bool:
    return any(one.kind is ResolutionKind.REFUND for one in judge.decide(facts).resolutions)


def test_memory_is_bounded_whatever_the_number_of_names() -> None:
    counted, trial = Tally(), Trial(BEFORE, BEFORE)
    for number in range(tally.GROUPS_MAX + 50):
        line = PastLine(replace(FIRST, sku=f"S{number}"))
        counted.add(trial.compare(PastReturn(str(number), (line,))))
    assert len(counted.groups["sku"]) == tally.GROUPS_MAX + 1
    assert counted.groups["sku"][tally.OTHER].lines == 50


FIRST = past().lines[0].facts
