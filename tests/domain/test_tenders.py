"""What is drawn from which payment, in their order, and what is left of each."""

from __future__ import annotations

import pytest

from returns_api.domain.errors import Invalid, NothingLeftToRefund
from returns_api.domain.refundable import overdrawn, refundable, require_refundable
from returns_api.domain.tenders import Tender, Transfer, drain


@pytest.mark.parametrize(
    ("amount", "left", "sent", "uncovered"),
    [
        (80, [50, 30], [("p1", 50), ("p2", 30)], 0),
        (60, [50, 30], [("p1", 50), ("p2", 10)], 0),
        (100, [50, 30], [("p1", 50), ("p2", 30)], 20),
        (10, [0, -5, 30], [("p3", 10)], 0),
        (2, [1, 30], [("p1", 1), ("p2", 1)], 0),
        (0, [50], [], 0),
        (7, [], [], 7),
    ],
)
def test_tenders_are_drained_in_their_order(
    amount: int, left: list[int], sent: list[tuple[str, int]], uncovered: int
) -> None:
    tenders = [Tender(f"p{number}", each) for number, each in enumerate(left, start=1)]
    assert drain(amount, tenders) == (tuple(Transfer(*each) for each in sent), uncovered)


@pytest.mark.parametrize(
    ("balance", "left", "over"),
    [
        ((100, 0, 0, 0, 0), 100, 0),
        ((100, 60, 0, 0, 0), 40, 0),
        ((100, 10, 20, 30, 40), 0, 0),
        ((100, 0, 60, 60, 0), 0, 20),
        ((0, 0, 0, 0, 0), 0, 0),
    ],
)
def test_what_is_left_of_a_payment(balance: tuple[int, ...], left: int, over: int) -> None:
    assert refundable(*balance) == left
    assert overdrawn(*balance) == over


def test_a_refund_above_what_is_left_tells_what_is_left() -> None:
    require_refundable(40, 40)
    with pytest.raises(NothingLeftToRefund) as caught:
        require_refundable(60, 40)
    assert caught.value.context == {"requested": 60, "remaining": 40}
    for amount in (0, -1):
        with pytest.raises(Invalid):
            require_refundable(amount, 40)
