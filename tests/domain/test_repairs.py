"""What a repair costs and who pays: never more than was agreed, whoever acts when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.errors import DoesNotFit, ReturnsError
from returns_api.domain.lifecycle.deadlines import applied
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.repairs import GOING_BACK, OPEN_REPAIR, REPAIR
from returns_api.domain.repair_plans import (
    plan_accept,
    plan_choose,
    plan_complete,
    plan_decline,
    plan_finish,
    plan_give_up,
    plan_judge,
    plan_lapse,
    plan_link,
    plan_pay,
    plan_quote,
    plan_repair_silence,
    plan_ship,
    plan_waive,
)
from returns_api.domain.repair_prices import Asked, PriceList, estimate
from returns_api.domain.repairs import RepairChange, RepairRecord

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
BUYER, AGENT, FINANCE = Actor.BUYER, Actor.AGENT, Actor.FINANCE
PRICES = PriceList(
    "EUR",
    {
        "look": {"kind": "inspection", "title": "Inspection", "price": 15_00},
        "look-2": {"kind": "inspection", "title": "Of amplifiers", "price": 25_00},
        "battery": {"kind": "part", "title": "Battery", "price": 39_00},
        "hour": {"kind": "labour", "title": "An hour", "price": 55_00},
        "back": {"kind": "freight", "title": "Way back", "price": 6_90},
    },
)
CODES = list(PRICES.prices)


def repair(**values: Any) -> RepairRecord:
    """A new one of two units that nobody covers; 4.90 is due for the way."""
    new = dict.fromkeys(RepairRecord.__dataclass_fields__)
    known = {
        "id": UUID(int=1),
        "state": "awaiting_goods",
        "free": False,
        "quantity": 2,
        "currency": "EUR",
        "replaceable": False,
        "freight_minor": 4_90,
        "decline_most_minor": 4_90 + PRICES.decline_most("EUR"),
        "positions": [],
        "paid_minor": 0,
        "waived_minor": 0,
        "deadlines": (),
    }
    return RepairRecord(**{**new, **known, **values})


def after(change: RepairChange) -> RepairRecord:
    """The repair as the database has it after a change."""
    before = change.before
    timed = applied(before.deadlines, change.deadlines)
    return replace(before, state=change.state, deadlines=timed, **change.values)


@pytest.mark.parametrize(
    ("asked", "free", "total", "declined"),
    [
        ([("battery", 1, False)], False, 43_90, 4_90),
        ([("look", 1, False), ("battery", 2, False)], False, 97_90, 19_90),
        ([("look", 1, False), ("battery", 1, True)], False, 19_90, 19_90),
        ([("look", 2, False), ("back", 1, False)], False, 41_80, 4_90 + 25_00 + 6_90),
        ([("look", 1, True), ("hour", 1, True)], False, 4_90, 4_90),
        ([("look", 1, False), ("battery", 9, False)], True, 0, 0),
        ([], True, 0, 0),
    ],
    ids=["part", "inspected", "warranty part", "at most as quoted", "all covered", "free", "bare"],
)
def test_a_quote_adds_up_by_the_price_list(
    asked: list[tuple[str, int, bool]], free: bool, total: int, declined: int
) -> None:
    terms = {"free": True, "freight_minor": 0, "decline_most_minor": 0} if free else {}
    here = after(plan_judge(repair(**terms), [1, 2], NOW))
    quoted = after(plan_quote(here, AGENT, NOW, PRICES, [Asked(*each) for each in asked], None))
    assert (quoted.total_minor, quoted.decline_minor) == (total, declined)
    assert quoted.state == ("quoted" if total else "repairing")


@pytest.mark.parametrize(
    ("asked", "currency", "problem"),
    [
        ([], "EUR", "at least one position"),
        ([Asked("hammer", 1, False)], "EUR", "price list"),
        ([Asked("hour", 1, False), Asked("hour", 1, False)], "EUR", "each once"),
        ([Asked("hour", 1, False)], "CHF", "no prices in CHF"),
    ],
)
def test_a_quote_names_what_the_price_list_has(
    asked: Sequence[Asked], currency: str, problem: str
) -> None:
    here = after(plan_judge(repair(currency=currency), [1], NOW))
    with pytest.raises(DoesNotFit, match=problem):
        plan_quote(here, AGENT, NOW, PRICES, asked, None)


@given(
    quantities=st.lists(st.integers(1, 9), min_size=5, max_size=5),
    covered=st.lists(st.booleans(), min_size=5, max_size=5),
    freight=st.integers(0, 10_000),
    most=st.integers(0, 10_000),
)
def test_declining_never_costs_more_than_the_repair_or_the_first_quote(
    quantities: list[int], covered: list[bool], freight: int, most: int
) -> None:
    asked = [Asked(*each) for each in zip(CODES, quantities, covered, strict=True)]
    found = estimate(PRICES.positions(asked, "EUR", free=False), freight, most)
    assert 0 <= found.decline_minor <= min(most, found.total_minor)
    assert found.total_minor == freight + sum(each.charged_minor for each in found.positions)


Move = Callable[[RepairRecord, datetime], RepairChange | None]


def moves(asked: Sequence[Asked], take: str, units: int) -> dict[str, Move]:
    """Everything that anybody can do to a repair."""
    return {
        "judge": lambda x, now: plan_judge(x, range(1, units + 1), now),
        "quote": lambda x, now: plan_quote(x, AGENT, now, PRICES, asked, None),
        "accept": lambda x, now: plan_accept(x, BUYER, now),
        "decline": lambda x, now: plan_decline(x, BUYER, now, take),
        "give_up": lambda x, now: plan_give_up(x, AGENT, now, "no_parts"),
        "choose": lambda x, now: plan_choose(x, BUYER, now, take),
        "finish": lambda x, now: plan_finish(x, AGENT, now),
        "link": lambda x, now: plan_link(x, AGENT, now, "https://shop.example"),
        "pay": lambda x, now: plan_pay(x, FINANCE, now, x.due_minor or 0, "pi_1"),
        "waive": lambda x, now: plan_waive(x, FINANCE, now),
        "ship": lambda x, now: plan_ship(x, AGENT, now, None, None),
        "complete": lambda x, now: plan_complete(x, BUYER, now),
        "lapse": plan_lapse,
        "silence": lambda x, now: plan_repair_silence(x, now + timedelta(days=30)),
    }


NAMES = sorted(moves((), "goods", 1))


@given(
    walk=st.lists(st.sampled_from([*NAMES, "judge", "quote", "silence"]), max_size=14),
    codes=st.sets(st.sampled_from(CODES)),
    covered=st.booleans(),
    free=st.booleans(),
    fallback=st.sampled_from([None, "refund", "store_credit"]),
    take=st.sampled_from(["goods", "refund", "store_credit", "replacement"]),
    replaceable=st.booleans(),
    units=st.integers(0, 2),
)
def test_no_walk_charges_what_was_not_agreed(
    walk: list[str],
    codes: set[str],
    fallback: str | None,
    take: str,
    units: int,
    *,
    covered: bool,
    free: bool,
    replaceable: bool,
) -> None:
    every = moves([Asked(code, 1, covered) for code in sorted(codes)], take, units)
    terms = {"free": True, "freight_minor": 0, "decline_most_minor": 0} if free else {}
    one, accepted = repair(fallback=fallback, replaceable=replaceable, **terms), None
    for name in walk:
        try:
            change = every[name](one, NOW)
        except ReturnsError:
            continue
        if change is None:
            continue
        assert change.state in {
            to for (s, _), rule in REPAIR.rules.items() if s == one.state for to in rule.to
        }
        before, one = one, after(change)
        if name == "accept":
            accepted = before.total_minor
        standing = [each.kind for each in one.deadlines if each.stands]
        assert len(standing) <= 1, "one deadline at a time"
        assert all(one.state in REPAIR.timer(kind).states for kind in standing)
        assert (one.outcome is not None) == (one.state == "converted")
        assert one.outcome in {None, fallback, *(["replacement"] if replaceable else [])}
        assert (one.result is not None) == (one.state in {*GOING_BACK, "awaiting_payment"})
        owed = {"repaired": accepted or 0, "declined": one.decline_minor or 0, "unrepairable": 0}
        if one.result is not None:
            assert one.due_minor == owed[one.result]
            assert one.due_minor == 0 or not free
        settled = one.paid_minor + one.waived_minor
        assert settled == ((one.due_minor or 0) if one.state in GOING_BACK else 0)
    assert one.is_open == (one.state in OPEN_REPAIR)


def test_silence_is_escalated_and_then_a_no() -> None:
    here = after(plan_judge(repair(), [1], NOW))
    first = plan_repair_silence(here, NOW + timedelta(days=8))
    assert first is not None
    asked = after(first)
    assert (asked.state, first.event) == ("escalated", "repair.escalated")
    second = plan_repair_silence(asked, NOW + timedelta(days=16))
    assert second is not None
    back = after(second)
    assert (back.state, back.result, back.cause, back.due_minor) == (
        "ready", "unrepairable", "no_answer", 0,
    )  # fmt: skip
