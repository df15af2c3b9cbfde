"""What the warehouse does to a return, as pure plans: count in, grade, and when money falls due.

Owns the counters of received and graded units and which units of a short receipt are released.
Refuses to own what a grade costs (``terms``, ``settlement``) and stock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from returns_api.domain.errors import DoesNotFit, Invalid
from returns_api.domain.lifecycle.deadlines import Deadline, begin, follow
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.returns import (
    Change,
    LineChange,
    ReturnLineRecord,
    ReturnRecord,
    by_law,
    dispute_window,
    wrong_line,
)


def plan_receive(
    before: ReturnRecord, actor: Actor, now: datetime, counts: Mapping[UUID, int]
) -> Change:
    """Count units in, in as many parts as it takes.

    Raises:
        ActionNotAllowed: nothing can be received now.
        Invalid: nothing is counted.
        DoesNotFit: a line that is not expected, or more units than are.
    """
    state = before.step("receive", actor)
    if not counts:
        raise Invalid("Count at least one unit.", errors=[{"field": "lines"}])
    by_id = {line.id: line for line in before.lines}
    changes = tuple(
        _counted_in(line_id, by_id.get(line_id), count, actor) for line_id, count in counts.items()
    )
    within = before.terms.inspect_within_seconds
    begun: tuple[Deadline, ...] = ()
    if within is not None and before.deadline("inspect") is None:
        begun = (begin(RETURN, "inspect", now + timedelta(seconds=within)),)
    deadlines = follow(RETURN, before.deadlines, "receive", state, *begun, now=now)
    data = {"received": sum(counts.values())}
    return Change(
        before,
        state,
        "return.received",
        changes,
        by_law(before, "receipt", now),
        data=data,
        deadlines=deadlines,
    )


def _counted_in(
    line_id: UUID, line: ReturnLineRecord | None, count: int, actor: Actor
) -> LineChange:
    if count < 1:
        raise wrong_line("Count at least one unit.", line_id)
    if line is None or line.state not in {"approved", "received"}:
        raise wrong_line("This line is not expected.", line_id)
    if line.received + count > line.quantity:
        raise wrong_line(
            f"{line.received} of {line.quantity} are here already; {count} more are too many."
            " Report what was not announced under 'unexpected'.",
            line_id,
        )
    moved = LINE.step(line.state, "receive", actor)
    return LineChange(line, moved, received=line.received + count)


def plan_inspect(
    before: ReturnRecord, actor: Actor, graded: Mapping[UUID, int], *, close: bool
) -> Change:
    """Units were graded. ``close`` says that nothing more will come: what is missing is released.

    After the money (which can be due at receipt) grading still tells what becomes of the goods.

    Raises:
        ActionNotAllowed: nothing can be inspected now.
        DoesNotFit: nothing is graded, more than is here, or ``close`` while units are not graded.
    """
    before.require("inspect", actor)
    _check_graded(before, graded, close=close)
    if before.settled_at is not None:
        return _inspected_late(before, actor, graded)
    changes = [
        _inspected(line, line.inspected + graded.get(line.id, 0), actor, close=close)
        for line in before.lines
        if line.id in graded or (close and line.state in {"approved", "received"})
    ]
    after = {change.line.id: change.state for change in changes}
    states = [after.get(line.id, line.state) for line in before.lines]
    done = not any(s in {"approved", "received", "requested"} for s in states)
    state = before.step("inspect", actor, to="inspected" if done else "received")
    return Change(
        before,
        state,
        "return.inspected" if done else "return.partly_inspected",
        tuple(changes),
        data={"units": sum(graded.values())},
        deadlines=follow(RETURN, before.deadlines, "inspect", state),
    )


def plan_settle(
    before: ReturnRecord, now: datetime, refund_minor: int, given_back: Collection[int] = ()
) -> Change:
    """Money is due: the return waits for the provider's evidence, or ends when nothing is due.

    ``refund_minor`` is all that is due, whether or not the payments cover it. The units in
    ``given_back`` are the buyer's again, and can come back another time.
    """
    refunding = refund_minor > 0
    state = before.step("settle", Actor.SYSTEM, to="refunding" if refunding else "completed")
    changes = tuple(
        LineChange(
            line,
            LINE.step(line.state, "settle", Actor.SYSTEM),
            release=tuple(unit for unit in line.units if unit in given_back),
        )
        for line in before.lines
        if line.state in {"received", "inspected"}
    )
    law = by_law(before, "inspection" if before.state == "inspected" else "receipt", now)
    due = _refund_by(before, law.get("refund_law_by", before.refund_law_by), now)
    begun = [dispute_window(now)]
    if refunding and due is not None:
        begun.append(begin(RETURN, "refund", due))
    return Change(
        before,
        state,
        "return.settled" if refunding else "return.completed",
        changes,
        {"settled_at": now, "closed_at": None if refunding else now, **law},
        data={"refund": refund_minor},
        deadlines=follow(RETURN, before.deadlines, "settle", state, *begun, now=now),
    )


def _refund_by(before: ReturnRecord, law_by: datetime | None, now: datetime) -> datetime | None:
    """The earlier of the policy's promise, which begins now, and the law's day."""
    within = before.terms.refund_within_seconds
    promised = None if within is None else now + timedelta(seconds=within)
    return min((day for day in (promised, law_by) if day is not None), default=None)


def due_for_settlement(ret: ReturnRecord) -> bool:
    """Whether the policy's moment for money has come: it comes once."""
    if ret.settled_at is not None:
        return False
    if ret.refund_at == "inspection":
        return ret.state == "inspected"
    counted_in = all(line.received >= line.quantity for line in ret.open_lines())
    return ret.state == "inspected" or (ret.state == "received" and counted_in)


def _check_graded(before: ReturnRecord, graded: Mapping[UUID, int], *, close: bool) -> None:
    if not graded and (not close or before.settled_at is not None):
        raise DoesNotFit("Grade at least one unit.", errors=[{"field": "units"}])
    by_id = {line.id: line for line in before.lines}
    for line_id, count in graded.items():
        line = by_id.get(line_id)
        if line is None or line.state not in {"received", "settled"}:
            raise wrong_line("This line was not received.", line_id)
        here = line.received - line.inspected
        if not 0 < count <= here:
            raise wrong_line(f"{here} units are here to grade, not {count}.", line_id)
    for line in before.lines if close else ():
        left = line.received - line.inspected - graded.get(line.id, 0)
        if left and line.state == "received":
            raise wrong_line(f"{left} units are here and not graded: grade them first.", line.id)


def _inspected(line: ReturnLineRecord, inspected: int, actor: Actor, *, close: bool) -> LineChange:
    """A line after grading; with ``close``, units that never came are given up."""
    if line.state == "approved":
        return LineChange(line, LINE.step(line.state, "close", actor), release=line.units)
    complete = close or inspected >= line.quantity
    state = LINE.step(line.state, "inspect", actor, to="inspected" if complete else "received")
    missing = line.units[inspected:] if close else ()
    return LineChange(line, state, inspected=inspected, release=missing)


def _inspected_late(before: ReturnRecord, actor: Actor, graded: Mapping[UUID, int]) -> Change:
    """Grades for what was paid at receipt: they move no money any more."""
    changes = tuple(
        LineChange(
            line,
            LINE.step(line.state, "inspect", actor),
            inspected=line.inspected + graded[line.id],
        )
        for line in before.lines
        if line.id in graded
    )
    state = before.step("inspect", actor)
    data = {"units": sum(graded.values())}
    return Change(before, state, "return.inspected_late", changes, data=data)
