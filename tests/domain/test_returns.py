"""The planners of a return: what each action does, and that they never leave the tables.

``Life`` applies plans to a record in memory the way the database does, and keeps the units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_api.domain.errors import ActionNotAllowed, Invalid, ReturnsError
from returns_api.domain.lifecycle.deadlines import applied as deadlines_after
from returns_api.domain.lifecycle.deadlines import next_due
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.receiving import (
    due_for_settlement,
    plan_inspect,
    plan_receive,
    plan_settle,
)
from returns_api.domain.refund_clocks import LawClock
from returns_api.domain.return_plans import (
    ANSWER_WITHIN,
    ARRIVE_WITHIN,
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
    DEFAULT_SHIP_WITHIN,
    Change,
    ReturnLineRecord,
    ReturnRecord,
    opening,
)
from returns_api.domain.terms import LineTerms, ReturnTerms

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
BUYER, AGENT, WAREHOUSE, FINANCE, ADMIN, PLATFORM, SYSTEM = Actor
HOUR = 3600


def terms(**more: Any) -> ReturnTerms:
    values: dict[str, Any] = {
        "approval_auto": False,
        "respond_within_seconds": 48 * HOUR,
        "on_silence": "approve",
        "ship_within_seconds": 14 * 24 * HOUR,
        "inspect_within_seconds": 48 * HOUR,
        "refund_within_seconds": 120 * HOUR,
        "refund_at": "inspection",
        "freight_payer": "merchant",
        "freight_fee_minor": 0,
        "refund_original_shipping": False,
        "lines": {str(UUID(int=n)): LineTerms({}, 0, ()) for n in range(1, 4)},
    }
    return ReturnTerms(**values | more)


def line(number: int, quantity: int, state: str = "requested") -> ReturnLineRecord:
    return ReturnLineRecord(
        id=UUID(int=100 + number),
        order_line_id=UUID(int=number),
        external_id=f"l{number}",
        title="Jacket",
        sku=None,
        position=number,
        quantity=quantity,
        units=tuple(range(1, quantity + 1)),
        reason="changed_mind",
        fault="buyer",
        condition=None,
        note=None,
        evidence=(),
        state=state,
        received=0,
        inspected=0,
        decision_code=None,
        decision_note=None,
    )


def opened(*quantities: int, **more: Any) -> ReturnRecord:
    """A return as it is after opening, a line for each quantity."""
    given_terms = terms(**more)
    head, deadlines = opening(given_terms, NOW)
    return ReturnRecord(
        **{
            "id": UUID(int=7),
            "number": "1-R1",
            "order_id": UUID(int=8),
            "quote_id": UUID(int=9),
            "decision_id": UUID(int=10),
            "policy_version_id": UUID(int=11),
            "resolution": "refund",
            "method": "post",
            "currency": "EUR",
            "expected_minor": 100,
            "refunded_minor": 0,
            "terms": given_terms,
            "refund_at": given_terms.refund_at,
            "opened_by": "buyer",
            "refund_law_by": None,
            "refund_law": None,
            "info_request": None,
            "info_answer": None,
            "settled_at": None,
            "closed_at": None,
            "sequence": 1,
            "created_at": NOW,
            "updated_at": NOW,
            **head,
        },
        lines=tuple(
            line(number, quantity, head["state"])
            for number, quantity in enumerate(quantities or (1,), start=1)
        ),
        deadlines=deadlines,
    )


def standing(ret: ReturnRecord) -> tuple[str, datetime] | None:
    """Kind and moment of the deadline that runs."""
    others = [each for each in ret.deadlines if each.kind != "dispute_window"]
    found = next_due(others)
    return None if found is None else (found.kind, found.due_at)


def kind_of(ret: ReturnRecord) -> str | None:
    found = standing(ret)
    return None if found is None else found[0]


def moment_of(ret: ReturnRecord) -> datetime:
    found = standing(ret)
    assert found is not None
    return found[1]


def applied(change: Change) -> ReturnRecord:
    """The record after the change."""
    ret = change.before
    by_id = {each.line.id: each for each in change.lines}
    assert len(by_id) == len(change.lines)
    lines = []
    for each in ret.lines:
        moved = by_id.get(each.id)
        if moved is None:
            lines.append(each)
            continue
        lines.append(
            replace(
                each,
                state=moved.state,
                received=each.received if moved.received is None else moved.received,
                inspected=each.inspected if moved.inspected is None else moved.inspected,
                decision_code=moved.decision_code or each.decision_code,
            )
        )
    return replace(
        ret,
        state=change.state,
        sequence=ret.sequence + 1,
        lines=tuple(lines),
        deadlines=deadlines_after(ret.deadlines, change.deadlines),
        **change.values,
    )


@dataclass
class Life:
    """A return, the clock, and the units that it holds by line."""

    ret: ReturnRecord
    now: datetime = NOW
    held: dict[UUID, set[int]] = field(default_factory=dict)
    released: list[tuple[UUID, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.held = {each.id: set(each.units) for each in self.ret.lines}

    def do(self, change: Change | None) -> ReturnRecord:
        if change is None:
            return self.ret
        assert change.before == self.ret
        for each in change.lines:
            for unit in each.release:
                self.held[each.line.id].remove(unit)
                self.released.append((each.line.id, unit))
        self.ret = applied(change)
        return self.ret


def grown(state: str) -> Life:
    """A return in ``state``, by the shortest honest way."""
    auto = state not in {"requested", "info_needed", "rejected"}
    life = Life(opened(1, 2, approval_auto=auto))
    first, second = (each.id for each in life.ret.lines)
    ways: dict[str, list[Callable[[], Change]]] = {
        "requested": [],
        "info_needed": [lambda: plan_request_info(life.ret, AGENT, NOW, "?")],
        "rejected": [lambda: plan_reject(life.ret, AGENT, NOW, "no")],
        "approved": [],
        "canceled": [lambda: plan_cancel(life.ret, BUYER, NOW)],
        "expired": [lambda: plan_expire(life.ret, NOW)],
        "in_transit": [lambda: plan_ship(life.ret, SYSTEM, NOW)],
        "received": [lambda: plan_receive(life.ret, WAREHOUSE, NOW, {first: 1, second: 2})],
    }
    inspected = [
        *ways["received"],
        lambda: plan_inspect(life.ret, WAREHOUSE, {first: 1, second: 2}, close=False),
    ]
    ways["inspected"] = inspected
    ways["refunding"] = [*inspected, lambda: plan_settle(life.ret, NOW, 100)]
    ways["completed"] = [*inspected, lambda: plan_settle(life.ret, NOW, 0)]
    for step in ways[state]:
        life.do(step())
    assert life.ret.state == state
    return life


def attempt(life: Life, action: str, actor: Actor) -> Change:
    ret = life.ret
    counts = {each.id: 1 for each in ret.lines[:1]}
    return {
        "approve": lambda: plan_approve(ret, actor, NOW),
        "reject": lambda: plan_reject(ret, actor, NOW, "no"),
        "request_info": lambda: plan_request_info(ret, actor, NOW, "?"),
        "provide_info": lambda: plan_provide_info(ret, actor, NOW, "x"),
        "cancel": lambda: plan_cancel(ret, actor, NOW),
        "ship": lambda: plan_ship(ret, actor, NOW),
        "receive": lambda: plan_receive(ret, actor, NOW, counts),
        "inspect": lambda: plan_inspect(ret, actor, counts, close=False),
    }[action]()


PLANNED = (
    "approve",
    "reject",
    "request_info",
    "provide_info",
    "cancel",
    "ship",
    "receive",
    "inspect",
)


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
    for action, plan in (
        ("expire", lambda r: plan_expire(r, NOW)),
        ("settle", lambda r: plan_settle(r, NOW, 1)),
    ):
        life = grown(state)
        if (state, action) in RETURN.rules:
            plan(life.ret)
        else:
            with pytest.raises(ActionNotAllowed):
                plan(life.ret)


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
    for plan in (
        lambda: plan_approve(ret, AGENT, NOW, lines),
        lambda: plan_reject(ret, AGENT, NOW, "no", None, lines),
    ):
        with pytest.raises(Invalid):
            plan()


def test_a_line_is_decided_once() -> None:
    life = Life(opened(1, 2))
    first = life.ret.lines[0].id
    life.do(plan_approve(life.ret, AGENT, NOW, [first]))
    with pytest.raises(Invalid) as refused:
        plan_reject(life.ret, AGENT, NOW, "no", None, [first])
    assert refused.value.context["errors"][0]["line"].startswith("rl_")  # type: ignore[index]


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
