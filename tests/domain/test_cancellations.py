"""Which units a cancellation gives up, and what a parcel's delivery means for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from returns_api.domain.cancellations import (
    CAUSES,
    CancellationRecord,
    CancelledLine,
    opening,
    plan_delivered,
    plan_dispatched,
)

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
LINE = UUID(int=1)


def a_cancellation(cause: str, units: tuple[int, ...], **more: object) -> CancellationRecord:
    state, deadlines = opening(cause, NOW)
    line = CancelledLine(UUID(int=2), LINE, "coat", "coat", None, "goods", len(units), units)
    made = CancellationRecord(
        UUID(int=3), UUID(int=4), None, None, "o1", cause, state, "buyer", None, None, 1, 0, 1,
        NOW, NOW, (line,), deadlines,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("sent", "given_up"), [(1, {1}), (2, {1, 2}), (3, {1, 2, 3})])
def test_what_was_sent_takes_the_lowest_numbers(sent: int, given_up: set[int]) -> None:
    """An order edit takes the highest ones out: those stay with the cancellation."""
    change = plan_dispatched(a_cancellation("before_dispatch", (3, 2, 1)), {LINE: sent}, NOW)
    assert change is not None
    assert set(change.release[LINE]) == given_up
    assert change.state == ("declined" if sent == 3 else "requested")


@pytest.mark.parametrize("cause", [cause for cause in CAUSES if cause != "before_dispatch"])
def test_goods_that_came_are_not_paid_by_silence(cause: str) -> None:
    asked = a_cancellation(cause, (1, 2))
    change = plan_delivered(asked, NOW)
    if cause == "refused":
        assert change is None, "the scan may be that of the way back"
        return
    assert change is not None
    assert (change.state, change.values, change.pays) == (
        "declined", {"reason": "delivered"}, False,
    )  # fmt: skip
    assert change.release == {LINE: (1, 2)}
    assert all(deadline.state != "open" for deadline in change.deadlines)


@pytest.mark.parametrize(
    ("cause", "told"), [("lost", 2), ("not_received", 2), ("recalled", None), ("refused", None)]
)
def test_what_was_paid_as_missing_and_came_is_told_once(cause: str, told: int | None) -> None:
    paid = a_cancellation(cause, (1, 2), state="confirmed")
    change = plan_delivered(paid, NOW)
    found = None if change is None else (change.event, change.values["overrun"], change.pays)
    assert found == (None if told is None else ("cancellation.overrun", told, False))
    assert plan_delivered(replace(paid, overrun=2), NOW) is None
