"""What follows from each action on a return, and from nobody acting; pure.

Facts in, one change out, nothing written: states of the return and of its lines, clocks, released
units, the event that tells it. Refuses to own what the warehouse does (``receiving``) and what is
agreed about money (``offers``, ``settlement``). States move only through ``lifecycle.returns``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.domain.errors import ActionNotAllowed, Invalid
from returns_api.domain.lifecycle.deadlines import KEPT, Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.returns import (
    Change,
    LineChange,
    ReturnLineRecord,
    ReturnRecord,
    by_law,
    dispute_window,
    ship_by,
    wrong_line,
)

ANSWER_WITHIN: Final = timedelta(days=30)
"""How long a buyer may leave a question of the shop open; then what is undecided is refused."""
ARRIVE_WITHIN: Final = timedelta(days=14)
"""A parcel that was sent and did not come by then is named once, so that a person looks."""


def plan_approve(
    before: ReturnRecord, actor: Actor, now: datetime, lines: Collection[UUID] | None = None
) -> Change:
    """Approve all undecided lines, or those named; the rest stays undecided.

    Raises:
        ActionNotAllowed: not in review.
        DoesNotFit: a named line is not waiting for a decision.
        Invalid: none is named.
    """
    before.require("approve", actor)
    chosen, rest = _undecided(before, lines)
    state = before.step("approve", actor, to="requested" if rest else "approved")
    changes = tuple(LineChange(line, LINE.step(line.state, "approve", actor)) for line in chosen)
    if rest:
        return Change(before, state, "return.line_approved", changes)
    deadlines = _following(before, "approve", state, ship_by(before.terms, now), now=now)
    values = {"decided_by": actor.value}
    return Change(before, state, "return.approved", changes, values, deadlines=deadlines)


def plan_reject(
    before: ReturnRecord,
    actor: Actor,
    now: datetime,
    code: str,
    note: str | None = None,
    lines: Collection[UUID] | None = None,
) -> Change:
    """Reject all undecided lines, or those named; the others keep their life.

    Raises:
        ActionNotAllowed: not in review; or some of the lines only, while the buyer is asked.
        DoesNotFit: a named line is not waiting for a decision.
        Invalid: none is named.
    """
    before.require("reject", actor)
    chosen, rest = _undecided(before, lines)
    if rest:
        _require_unasked(before, actor)
    kept = any(line.state == "approved" for line in before.lines)
    to = "requested" if rest else "approved" if kept else "rejected"
    state = before.step("reject", actor, to=to)
    changes = tuple(_refused(line, actor, code, note) for line in chosen)
    if rest:
        return Change(before, state, "return.line_rejected", changes, reason=code)
    begun = ship_by(before.terms, now) if kept else dispute_window(now)
    closed = {} if kept else {"closed_at": now}
    return Change(
        before,
        state,
        f"return.{state}",
        changes,
        {"decided_by": actor.value, **closed},
        reason=code,
        deadlines=_following(before, "reject", state, begun, now=now),
    )


def _require_unasked(before: ReturnRecord, actor: Actor) -> None:
    """While the buyer is asked, nothing is decided about some of the lines only."""
    if before.state == "info_needed":
        raise ActionNotAllowed(
            "The buyer is being asked: only all undecided lines can be rejected now.",
            state=before.state,
            allowed=list(RETURN.allowed(before.state, actor, before.holds())),
        )


def _refused(line: ReturnLineRecord, actor: Actor, code: str, note: str | None) -> LineChange:
    """Its units are free to be returned again."""
    return LineChange(
        line,
        LINE.step(line.state, "reject", actor),
        decision_code=code,
        decision_note=note,
        release=line.units,
    )


def plan_request_info(before: ReturnRecord, actor: Actor, now: datetime, question: str) -> Change:
    """Ask the buyer; the review clock stands still until the answer, but not for ever."""
    state = before.step("request_info", actor)
    answer = begin(RETURN, "answer", now + ANSWER_WITHIN)
    deadlines = _following(before, "request_info", state, answer, now=now)
    values = {"info_request": question, "info_answer": None}
    return Change(before, state, "return.info_requested", values=values, deadlines=deadlines)


def plan_provide_info(before: ReturnRecord, actor: Actor, now: datetime, answer: str) -> Change:
    """The buyer answered; the review clock gets back the time it stood still.

    The words stay out of the event: it is for ever, and what a person wrote can be erased.
    """
    state = before.step("provide_info", actor)
    deadlines = _following(before, "provide_info", state, now=now)
    values = {"info_answer": answer}
    return Change(before, state, "return.info_provided", values=values, deadlines=deadlines)


def plan_cancel(before: ReturnRecord, actor: Actor, now: datetime) -> Change:
    return _end(before, "cancel", "return.canceled", actor, now)


def plan_expire(before: ReturnRecord, now: datetime) -> Change:
    """Nothing was sent by ``ship_by``: the units can be returned again while the window lasts."""
    return _end(before, "expire", "return.expired", Actor.SYSTEM, now)


def plan_ship(before: ReturnRecord, actor: Actor, now: datetime) -> Change:
    """The parcel is on its way; from now on its arrival is watched."""
    state = before.step("ship", actor)
    arrive = begin(RETURN, "arrive", now + ARRIVE_WITHIN)
    deadlines = _following(before, "ship", state, arrive, now=now)
    values = by_law(before, "first_scan", now)
    return Change(before, state, "return.in_transit", values=values, deadlines=deadlines)


def plan_dispute(before: ReturnRecord, actor: Actor, now: datetime) -> Change:
    """The buyer contests it: the return stays as it is, and its window is used.

    Raises:
        ActionNotAllowed: nothing was decided, or the window is over or used.
    """
    state = before.step("dispute", actor)
    window = before.deadline("dispute_window")
    assert window is not None
    if window.due_at <= now:
        raise ActionNotAllowed(
            "The dispute window is over.",
            object="return",
            state=before.state,
            action="dispute",
            allowed=[],
        )
    used = replace(window, state=KEPT)
    return Change(before, state, "return.disputed", deadlines=(used,))


def plan_silence(before: ReturnRecord, now: datetime) -> Change | None:
    """What the nearest passed deadline does by itself; None when none has passed.

    Running it twice or late gives one result: the first run ends the deadline.
    """
    late = next_due((each for each in before.deadlines if each.kind != "dispute_window"), now)
    if late is None:
        return None
    change = _on_silence(before, late, now)
    return replace(change, deadlines=passed(late, change.deadlines))


def _on_silence(before: ReturnRecord, late: Deadline, now: datetime) -> Change:
    if late.on_silence == "approve":
        return plan_approve(before, Actor.SYSTEM, now)
    if late.on_silence == "reject":
        asked = late.kind == "answer"
        code = "no_information_in_time" if asked else "no_answer_in_time"
        return plan_reject(before, Actor.SYSTEM, now, code)
    if late.on_silence == "expire":
        return plan_expire(before, now)
    return Change(
        before,
        before.step("overdue", Actor.SYSTEM),
        "return.overdue",
        reason=f"{late.kind}_by has passed",
        data={"deadline": late.kind},
    )


def _following(
    before: ReturnRecord, action: str, state: str, *begun: Deadline, now: datetime | None = None
) -> tuple[Deadline, ...]:
    return follow(RETURN, before.deadlines, action, state, *begun, now=now)


def _end(before: ReturnRecord, action: str, event: str, actor: Actor, now: datetime) -> Change:
    state = before.step(action, actor)
    changes = tuple(
        LineChange(line, LINE.step(line.state, action, actor), release=line.units)
        for line in before.lines
        if line.state in {"requested", "approved"} and (line.state, action) in LINE.rules
    )
    deadlines = _following(before, action, state, now=now)
    return Change(before, state, event, changes, {"closed_at": now}, deadlines=deadlines)


def _undecided(
    before: ReturnRecord, lines: Collection[UUID] | None
) -> tuple[list[ReturnLineRecord], bool]:
    """The undecided lines that are meant, and whether others stay undecided."""
    waiting = [line for line in before.lines if line.state == "requested"]
    if lines is None:
        return waiting, False
    wanted = set(lines)
    if not wanted:
        raise Invalid("Name at least one line, or none at all for every one.",
                      errors=[{"field": "lines"}])  # fmt: skip
    if unknown := wanted - {line.id for line in waiting}:
        raise wrong_line("This line is not waiting for a decision.", min(unknown))
    return [line for line in waiting if line.id in wanted], len(wanted) < len(waiting)
