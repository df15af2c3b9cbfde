"""The life of a return as pure plans: facts in, one change out, nothing written.

Owns what follows from each action: states of the return and of its lines, clocks, released units,
the event that tells it. Refuses to own money (``settlement``, ``refunds``), what the policy allows
(``policy``) and every row. States move only through ``lifecycle.returns``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain.errors import ActionNotAllowed, Invalid
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.terms import ReturnTerms

DEFAULT_SHIP_WITHIN: Final = timedelta(days=30)
"""A return that the policy gives no deadline for sending still ends some day."""

_CLOSED_LINES: Final = frozenset({"rejected", "canceled", "expired", "settled"})


@dataclass(frozen=True, slots=True)
class ReturnLineRecord:
    """One line of a return; ``units`` are unit numbers of the order line."""

    id: UUID
    order_line_id: UUID
    external_id: str
    title: str
    sku: str | None
    position: int
    quantity: int
    units: tuple[int, ...]
    reason: str
    fault: str
    condition: str | None
    note: str | None
    evidence: tuple[Mapping[str, Any], ...]
    state: str
    received: int
    inspected: int
    decision_code: str | None
    decision_note: str | None


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    """A return as the database has it. Amounts in minor units, times in UTC."""

    id: UUID
    number: str
    order_id: UUID
    quote_id: UUID
    decision_id: UUID
    policy_version_id: UUID
    state: str
    resolution: str
    method: str
    currency: str
    expected_minor: int
    refunded_minor: int
    terms: ReturnTerms
    refund_at: str
    opened_by: str
    decided_by: str | None
    respond_by: datetime | None
    ship_by: datetime | None
    inspect_by: datetime | None
    refund_by: datetime | None
    paused_at: datetime | None
    on_silence: str | None
    deadline_at: datetime | None
    deadline_kind: str | None
    info_request: str | None
    settled_at: datetime | None
    closed_at: datetime | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    lines: tuple[ReturnLineRecord, ...]

    def open_lines(self) -> tuple[ReturnLineRecord, ...]:
        return tuple(line for line in self.lines if line.state not in _CLOSED_LINES)


@dataclass(frozen=True, slots=True)
class LineChange:
    """What becomes of one line; the units in ``release`` can be returned again."""

    line: ReturnLineRecord
    state: str
    received: int | None = None
    inspected: int | None = None
    decision_code: str | None = None
    decision_note: str | None = None
    release: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One transition: what to save where the return still has ``before``'s sequence."""

    before: ReturnRecord
    state: str
    event: str
    lines: tuple[LineChange, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of the return to set."""
    reason: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the event says besides ids and states."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The deadlines of a return that is in ``state``; the nearest one is swept."""

    deadline_at: datetime | None
    deadline_kind: str | None


def opening(terms: ReturnTerms, now: datetime) -> Mapping[str, Any]:
    """State, clocks and decider of a return that is being opened."""
    if terms.approval_auto:
        ship_by = now + _seconds(terms.ship_within_seconds, DEFAULT_SHIP_WITHIN)
        return {
            "state": "approved",
            "decided_by": "system",
            "respond_by": None,
            "on_silence": None,
            "ship_by": ship_by,
            "deadline_at": ship_by,
            "deadline_kind": "ship",
        }
    respond_by = None
    if terms.respond_within_seconds is not None:
        respond_by = now + timedelta(seconds=terms.respond_within_seconds)
    return {
        "state": "requested",
        "decided_by": None,
        "respond_by": respond_by,
        "on_silence": terms.on_silence,
        "ship_by": None,
        "deadline_at": respond_by,
        "deadline_kind": None if respond_by is None else "respond",
    }


def plan_approve(
    before: ReturnRecord, actor: Actor, now: datetime, lines: Collection[UUID] | None = None
) -> Change:
    """Approve all undecided lines, or those named; the rest stays undecided.

    Raises:
        ActionNotAllowed: not in review, or a named line is decided already.
    """
    chosen = _undecided(before, lines)
    rest = {line.id for line in before.lines if line.state == "requested"} - {c.id for c in chosen}
    state = RETURN.step(before.state, "approve", actor, to="requested" if rest else "approved")
    changes = tuple(LineChange(line, LINE.step(line.state, "approve", actor)) for line in chosen)
    values = _approved(before, actor, now) if state == "approved" else {}
    return Change(before, state, "return.approved" if not rest else "return.line_approved",
                  changes, values)  # fmt: skip


def plan_reject(
    before: ReturnRecord,
    actor: Actor,
    now: datetime,
    code: str,
    note: str | None = None,
    lines: Collection[UUID] | None = None,
) -> Change:
    """Reject all undecided lines, or those named; the others keep their life."""
    chosen = _undecided(before, lines)
    decided = {c.id for c in chosen}
    rest = [line for line in before.lines if line.state == "requested" and line.id not in decided]
    kept = [line for line in before.lines if line.state == "approved"]
    to = "requested" if rest else "approved" if kept else "rejected"
    if before.state == "info_needed" and (rest or kept):
        raise ActionNotAllowed("Waiting for the buyer: only the whole return can be rejected now.",
                               state=before.state, allowed=["reject"])  # fmt: skip
    state = RETURN.step(before.state, "reject", actor, to=to)
    changes = tuple(
        LineChange(
            line,
            LINE.step(line.state, "reject", actor),
            decision_code=code,
            decision_note=note,
            release=line.units,
        )
        for line in chosen
    )
    values: Mapping[str, Any] = {}
    if state == "approved":
        values = _approved(before, actor, now)
    elif state == "rejected":
        values = {"decided_by": actor.value, **_closed(now)}
    event = {"rejected": "return.rejected", "approved": "return.approved"}
    return Change(
        before, state, event.get(state, "return.line_rejected"), changes, values, reason=code
    )


def plan_request_info(before: ReturnRecord, actor: Actor, now: datetime, question: str) -> Change:
    """Ask the buyer; the review clock stands still until the answer."""
    state = RETURN.step(before.state, "request_info", actor)
    values = {
        "paused_at": now,
        "info_request": question,
        "deadline_at": None,
        "deadline_kind": None,
    }
    return Change(before, state, "return.info_requested", values=values)


def plan_provide_info(before: ReturnRecord, actor: Actor, now: datetime) -> Change:
    """The buyer answered; the review clock gets back the time it stood still."""
    state = RETURN.step(before.state, "provide_info", actor)
    respond_by = before.respond_by
    if respond_by is not None and before.paused_at is not None:
        respond_by += max(now - before.paused_at, timedelta(0))
    values = {
        "paused_at": None,
        "respond_by": respond_by,
        "deadline_at": respond_by,
        "deadline_kind": None if respond_by is None else "respond",
    }
    return Change(before, state, "return.info_provided", values=values)


def plan_cancel(before: ReturnRecord, actor: Actor, now: datetime) -> Change:
    return _end(before, "cancel", "return.canceled", actor, now)


def plan_expire(before: ReturnRecord, now: datetime) -> Change:
    """Nothing was sent by ``ship_by``: the units can be returned again while the window lasts."""
    return _end(before, "expire", "return.expired", Actor.SYSTEM, now)


def plan_ship(before: ReturnRecord, actor: Actor) -> Change:
    """The parcel is on its way; the clock for sending has done its work."""
    state = RETURN.step(before.state, "ship", actor)
    return Change(
        before, state, "return.in_transit", values={"deadline_at": None, "deadline_kind": None}
    )


def plan_receive(
    before: ReturnRecord, actor: Actor, now: datetime, counts: Mapping[UUID, int]
) -> Change:
    """Count units in, in as many parts as it takes.

    Raises:
        Invalid: a line that is not expected, or more units than are.
    """
    state = RETURN.step(before.state, "receive", actor)
    by_id = {line.id: line for line in before.lines}
    changes = []
    for line_id, count in counts.items():
        line = by_id.get(line_id)
        if line is None or line.state not in {"approved", "received"}:
            raise _wrong_line("This line is not expected.", line_id)
        if line.received + count > line.quantity:
            raise _wrong_line(
                f"{line.received} of {line.quantity} are here already; {count} more are too many."
                " Report what was not announced under 'unexpected'.",
                line_id,
            )
        moved = LINE.step(line.state, "receive", actor)
        changes.append(LineChange(line, moved, received=line.received + count))
    values: dict[str, Any] = {}
    if before.inspect_by is None:
        inspect = before.terms.inspect_within_seconds
        inspect_by = None if inspect is None else now + timedelta(seconds=inspect)
        values = {
            "inspect_by": inspect_by,
            "deadline_at": inspect_by,
            "deadline_kind": None if inspect_by is None else "inspect",
        }
    data = {"received": sum(counts.values())}
    return Change(before, state, "return.received", tuple(changes), values, data=data)


def plan_inspect(
    before: ReturnRecord, actor: Actor, graded: Mapping[UUID, int], *, close: bool
) -> Change:
    """Units were graded. ``close`` says that nothing more will come: what is missing is released.

    Raises:
        Invalid: a line with more graded than received units.
    """
    by_id = {line.id: line for line in before.lines}
    for line_id, count in graded.items():
        line = by_id.get(line_id)
        if line is None or line.state != "received":
            raise _wrong_line("This line was not received.", line_id)
        if line.inspected + count > line.received:
            raise _wrong_line(
                f"{line.received - line.inspected} units are here to grade, not {count}.", line_id
            )
    changes = [
        _inspected(line, line.inspected + graded.get(line.id, 0), actor, close=close)
        for line in before.lines
        if line.id in graded or (close and line.state in {"approved", "received"})
    ]
    after = {change.line.id: change.state for change in changes}
    states = [after.get(line.id, line.state) for line in before.lines]
    done = not any(s in {"approved", "received", "requested"} for s in states)
    state = RETURN.step(before.state, "inspect", actor, to="inspected" if done else "received")
    values = {"deadline_at": None, "deadline_kind": None} if done else {}
    return Change(
        before,
        state,
        "return.inspected" if done else "return.partly_inspected",
        tuple(changes),
        values,
        data={"units": sum(graded.values())},
    )


def plan_settle(before: ReturnRecord, now: datetime, refund_minor: int) -> Change:
    """Money is due: the return waits for the provider's evidence, or ends when nothing is due."""
    refunding = refund_minor > 0
    state = RETURN.step(
        before.state, "settle", Actor.SYSTEM, to="refunding" if refunding else "completed"
    )
    changes = tuple(
        LineChange(line, LINE.step(line.state, "settle", Actor.SYSTEM))
        for line in before.lines
        if line.state in {"received", "inspected"}
    )
    within = before.terms.refund_within_seconds
    refund_by = None if within is None or not refunding else now + timedelta(seconds=within)
    values = {
        "settled_at": now,
        "refund_by": refund_by,
        "deadline_at": refund_by,
        "deadline_kind": None if refund_by is None else "refund",
        "closed_at": None if refunding else now,
    }
    event = "return.settled" if refunding else "return.completed"
    return Change(before, state, event, changes, values, data={"refund": refund_minor})


def plan_silence(before: ReturnRecord, now: datetime) -> Change | None:
    """What a passed deadline does by itself; None when it is not passed or does nothing.

    Running it twice or late gives one result: the first run leaves no deadline behind.
    """
    if before.deadline_at is None or before.deadline_at > now:
        return None
    if before.deadline_kind == "respond":
        if before.on_silence == "reject":
            return plan_reject(before, Actor.SYSTEM, now, "no_answer_in_time")
        return plan_approve(before, Actor.SYSTEM, now)
    if before.deadline_kind == "ship":
        return plan_expire(before, now)
    return Change(
        before,
        before.state,
        "return.overdue",
        values={"deadline_at": None, "deadline_kind": None},
        reason=f"{before.deadline_kind}_by has passed",
        data={"deadline": before.deadline_kind},
    )


def due_for_settlement(ret: ReturnRecord) -> bool:
    """Whether the policy's moment for money has come: it comes once."""
    if ret.settled_at is not None:
        return False
    if ret.refund_at == "inspection":
        return ret.state == "inspected"
    counted_in = all(line.received >= line.quantity for line in ret.open_lines())
    return ret.state == "inspected" or (ret.state == "received" and counted_in)


def _approved(before: ReturnRecord, actor: Actor, now: datetime) -> Mapping[str, Any]:
    ship_by = now + _seconds(before.terms.ship_within_seconds, DEFAULT_SHIP_WITHIN)
    return {
        "decided_by": actor.value,
        "ship_by": ship_by,
        "deadline_at": ship_by,
        "deadline_kind": "ship",
    }


def _closed(now: datetime) -> Mapping[str, Any]:
    return {"closed_at": now, "deadline_at": None, "deadline_kind": None}


def _end(before: ReturnRecord, action: str, event: str, actor: Actor, now: datetime) -> Change:
    state = RETURN.step(before.state, action, actor)
    changes = tuple(
        LineChange(line, LINE.step(line.state, action, actor), release=line.units)
        for line in before.lines
        if line.state in {"requested", "approved"} and (line.state, action) in LINE.rules
    )
    return Change(before, state, event, changes, _closed(now))


def _undecided(before: ReturnRecord, lines: Collection[UUID] | None) -> Sequence[ReturnLineRecord]:
    waiting = [line for line in before.lines if line.state == "requested"]
    if lines is None:
        return waiting
    wanted = set(lines)
    if unknown := wanted - {line.id for line in waiting}:
        raise _wrong_line("This line is not waiting for a decision.", min(unknown))
    return [line for line in waiting if line.id in wanted]


def _inspected(line: ReturnLineRecord, inspected: int, actor: Actor, *, close: bool) -> LineChange:
    """A line after grading; with ``close``, units that never came are given up."""
    if line.state == "approved":
        return LineChange(line, LINE.step("approved", "cancel", Actor.AGENT), release=line.units)
    complete = inspected >= line.quantity or (close and inspected >= line.received)
    state = LINE.step(line.state, "inspect", actor, to="inspected" if complete else "received")
    missing = line.units[inspected:] if close and state == "inspected" else ()
    return LineChange(line, state, inspected=inspected, release=missing)


def _seconds(within: int | None, default: timedelta) -> timedelta:
    return default if within is None else timedelta(seconds=within)


def _wrong_line(detail: str, line_id: UUID) -> Invalid:
    return Invalid(detail, errors=[{"field": "lines", "line": str(line_id), "problem": detail}])
