"""Price and credit of an exchange: nothing is lost, nothing is given twice, whoever acts when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.errors import DoesNotFit, ReturnsError
from returns_api.domain.exchange_answers import (
    plan_accept,
    plan_cancel,
    plan_choose,
    plan_exchange_silence,
    plan_in_stock,
    plan_lapse,
    plan_link,
    plan_out_of_stock,
)
from returns_api.domain.exchange_goods import (
    Judged,
    balance,
    plan_complete,
    plan_first,
    plan_judge,
    plan_pay,
    plan_recall,
    plan_ship,
)
from returns_api.domain.exchanges import (
    Alternative,
    ExchangeChange,
    ExchangeRecord,
    opening,
)
from returns_api.domain.lifecycle.deadlines import applied
from returns_api.domain.lifecycle.exchanges import EXCHANGE, OPEN_EXCHANGE, RELEASED
from returns_api.domain.lifecycle.machine import Actor

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
AMOUNTS = st.integers(0, 100_000)
BUYER, AGENT, FINANCE = Actor.BUYER, Actor.AGENT, Actor.FINANCE


def exchange(kind: str = "exchange", **values: Any) -> ExchangeRecord:
    """A new one of three units that count for 60.00."""
    state, deadlines = opening(kind, NOW)
    new = dict.fromkeys(ExchangeRecord.__dataclass_fields__)
    known = {
        "id": UUID(int=1),
        "kind": kind,
        "state": state,
        "fallback": "refund",
        "quantity": 3,
        "expected_minor": 60_00,
        "sku": "SKU-L",
        "alternatives": [],
        "drawn_minor": 0,
        "paid_minor": 0,
        "in_advance": False,
        "gift_drawn_minor": 0,
        "deadlines": deadlines,
    }
    return ExchangeRecord(**{**new, **known, **values})


def after(change: ExchangeChange) -> ExchangeRecord:
    """The exchange as the database has it after a change."""
    before = change.before
    timed = applied(before.deadlines, change.deadlines)
    return replace(before, state=change.state, deadlines=timed, **change.values)


@given(price=AMOUNTS, credit=AMOUNTS, passed=st.integers(1, 3), free=st.booleans())
def test_price_and_credit_add_up(price: int, credit: int, passed: int, *, free: bool) -> None:
    one = exchange("replacement" if free else "exchange", unit_price_minor=None if free else price)
    found = balance(one, Judged(range(1, passed + 1), credit, 0))
    if free:
        assert (found.drawn_minor, found.due_minor, found.rest_minor) == (0, 0, 0)
        return
    assert found.drawn_minor + found.due_minor == price * passed
    assert found.drawn_minor + found.rest_minor == credit
    assert min(found.due_minor, found.rest_minor) == 0
    assert min(found.drawn_minor, found.due_minor, found.rest_minor) >= 0


Move = Callable[[ExchangeRecord, datetime], ExchangeChange | None]


def moves(price: int, other: int, judged: Judged, number: int) -> dict[str, Move]:
    """Everything that anybody can do to an exchange."""
    goods = [
        Alternative("upgrade", sku="X", unit_price_minor=other),
        Alternative("store_credit"),
        Alternative("refund_and_gift", gift_minor=5_00),
    ]
    stock = {"title": None, "payment_url": None}
    return {
        "there": lambda x, now: plan_in_stock(x, AGENT, now, unit_price_minor=price, **stock),
        "out": lambda x, now: plan_out_of_stock(x, AGENT, now, goods),
        "accept": lambda x, now: plan_accept(x, BUYER, now),
        "choose": lambda x, now: plan_choose(x, BUYER, now, number),
        "cancel": lambda x, now: plan_cancel(x, BUYER, now),
        "link": lambda x, now: plan_link(x, AGENT, now, "https://shop.example"),
        "first": lambda x, now: plan_first(x, (1, 2, 3), now),
        "recall": lambda x, now: plan_recall(x, now) if x.in_advance else None,
        "judge": lambda x, now: plan_judge(x, judged, now),
        "pay": lambda x, now: plan_pay(x, FINANCE, now, judged, x.due_minor or 0, "pi_1"),
        "ship": lambda x, now: plan_ship(x, AGENT, now, None, None),
        "complete": lambda x, now: plan_complete(x, BUYER, now),
        "lapse": plan_lapse,
        "silence": lambda x, now: plan_exchange_silence(x, now + timedelta(days=30)),
    }


NAMES = sorted(moves(0, 0, Judged((), 0, 0), 1))


@given(
    walk=st.lists(st.sampled_from(NAMES), max_size=14),
    price=AMOUNTS,
    other=AMOUNTS,
    credit=AMOUNTS,
    passed=st.integers(0, 3),
    uncovered=st.sampled_from([0, 0, 0, 1]),
    number=st.integers(1, 5),
)
def test_no_walk_gives_goods_and_money_for_the_same_units(
    walk: list[str], price: int, other: int, credit: int, passed: int, uncovered: int, number: int
) -> None:
    judged = Judged(range(1, passed + 1), credit, uncovered)
    every, one, gave = moves(price, other, judged, number), exchange(), 0
    for name in walk:
        try:
            change = every[name](one, NOW)
        except ReturnsError:
            continue
        if change is None:
            continue
        assert change.state in {to for (s, _), rule in EXCHANGE.rules.items()
                                if s == one.state for to in rule.to}  # fmt: skip
        gave += change.event == "exchange.released"
        one = after(change)
        standing = [each.kind for each in one.deadlines if each.stands]
        assert len(standing) <= 1, "one deadline at a time"
        assert all(one.state in EXCHANGE.timer(kind).states for kind in standing)
        given_out, in_money = one.state in RELEASED, one.outcome is not None
        assert given_out + in_money + (one.state in OPEN_EXCHANGE or one.state == "lapsed") == 1
        if given_out:
            assert one.unit_price_minor is not None
            assert one.units is not None
            assert one.drawn_minor + one.paid_minor == one.unit_price_minor * len(one.units)
            if not one.in_advance:  # what went first is set against the goods by its advance
                assert one.drawn_minor <= credit
                assert not uncovered
        else:
            assert (one.drawn_minor, one.paid_minor) == (0, 0)
        assert one.gift_minor is None or (one.state, one.outcome) == ("converted", "refund")
    assert gave <= 1, "goods go out once"


def test_a_replacement_has_no_price_and_an_exchange_has_one() -> None:
    free, priced = exchange("replacement"), exchange()
    with pytest.raises(DoesNotFit):
        plan_out_of_stock(free, AGENT, NOW, [Alternative("variant", sku="X", unit_price_minor=1)])
    with pytest.raises(DoesNotFit):
        plan_out_of_stock(priced, AGENT, NOW, [Alternative("variant", sku="X")])
    out = after(plan_out_of_stock(free, AGENT, NOW, [Alternative("variant", sku="X")]))
    taken = after(plan_choose(out, BUYER, NOW, 1))
    assert (taken.state, taken.sku, taken.unit_price_minor) == ("awaiting_goods", "X", None)


@pytest.mark.parametrize("fallback", ["refund", "store_credit"])
def test_what_the_buyer_gives_up_falls_back_as_quoted(fallback: str) -> None:
    """What the shop does not have is a refund in any case; what nobody can be given is not."""
    one = exchange(fallback=fallback)
    assert after(plan_cancel(one, BUYER, NOW)).outcome == fallback
    waits = replace(one, state="awaiting_goods", unit_price_minor=20_00)
    for units, uncovered in (((1,), 1), ((), 0)):
        failed = after(plan_judge(waits, Judged(units, 20_00, uncovered), NOW))
        assert (failed.state, failed.outcome) == ("failed", fallback)
    out = after(plan_out_of_stock(one, AGENT, NOW, []))
    silent = plan_exchange_silence(out, NOW + timedelta(days=8))
    assert silent is not None
    assert after(silent).outcome == "refund"
