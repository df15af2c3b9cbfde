"""The planners of a return never leave the tables: exhaustively, and on every walk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_api.domain.errors import ActionNotAllowed, Invalid, ReturnsError
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.receiving import (
    due_for_settlement,
    plan_inspect,
    plan_receive,
    plan_settle,
)
from returns_api.domain.return_plans import (
    plan_approve,
    plan_cancel,
    plan_expire,
    plan_provide_info,
    plan_reject,
    plan_request_info,
    plan_ship,
    plan_silence,
)
from returns_api.domain.returns import (
    Change,
    ReturnRecord,
)
from tests.support.lives import HOUR, NOW, PLANNED, Life, attempt, grown, opened, standing


@pytest.mark.parametrize("state", RETURN.states)
@pytest.mark.parametrize("action", PLANNED)
def test_planners_allow_exactly_what_the_table_allows(state: str, action: str) -> None:
    for actor in Actor:
        life = grown(state)
        possible = RETURN.allowed(state, actor, life.ret.holds())
        if action in possible:
            try:
                change = attempt(life, action, actor)
            except Invalid:  # the table allows it, these units are counted or graded already
                continue
            assert change.state in RETURN.rules[state, action].to
        else:
            with pytest.raises(ActionNotAllowed) as refused:
                attempt(life, action, actor)
            allowed = refused.value.context["allowed"]
            assert allowed == list(possible)


@pytest.mark.parametrize("state", RETURN.states)
def test_the_system_acts_only_where_the_table_says(state: str) -> None:
    plans: dict[str, Callable[[ReturnRecord], object]] = {
        "expire": lambda r: plan_expire(r, NOW),
        "settle": lambda r: plan_settle(r, NOW, 1),
    }
    for action, plan in plans.items():
        life = grown(state)
        if (state, action) in RETURN.rules:
            plan(life.ret)
        else:
            with pytest.raises(ActionNotAllowed):
                plan(life.ret)


OPERATIONS = (*PLANNED, "silence", "settle", "close", "wait")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_walk_leaves_the_tables_or_loses_a_unit(data: st.DataObject) -> None:
    """Any actions by anybody in any order: states by the tables, deadlines with a kind, and every
    unit either held by a line that lives on or came back, or given back once."""
    refund_at = data.draw(st.sampled_from(["receipt", "inspection"]))
    quantities = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    life = Life(
        opened(
            *quantities,
            approval_auto=data.draw(st.booleans()),
            refund_at=refund_at,
            on_silence=data.draw(st.sampled_from([None, "approve", "reject"])),
            respond_within_seconds=data.draw(st.sampled_from([None, HOUR])),
        )
    )
    for _ in range(data.draw(st.integers(1, 25))):
        before = life.ret
        operation = data.draw(st.sampled_from(OPERATIONS))
        try:
            change = _any_change(data, life, operation)
        except ReturnsError:
            continue
        if change is None:
            continue
        _check_steps(change)
        life.do(change)
        assert life.ret.sequence == before.sequence + 1
        _check(life)
    total = sum(quantities)
    held = sum(len(units) for units in life.held.values())
    assert held + len(life.released) == total
    assert len(set(life.released)) == len(life.released)


def _any_change(data: st.DataObject, life: Life, operation: str) -> Change | None:
    ret = life.ret
    actor = data.draw(st.sampled_from(list(Actor)))
    keys = [each.id for each in ret.lines]
    some = data.draw(st.none() | st.lists(st.sampled_from(keys), unique=True, max_size=3))
    counts = data.draw(st.dictionaries(st.sampled_from(keys), st.integers(0, 4), max_size=3))
    life.now += timedelta(hours=data.draw(st.integers(0, 500)))
    now = life.now
    plans: dict[str, Callable[[], Change | None]] = {
        "approve": lambda: plan_approve(ret, actor, now, some),
        "reject": lambda: plan_reject(ret, actor, now, "no", None, some),
        "request_info": lambda: plan_request_info(ret, actor, now, "?"),
        "provide_info": lambda: plan_provide_info(ret, actor, now, "x"),
        "cancel": lambda: plan_cancel(ret, actor, now),
        "ship": lambda: plan_ship(ret, actor, now),
        "receive": lambda: plan_receive(ret, actor, now, counts),
        "inspect": lambda: plan_inspect(ret, actor, counts, close=False),
        "close": lambda: plan_inspect(ret, actor, counts, close=True),
        "silence": lambda: plan_silence(ret, now),
        "settle": lambda: plan_settle(ret, now, 100) if due_for_settlement(ret) else None,
        "wait": lambda: None,
    }
    return plans[operation]()


def _check_steps(change: Change) -> None:
    steps = {(state, to) for (state, _), found in RETURN.rules.items() for to in found.to}
    if change.event != "return.overdue":
        assert (change.before.state, change.state) in steps
    line_steps = {(state, to) for (state, _), found in LINE.rules.items() for to in found.to}
    for each in change.lines:
        assert (each.line.state, each.state) in line_steps


def _check(life: Life) -> None:
    ret = life.ret
    if ret.state in RETURN.terminal:
        assert standing(ret) is None
        assert ret.closed_at is not None
    for each in ret.lines:
        assert 0 <= each.inspected <= each.received <= each.quantity
        held = len(life.held[each.id])
        if each.state in LINE.terminal:
            assert held == 0
        elif each.state in {"inspected", "settled"}:
            assert held == each.received
        else:
            assert held == each.quantity
    undecided = any(each.state == "requested" for each in ret.lines)
    assert undecided == (ret.state in {"requested", "info_needed"})
    if ret.state not in {"requested", "info_needed", "completed", "rejected", *RETURN.terminal}:
        assert any(each.state not in LINE.terminal for each in ret.lines)
