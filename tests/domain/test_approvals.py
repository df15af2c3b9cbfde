"""What one person may pay out alone, and what an approval is bound to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.approvals import (
    Asked,
    Destination,
    RefundLimits,
    allowances,
    binding,
    exceeded,
)

SHOP, ORDER, PERSON = (UUID(int=n) for n in (1, 2, 3))
LIMITED = RefundLimits(agent_per_order=20_00, agent_per_day=50_00, shop_per_day=80_00)


def asked(**more: Any) -> Asked:
    at = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    values = {"is_agent": True, "at": at, "zone": ZoneInfo("Europe/Berlin"), **more}
    return Asked(SHOP, ORDER, PERSON, **values)


def test_a_request_draws_on_its_order_its_person_and_its_shop() -> None:
    found = [
        (each.name, each.subject, each.day, each.limit) for each in allowances(LIMITED, asked())
    ]
    assert found == [
        ("agent_per_order", ORDER, "", 20_00),
        ("agent_per_day", PERSON, "2026-11-22", 50_00),  # it is past midnight in Berlin
        ("shop_per_day", SHOP, "2026-11-22", 80_00),
    ]


def test_by_default_finance_acts_alone_and_agents_only_propose() -> None:
    nobody = RefundLimits.of({})
    assert allowances(nobody, asked(is_agent=False)) == ()
    assert {each.limit for each in allowances(nobody, asked())} == {0}
    assert RefundLimits.of({"agent_per_day": None, "gone": 1}).agent_per_day is None


@pytest.mark.parametrize(
    ("spent", "amount", "over"),
    [
        ({}, 20_00, None),
        ({}, 20_01, "agent_per_order"),
        ({"order": 10_00}, 10_00, None),
        ({"order": 10_00}, 10_01, "agent_per_order"),
        ({"person": 40_00}, 10_00, None),
        ({"person": 40_00}, 10_01, "agent_per_day"),
        ({"shop": 79_99}, 1, None),
        ({"shop": 79_99}, 2, "shop_per_day"),
    ],
)
def test_a_limit_is_passed_to_the_cent(
    spent: dict[str, int], amount: int, over: str | None
) -> None:
    counters = allowances(LIMITED, asked())
    known = {each.key: spent[each.kind] for each in counters if each.kind in spent}
    assert exceeded(counters, known, amount) == over


_DESTINATIONS = st.lists(
    st.builds(
        Destination,
        st.integers(0, 5).map(lambda n: UUID(int=n)),
        st.integers(0, 5).map(lambda n: UUID(int=n)),
        st.integers(1, 500),
    ),
    min_size=1,
    max_size=4,
)
_SEEN = st.tuples(st.integers(1, 500), st.sampled_from(["EUR", "USD", "JPY"]), _DESTINATIONS)


@given(_SEEN, _SEEN)
def test_only_the_same_amount_currency_and_destinations_have_the_same_binding(
    one: tuple[int, str, list[Destination]], other: tuple[int, str, list[Destination]]
) -> None:
    def plain(seen: tuple[int, str, list[Destination]]) -> tuple[Any, ...]:
        to = sorted((d.transfer, d.to, d.amount_minor) for d in seen[2])
        return seen[0], seen[1], to

    assert (binding(*one) == binding(*other)) == (plain(one) == plain(other))
    assert binding(one[0], one[1], reversed(one[2])) == binding(*one)
