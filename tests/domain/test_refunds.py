"""Refunds as pure plans: what is covered by which payment, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.errors import Invalid, NothingLeftToRefund
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import (
    PlannedTransfer,
    missing,
    plan_cover,
    plan_refund,
)
from tests.support.money_rows import payment, transfer


def drained(plan: Sequence[PlannedTransfer]) -> list[tuple[str | None, int]]:
    """What each payment gives back, by the payment's name."""
    return [(p.payment.external_id if p.payment else None, p.amount_minor) for p in plan]


def test_tenders_are_drained_in_their_order() -> None:
    plan = plan_refund([payment(2, 3000), payment(1, 5000)], 8000)
    assert drained(plan) == [("p1", 5000), ("p2", 3000)]
    plan = plan_refund([payment(1, 5000, reserved=4000, refunded=500), payment(2, 3000)], 1000)
    assert drained(plan) == [("p1", 500), ("p2", 500)]


def test_a_payment_that_nobody_can_call_needs_a_person() -> None:
    (plan,) = plan_refund([payment(1, 100, provider_payment_id=None)], 100)
    assert plan.state == "needs_review"
    assert plan_refund([payment(1, 100)], 100)[0].state == "queued"


@pytest.mark.parametrize(
    ("case", "payments", "asked", "remaining"),
    [
        ("craftcms 1098", [payment(1, 10000, refunded=9900)], 5000, 100),
        ("saleor 19645", [payment(1, 10000, reserved=6000)], 6000, 4000),
        ("saleor 19645, raised", [payment(1, 10000)], 10100, 10000),
        ("saleor 4493", [payment(1, 421604, refunded=100000, reserved=317500)], 5000, 4104),
        ("a dispute", [payment(1, 10000, disputed=10000)], 1, 0),
        ("an outside refund above captured", [payment(1, 10000, external=12000)], 1, 0),
        ("two tenders", [payment(1, 5000), payment(2, 3000)], 8001, 8000),
    ],
)
def test_more_than_is_left_is_refused_and_what_is_left_is_told(
    case: str, payments: list[PaymentRecord], asked: int, remaining: int
) -> None:
    with pytest.raises(NothingLeftToRefund) as refused:
        plan_refund(payments, asked)
    assert refused.value.context == {"requested": asked, "remaining": remaining}, case


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_is_above_zero(amount: int) -> None:
    with pytest.raises(Invalid):
        plan_refund([payment(1, 100)], amount)


def test_no_payment_and_mixed_currencies_are_refused() -> None:
    with pytest.raises(Invalid):
        plan_refund([], 1)
    with pytest.raises(Invalid):
        plan_refund([payment(1, 100), payment(2, 100, currency="USD")], 1)


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 600)), max_size=4), st.integers(0, 2000)
)
def test_covering_takes_all_it_can_and_no_more(amounts: list[tuple[int, int]], asked: int) -> None:
    payments = [payment(n, c, reserved=r) for n, (c, r) in enumerate(amounts, start=1)]
    foreign = payment(9, 500, currency="USD", position=-1)
    plan = plan_cover([foreign, *payments], asked, "EUR")
    assert plan == plan_cover(payments, asked, "EUR"), "another currency's is left alone"
    left = sum(max(captured - reserved, 0) for captured, reserved in amounts)
    assert sum(p.amount_minor for p in plan) == min(asked, left)
    assert all(p.payment and 0 < p.amount_minor <= p.payment.refundable for p in plan)


def test_what_is_missing_neither_arrived_nor_is_under_way() -> None:
    moves = [
        transfer("succeeded", amount_minor=10),
        transfer("failed", amount_minor=20),
        transfer("pending", amount_minor=30),
        transfer("canceled", amount_minor=40),
        transfer("needs_review", amount_minor=50),
    ]
    assert missing(150, moves) == 60
    assert missing(90, moves) == 0
