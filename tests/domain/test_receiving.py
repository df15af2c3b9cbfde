"""What the warehouse does to a return: counted in, graded, closed, and when money falls due."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from returns_api.domain.errors import Invalid
from returns_api.domain.receiving import (
    due_for_settlement,
    plan_inspect,
    plan_receive,
    plan_settle,
)
from returns_api.domain.refund_clocks import LawClock
from returns_api.domain.return_plans import (
    plan_approve,
    plan_reject,
    plan_ship,
)
from tests.support.actors import AGENT, SYSTEM, WAREHOUSE
from tests.support.lives import HOUR, NOW, Life, grown, opened, standing


def test_received_in_parts_adds_up() -> None:
    life = Life(opened(5, approval_auto=True))
    key = life.ret.lines[0].id
    life.do(plan_receive(life.ret, WAREHOUSE, NOW, {key: 2}))
    later = NOW + timedelta(days=1)
    ret = life.do(plan_receive(life.ret, WAREHOUSE, later, {key: 3}))
    assert ret.lines[0].received == 5
    assert ret.due_by("inspect") == NOW + timedelta(hours=48)
    for count in (1, 0, -1):
        with pytest.raises(Invalid):
            plan_receive(life.ret, WAREHOUSE, later, {key: count})


@pytest.mark.parametrize("counts", [{}, {UUID(int=1): 1}])
def test_a_receipt_counts_expected_lines(counts: dict[UUID, int]) -> None:
    with pytest.raises(Invalid):
        plan_receive(opened(1, approval_auto=True), WAREHOUSE, NOW, counts)


def test_a_rejected_line_is_not_expected() -> None:
    life = Life(opened(1, 1))
    first, _ = (each.id for each in life.ret.lines)
    life.do(plan_reject(life.ret, AGENT, NOW, "no", None, [first]))
    life.do(plan_approve(life.ret, AGENT, NOW))
    with pytest.raises(Invalid):
        plan_receive(life.ret, WAREHOUSE, NOW, {first: 1})


def test_graded_units_are_never_more_than_received() -> None:
    life = Life(opened(3, approval_auto=True))
    key = life.ret.lines[0].id
    life.do(plan_receive(life.ret, WAREHOUSE, NOW, {key: 2}))
    for count in (3, 0, -1):
        with pytest.raises(Invalid):
            plan_inspect(life.ret, WAREHOUSE, {key: count}, close=False)
    with pytest.raises(Invalid):
        plan_inspect(life.ret, WAREHOUSE, {}, close=False)
    with pytest.raises(Invalid):
        plan_inspect(life.ret, WAREHOUSE, {UUID(int=1): 1}, close=False)
    ret = life.do(plan_inspect(life.ret, WAREHOUSE, {key: 2}, close=False))
    assert (ret.state, ret.lines[0].state) == ("received", "received")


def test_closing_a_short_receipt_releases_what_never_came() -> None:
    life = Life(opened(5, 2, approval_auto=True))
    first, second = (each.id for each in life.ret.lines)
    life.do(plan_receive(life.ret, WAREHOUSE, NOW, {first: 3}))
    with pytest.raises(Invalid, match="grade them first"):
        plan_inspect(life.ret, WAREHOUSE, {first: 2}, close=True)
    ret = life.do(plan_inspect(life.ret, WAREHOUSE, {first: 3}, close=True))
    assert (ret.state, [each.state for each in ret.lines]) == (
        "inspected",
        ["inspected", "canceled"],
    )
    assert life.held == {first: {1, 2, 3}, second: set()}
    assert due_for_settlement(ret)


def test_closing_alone_ends_what_was_graded_before() -> None:
    life = Life(opened(2, approval_auto=True))
    key = life.ret.lines[0].id
    life.do(plan_receive(life.ret, WAREHOUSE, NOW, {key: 1}))
    life.do(plan_inspect(life.ret, WAREHOUSE, {key: 1}, close=False))
    ret = life.do(plan_inspect(life.ret, WAREHOUSE, {}, close=True))
    assert (ret.state, life.held) == ("inspected", {key: {1}})


def test_money_at_receipt_waits_for_the_last_unit() -> None:
    life = Life(opened(2, 1, approval_auto=True, refund_at="receipt"))
    first, second = (each.id for each in life.ret.lines)
    assert not due_for_settlement(life.do(plan_receive(life.ret, WAREHOUSE, NOW, {first: 2})))
    ret = life.do(plan_receive(life.ret, WAREHOUSE, NOW, {second: 1}))
    assert due_for_settlement(ret)
    ret = life.do(plan_settle(ret, NOW, 100))
    assert not due_for_settlement(ret)
    change = plan_inspect(ret, WAREHOUSE, {first: 2}, close=False)
    assert (change.state, change.event) == ("refunding", "return.inspected_late")
    ret = life.do(change)
    assert [each.inspected for each in ret.lines] == [2, 0]
    with pytest.raises(Invalid):
        plan_inspect(ret, WAREHOUSE, {first: 1}, close=False)
    with pytest.raises(Invalid):
        plan_inspect(ret, WAREHOUSE, {}, close=True)


@pytest.mark.parametrize(
    ("clock", "promised", "due"),
    [
        (None, 120, (9 * 24 + 120, None)),
        (LawClock("eu", "request", 14 * 24 * HOUR, "first_scan"), 120, (14 * 24, "eu")),
        (LawClock("eu", "request", 14 * 24 * HOUR, "first_scan"), 24, (10 * 24, None)),
        (LawClock("uk", "first_scan", 14 * 24 * HOUR), 240, (16 * 24, "uk")),
        (LawClock("cn", "receipt", 7 * 24 * HOUR), 120, (12 * 24, "cn")),
        (LawClock("cn", "receipt", 7 * 24 * HOUR), None, (12 * 24, "cn")),
        (LawClock("kr", "receipt", 3 * 24 * HOUR), 0, (8 * 24, "kr")),
        (LawClock("uk", "inspection", 14 * 24 * HOUR), 480, (23 * 24, "uk")),
    ],
)
def test_a_refund_is_due_by_the_earlier_of_policy_and_law(
    clock: LawClock | None, promised: int | None, due: tuple[int, str | None]
) -> None:
    """Sent on day 2, here on day 5, looked at on day 9; hours from the request."""
    within = None if promised is None else promised * HOUR
    given = {"law_clocks": (clock,) if clock else (), "refund_within_seconds": within}
    life = Life(opened(1, approval_auto=True, **given))
    (line_id,) = (each.id for each in life.ret.lines)
    life.do(plan_ship(life.ret, SYSTEM, NOW + timedelta(days=2)))
    life.do(plan_receive(life.ret, WAREHOUSE, NOW + timedelta(days=5), {line_id: 1}))
    known, _ = life.ret.refund_by
    life.do(plan_inspect(life.ret, WAREHOUSE, {line_id: 1}, close=False))
    ret = life.do(plan_settle(life.ret, NOW + timedelta(days=9), 100))
    day = NOW + timedelta(hours=due[0])
    assert ret.refund_by == (day, due[1])
    assert standing(ret) == ("refund", day)
    assert known is None or day <= known


def test_settling_without_money_ends_the_return() -> None:
    life = grown("inspected")
    change = plan_settle(life.ret, NOW, 0)
    assert change.event == "return.completed"
    ret = life.do(change)
    assert (ret.state, ret.closed_at, standing(ret)) == ("completed", NOW, None)
    assert {each.state for each in ret.lines} == {"settled"}
