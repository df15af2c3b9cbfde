"""What each decision about a return does: the yes, the no, the question, silence, and time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from returns_api.domain.errors import ActionNotAllowed, Invalid
from returns_api.domain.return_plans import (
    ANSWER_WITHIN,
    ARRIVE_WITHIN,
    plan_approve,
    plan_cancel,
    plan_provide_info,
    plan_reject,
    plan_request_info,
    plan_ship,
    plan_silence,
)
from returns_api.domain.returns import (
    DEFAULT_SHIP_WITHIN,
    opening,
)
from tests.support.actors import AGENT, BUYER
from tests.support.lives import NOW, Life, grown, kind_of, moment_of, opened, standing, terms
from tests.support.refusals import listed


def test_an_approval_buys_time_to_send() -> None:
    life = Life(opened(1))
    assert (life.ret.state, kind_of(life.ret)) == ("requested", "respond")
    ret = life.do(plan_approve(life.ret, AGENT, NOW))
    assert (ret.state, ret.decided_by, kind_of(ret)) == ("approved", "agent", "ship")
    assert moment_of(ret) == ret.due_by("ship") == NOW + timedelta(days=14)
    _, (ship,) = opening(terms(approval_auto=True, ship_within_seconds=None), NOW)
    assert (ship.kind, ship.due_at) == ("ship", NOW + DEFAULT_SHIP_WITHIN)


def test_lines_are_decided_one_by_one() -> None:
    life = Life(opened(1, 2, 3))
    first, second, third = (each.id for each in life.ret.lines)
    ret = life.do(plan_approve(life.ret, AGENT, NOW, [second]))
    assert (ret.state, kind_of(ret)) == ("requested", "respond")
    ret = life.do(plan_reject(life.ret, AGENT, NOW, "used", "worn", [first]))
    assert ret.state == "requested"
    assert life.held[first] == set()
    change = plan_reject(life.ret, AGENT, NOW, "used", None, [third])
    assert (change.event, change.reason) == ("return.approved", "used")
    ret = life.do(change)
    assert (ret.state, kind_of(ret)) == ("approved", "ship")
    assert [each.state for each in ret.lines] == ["rejected", "approved", "rejected"]
    assert [len(units) for units in life.held.values()] == [0, 2, 0]


def test_the_last_rejection_ends_the_return() -> None:
    life = Life(opened(1, 2))
    first, second = (each.id for each in life.ret.lines)
    life.do(plan_reject(life.ret, AGENT, NOW, "a", None, [first]))
    ret = life.do(plan_reject(life.ret, AGENT, NOW, "b", None, [second]))
    assert (ret.state, ret.closed_at, standing(ret)) == ("rejected", NOW, None)
    assert [each.decision_code for each in ret.lines] == ["a", "b"]


def test_an_approval_of_the_rest_after_a_rejection() -> None:
    life = Life(opened(1, 2))
    first, _ = (each.id for each in life.ret.lines)
    life.do(plan_reject(life.ret, AGENT, NOW, "a", None, [first]))
    ret = life.do(plan_approve(life.ret, AGENT, NOW))
    assert [each.state for each in ret.lines] == ["rejected", "approved"]


@pytest.mark.parametrize("lines", [[], [UUID(int=1)]])
def test_a_decision_names_lines_that_wait(lines: list[UUID]) -> None:
    ret = opened(1)
    plans: tuple[Callable[[], object], ...] = (
        lambda: plan_approve(ret, AGENT, NOW, lines),
        lambda: plan_reject(ret, AGENT, NOW, "no", None, lines),
    )
    for plan in plans:
        with pytest.raises(Invalid):
            plan()


def test_a_line_is_decided_once() -> None:
    life = Life(opened(1, 2))
    first = life.ret.lines[0].id
    life.do(plan_approve(life.ret, AGENT, NOW, [first]))
    with pytest.raises(Invalid) as refused:
        plan_reject(life.ret, AGENT, NOW, "no", None, [first])
    assert listed(refused, "errors")[0]["line"].startswith("rl_")


def test_asking_the_buyer_stops_the_review_clock() -> None:
    life = Life(opened(1))
    respond_by = life.ret.due_by("respond")
    assert respond_by is not None
    ret = life.do(plan_request_info(life.ret, AGENT, NOW + timedelta(hours=10), "Which size?"))
    assert (ret.state, kind_of(ret)) == ("info_needed", "answer")
    assert plan_silence(ret, respond_by + timedelta(days=5)) is None
    answered = NOW + timedelta(days=9)
    ret = life.do(plan_provide_info(life.ret, BUYER, answered, "x"))
    assert ret.state == "requested"
    assert moment_of(ret) == respond_by + (answered - NOW - timedelta(hours=10))
    assert {each.kind: each.state for each in ret.deadlines} == {
        "respond": "open",
        "answer": "kept",
    }


def test_a_question_that_nobody_answers_ends_the_request() -> None:
    life = Life(opened(1, 2))
    first = life.ret.lines[0].id
    life.do(plan_approve(life.ret, AGENT, NOW, [first]))
    life.do(plan_request_info(life.ret, AGENT, NOW, "?"))
    late = NOW + ANSWER_WITHIN
    assert plan_silence(life.ret, late - timedelta(seconds=1)) is None
    ret = life.do(plan_silence(life.ret, late))
    assert [each.state for each in ret.lines] == ["approved", "rejected"]
    assert (ret.state, kind_of(ret)) == ("approved", "ship")


def test_while_the_buyer_is_asked_nothing_is_decided_by_halves() -> None:
    life = Life(opened(1, 2))
    life.do(plan_request_info(life.ret, AGENT, NOW, "?"))
    with pytest.raises(ActionNotAllowed) as refused:
        plan_reject(life.ret, AGENT, NOW, "no", None, [life.ret.lines[0].id])
    assert refused.value.context["allowed"] == ["provide_info", "reject", "cancel", "offer"]
    assert life.do(plan_reject(life.ret, AGENT, NOW, "no")).state == "rejected"


@pytest.mark.parametrize(("on_silence", "state"), [("approve", "approved"), ("reject", "rejected")])
def test_silence_is_the_policys_answer(on_silence: str, state: str) -> None:
    life = Life(opened(1, 2, on_silence=on_silence))
    due = moment_of(life.ret)
    assert plan_silence(life.ret, due - timedelta(seconds=1)) is None
    late = due + timedelta(days=3)
    ret = life.do(plan_silence(life.ret, late))
    assert (ret.state, ret.decided_by) == (state, "system")
    again = plan_silence(ret, late)
    assert again is None


def test_silence_decides_only_what_is_undecided() -> None:
    life = Life(opened(1, 2, 3, on_silence="reject"))
    first, second, _ = (each.id for each in life.ret.lines)
    life.do(plan_approve(life.ret, AGENT, NOW, [first]))
    life.do(plan_reject(life.ret, AGENT, NOW, "x", None, [second]))
    ret = life.do(plan_silence(life.ret, moment_of(life.ret)))
    assert [each.state for each in ret.lines] == ["approved", "rejected", "rejected"]
    assert [each.decision_code for each in ret.lines] == [None, "x", "no_answer_in_time"]
    assert ret.state == "approved"


def test_what_is_not_sent_in_time_expires_and_gives_its_units_back() -> None:
    life = grown("approved")
    ship_by = moment_of(life.ret)
    ret = life.do(plan_silence(life.ret, ship_by))
    assert (ret.state, standing(ret), ret.closed_at) == ("expired", None, ship_by)
    assert [each.state for each in ret.deadlines] == ["passed"]
    assert not any(life.held.values())


@pytest.mark.parametrize(
    ("state", "kind"), [("in_transit", "arrive"), ("received", "inspect"), ("refunding", "refund")]
)
def test_a_breach_is_named_once(state: str, kind: str) -> None:
    life = grown(state)
    assert (kind_of(life.ret), life.ret.state) == (kind, state)
    change = plan_silence(life.ret, moment_of(life.ret))
    assert change is not None
    assert (change.event, change.state, change.data) == (
        "return.overdue",
        state,
        {"deadline": kind},
    )
    assert plan_silence(life.do(change), NOW + timedelta(days=900)) is None


def test_sending_starts_the_watch_for_the_parcel() -> None:
    life = grown("approved")
    ret = life.do(plan_ship(life.ret, BUYER, NOW))
    assert moment_of(ret) == NOW + ARRIVE_WITHIN


def test_staff_can_end_what_will_never_come() -> None:
    life = grown("in_transit")
    assert life.do(plan_cancel(life.ret, AGENT, NOW)).state == "canceled"
    assert not any(life.held.values())
