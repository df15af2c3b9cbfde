"""Store credit as plans: what is used first, what is left, and what never happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.errors import ActionNotAllowed, DoesNotFit, NotEnoughCredit
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.store_credits import (
    CreditTerms,
    Draw,
    Lot,
    Taken,
    balance,
    bonus,
    plan_expiry,
    plan_give_back,
    plan_recovery,
    plan_spend,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def lot(number: int, left: int, days: int | None = None, kind: str = "refund") -> Lot:
    until = None if days is None else NOW + timedelta(days=days)
    return Lot(UUID(int=number), kind, "open" if left else "used", max(left, 1), left, until)


def shown(draws: Sequence[Draw]) -> list[tuple[int, int, str]]:
    return [(draw.lot.id.int, draw.amount_minor, draw.state) for draw in draws]


LOTS = (lot(1, 500), lot(2, 300, 30), lot(3, 200, 10), lot(4, 100, 30), lot(5, 900, -1))


@pytest.mark.parametrize(
    ("amount", "taken"),
    [
        (1, [(3, 1, "open")]),
        (200, [(3, 200, "used")]),
        (600, [(3, 200, "used"), (2, 300, "used"), (4, 100, "used")]),
        (601, [(3, 200, "used"), (2, 300, "used"), (4, 100, "used"), (1, 1, "open")]),
        (1100, [(3, 200, "used"), (2, 300, "used"), (4, 100, "used"), (1, 500, "used")]),
    ],
)
def test_what_expires_first_is_used_first_and_the_oldest_of_equals(
    amount: int, taken: list[tuple[int, int, str]]
) -> None:
    assert shown(plan_spend(LOTS, amount, Actor.AGENT, NOW)) == taken


def test_more_than_the_balance_is_refused_by_name_though_a_sweep_is_late() -> None:
    assert balance(LOTS, NOW) == 1100
    with pytest.raises(NotEnoughCredit) as refused:
        plan_spend(LOTS, 1101, Actor.AGENT, NOW)
    assert refused.value.context == {"requested": 1101, "balance": 1100}


def test_a_recovery_takes_what_there_is() -> None:
    draws = plan_recovery(LOTS, 5000, Actor.SYSTEM, NOW)
    assert sum(draw.amount_minor for draw in draws) == 1100
    assert plan_recovery([], 5000, Actor.SYSTEM, NOW) == ()


def test_only_what_is_past_its_day_expires() -> None:
    assert shown(plan_expiry(LOTS, NOW)) == [(5, 900, "expired")]
    edge = (lot(1, 7, 0), replace(lot(2, 7), expires_at=NOW + timedelta(microseconds=1)))
    assert shown(plan_expiry(edge, NOW)) == [(1, 7, "expired")]


def test_a_purchase_comes_back_from_what_lasts_longest() -> None:
    taken = [Taken(lot(3, 0, 10), 200), Taken(lot(2, 100, 30), 300), Taken(lot(1, 0), 50)]
    part = plan_give_back(taken, 60, Actor.AGENT, NOW)
    assert (shown(part.draws), part.fresh) == ([(1, 50, "open"), (2, 10, "open")], ())
    whole = plan_give_back(taken, None, Actor.AGENT, NOW)
    assert whole.amount_minor == 550


def test_what_expired_meanwhile_comes_back_as_a_new_lot() -> None:
    gone = replace(lot(9, 0, -5, "bonus"), state="expired")
    plan = plan_give_back([Taken(gone, 80), Taken(lot(1, 0), 20)], None, Actor.AGENT, NOW)
    assert shown(plan.draws) == [(1, 20, "open")]
    assert plan.fresh == (("bonus", 80),)
    assert dict(plan.returned) == {gone.id: 80, UUID(int=1): 20}


@pytest.mark.parametrize("amount", [0, 201])
def test_no_more_comes_back_than_was_taken(amount: int) -> None:
    with pytest.raises(DoesNotFit):
        plan_give_back([Taken(lot(1, 0), 200)], amount, Actor.AGENT, NOW)


def test_a_purchase_that_came_back_cannot_come_back_again() -> None:
    with pytest.raises(DoesNotFit):
        plan_give_back([Taken(lot(1, 200), 0)], None, Actor.AGENT, NOW)


@pytest.mark.parametrize("actor", [Actor.BUYER, Actor.WAREHOUSE])
def test_who_has_no_till_takes_nothing(actor: Actor) -> None:
    with pytest.raises(ActionNotAllowed):
        plan_spend(LOTS, 1, actor, NOW)
    with pytest.raises(ActionNotAllowed):
        plan_recovery(LOTS, 1, actor, NOW)


@pytest.mark.parametrize(
    ("amount", "ppm", "expected"),
    [(10_00, 100_000, 100), (1, 100_000, 1), (11, 100_000, 2), (0, 100_000, 0), (999, 0, 0)],
)
def test_a_bonus_is_rounded_up(amount: int, ppm: int, expected: int) -> None:
    assert bonus(amount, ppm) == expected


def test_credit_lasts_until_the_end_of_the_shop_s_day() -> None:
    terms = CreditTerms.of({"granted_lasts_days": 1, "gateways": ["gift_card"]})
    assert terms.expiry("refund", NOW, BERLIN) is None
    assert terms.expiry("bonus", NOW, BERLIN) == datetime(2026, 11, 23, 23, tzinfo=UTC)
    before_the_change = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert terms.expiry("goodwill", before_the_change, BERLIN) == datetime(
        2026, 10, 25, 23, tzinfo=UTC
    )


Steps = st.lists(
    st.tuples(
        st.sampled_from(["issue", "spend", "undo", "recover", "expire", "wait"]),
        st.integers(1, 1000),
        st.integers(0, 40),
    ),
    max_size=40,
)


@given(Steps)
def test_the_balance_is_the_sum_of_its_lots_whatever_happens(
    steps: list[tuple[str, int, int]],
) -> None:
    """T18 in small: issued - taken + given back = what lots have left, and nothing is below 0."""
    lots: dict[UUID, Lot] = {}
    purchases: list[dict[UUID, int]] = []
    books, now = 0, NOW

    def put(draws: Sequence[Draw], sign: int) -> None:
        for draw in draws:
            before = lots[draw.lot.id]
            left = before.remaining_minor + sign * draw.amount_minor
            lots[draw.lot.id] = replace(before, remaining_minor=left, state=draw.state)

    def add(kind: str, amount: int, until: datetime | None) -> None:
        made = Lot(UUID(int=len(lots) + 1), kind, "open", amount, amount, until)
        lots[made.id] = made

    for action, amount, number in steps:
        every = list(lots.values())
        if action == "issue":
            add("refund", amount, None if number == 0 else now + timedelta(days=number))
            books += amount
        elif action == "spend":
            if amount > balance(every, now):
                with pytest.raises(NotEnoughCredit):
                    plan_spend(every, amount, Actor.AGENT, now)
            else:
                draws = plan_spend(every, amount, Actor.AGENT, now)
                put(draws, -1)
                purchases.append({draw.lot.id: draw.amount_minor for draw in draws})
                books -= amount
        elif action == "undo" and purchases:
            bought = purchases[number % len(purchases)]
            taken = [Taken(lots[each], left) for each, left in bought.items()]
            if sum(bought.values()):
                plan = plan_give_back(taken, min(amount, sum(bought.values())), Actor.AGENT, now)
                put(plan.draws, 1)
                for kind, back in plan.fresh:
                    add(kind, back, now + timedelta(days=30))
                for lot_id, back in plan.returned:
                    bought[lot_id] -= back
                books += plan.amount_minor
        elif action in {"recover", "expire"}:
            draws = (
                plan_recovery(every, amount, Actor.SYSTEM, now)
                if action == "recover"
                else plan_expiry(every, now)
            )
            put(draws, -1)
            books -= sum(draw.amount_minor for draw in draws)
        elif action == "wait":
            now += timedelta(days=number)
        left = [each.remaining_minor for each in lots.values()]
        assert sum(left) == books >= 0
        assert all(0 <= each.remaining_minor <= each.amount_minor for each in lots.values())
        assert all((e.state == "open") == (e.remaining_minor > 0) for e in lots.values())
        assert all(each >= 0 for bought in purchases for each in bought.values())
