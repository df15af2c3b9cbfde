"""Until when: windows by hand-made cases, their days, extensions, countries and their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from returns_api.domain.policy import (
    compile_policy,
)
from returns_api.domain.policy.decisions import Because
from returns_api.domain.policy.evaluate import DATED
from returns_api.domain.policy.vocabulary import ResolutionKind
from tests.domain.policy.support import facts, kinds, loaded, policy, utc


def test_the_last_day_of_a_window_belongs_to_it() -> None:
    shop = policy()
    assert shop.decide(facts(asked_at=utc(2026, 4, 9, 21, 59, 59))).eligible
    late = shop.decide(facts(asked_at=utc(2026, 4, 9, 22)))
    assert not late.eligible
    assert late.because == (
        Because(
            "window_over",
            "house",
            (("resolution", "refund"),
             ("until_local", "2026-04-09, end of day, Europe/Berlin"),
             ("window", "30 days")),
        ),
    )  # fmt: skip


def test_resolutions_end_one_by_one() -> None:
    shop = policy(
        "  - {id: r, resolutions: {refund: 5 days, exchange: 60 days, repair: unlimited}}\n"
    )
    decision = shop.decide(facts())
    assert kinds(decision) == ["exchange", "repair"]
    assert decision.resolutions[1].until is None
    assert decision.resolutions[1].until_local == "no end"


def test_windows_begin_with_the_first_known_event() -> None:
    shop = policy("  - {id: s, starts: [delivered, fulfilled + 7 days]}\n")
    lost = facts(delivered_at=None)
    assert shop.decide(lost).resolutions[0].until == utc(2026, 4, 9, 21, 59, 59)
    unsent = replace(lost, fulfilled_at=None)
    decision = shop.decide(unsent)
    assert (decision.eligible, decision.resolutions[0].until_local) == (True, "not begun")


def test_a_holiday_extension_reaches_every_resolution_that_would_end_before() -> None:
    rules = """\
  - {id: holidays, when: {placed: {from: 2026-02-01, until: 2026-03-01}}, extend_to: 2026-05-31}
  - {id: r, resolutions: {refund: 30 days, exchange: 1 year}}
"""
    decision = policy(rules).decide(facts())
    ends = [resolution.until_local[:10] for resolution in decision.resolutions]
    assert ends == ["2026-05-31", "2027-03-10"]


def test_days_end_for_the_buyer_where_the_policy_says_so() -> None:
    shop = policy(header="day_ends: buyer\n")
    ends = {
        zone: shop.decide(facts(buyer_timezone=zone)).resolutions[0].until
        for zone in ("Asia/Tokyo", "America/Los_Angeles", None, "Not/AZone")
    }
    assert ends == {
        "Asia/Tokyo": utc(2026, 4, 9, 14, 59, 59),
        "America/Los_Angeles": utc(2026, 4, 10, 6, 59, 59),
        None: utc(2026, 4, 9, 21, 59, 59),
        "Not/AZone": utc(2026, 4, 9, 21, 59, 59),
    }


def test_the_same_order_has_three_windows_in_three_countries() -> None:
    shop = policy(header="day_ends: buyer\n", house="  - {id: h, resolutions: {refund: 5 days}}\n")
    found = {}
    for country, zone in (
        ("DE", "Europe/Berlin"),
        ("CN", "Asia/Shanghai"),
        ("US", "America/Chicago"),
    ):
        case = facts(country=country, buyer_timezone=zone, asked_at=utc(2026, 3, 12))
        found[country] = shop.decide(case).resolutions[0].until_local
    assert found == {
        "DE": "2026-03-24, end of day, Europe/Berlin",
        "CN": "2026-03-17, end of day, Asia/Shanghai",
        "US": "2026-03-15, end of day, America/Chicago",
    }


_TOTAL = compile_policy(
    loaded(
        "  - {id: x, when: {sku: 'A*', unit_price: {max: 5}, placed: {from: 2020-01-01}, "
        "place: [EU, US-CA]}, resolutions: {refund: 10 business days, repair: 3 months}}\n",
        "day_ends: buyer\n",
    )
)


def test_a_window_near_the_end_of_time_has_no_end() -> None:
    late = utc(9999, 12, 20)
    case = facts(placed_at=late, fulfilled_at=late, delivered_at=late, asked_at=late)
    decision = policy().decide(replace(case, asked_at=late + timedelta(days=10)))
    assert decision.resolutions[0].kind is ResolutionKind.REFUND
    assert decision.resolutions[0].until is None


def test_what_is_remembered_of_days_is_bounded_and_forgetting_changes_nothing() -> None:
    rules = "".join(
        f"  - {{id: r{n}, when: {{sku: S{n}}}, return_shipping: {n}.00}}\n" for n in range(1, 9)
    )
    judge, kept = policy(rules), []
    for day in range(DATED + 200):
        moment = utc(2015, 1, 1, 12) + timedelta(days=day)
        case = facts(sku=f"S{day % 9}", placed_at=moment, delivered_at=moment, asked_at=moment)
        kept.append((case, judge.weigh(case).standing.resolutions))
    for case, resolutions in kept[::97]:
        assert judge.weigh(case).standing.resolutions == resolutions
    shared = {id(one.plan): one.plan for one in judge._outcomes.values()}
    assert len(shared) == 1, "the same windows are one plan, whatever else the rules say"
    assert sum(len(plan.dated) for plan in shared.values()) <= DATED
