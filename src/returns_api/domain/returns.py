"""The life of a return as pure plans: facts in, one change out, nothing written.

Owns what follows from each action of buyer, agent and clock: states of the return and of its lines,
clocks, released units, the event that tells it. Refuses to own what the warehouse does
(``receiving``), money (``settlement``, ``refunds``), what the policy allows (``policy``) and every
row. States move only through ``lifecycle.returns``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.errors import ActionNotAllowed, DoesNotFit, Invalid
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.terms import ReturnTerms

DEFAULT_SHIP_WITHIN: Final = timedelta(days=30)
"""A return that the policy gives no deadline for sending still ends some day."""
ANSWER_WITHIN: Final = timedelta(days=30)
"""How long a buyer may leave a question of the shop open; then what is undecided is refused."""
ARRIVE_WITHIN: Final = timedelta(days=14)
"""A parcel that was sent and did not come by then is named once, so that a person looks."""

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
        ActionNotAllowed: not in review.
        DoesNotFit: a named line is not waiting for a decision.
        Invalid: none is named.
    """
    RETURN.require(before.state, "approve", actor)
    chosen, rest = _undecided(before, lines)
    state = RETURN.step(before.state, "approve", actor, to="requested" if rest else "approved")
    changes = tuple(LineChange(line, LINE.step(line.state, "approve", actor)) for line in chosen)
    values = {} if rest else _approved(before, actor, now)
    event = "return.line_approved" if rest else "return.approved"
    return Change(before, state, event, changes, values)


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
    RETURN.require(before.state, "reject", actor)
    chosen, rest = _undecided(before, lines)
    if rest and before.state == "info_needed":
        raise ActionNotAllowed(
            "The buyer is being asked: only all undecided lines can be rejected now.",
            state=before.state,
            allowed=list(RETURN.allowed(before.state, actor)),
        )
    kept = any(line.state == "approved" for line in before.lines)
    to = "requested" if rest else "approved" if kept else "rejected"
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
    """Ask the buyer; the review clock stands still until the answer, but not for ever."""
    state = RETURN.step(before.state, "request_info", actor)
    values = {
        "paused_at": now,
        "info_request": question,
        "deadline_at": now + ANSWER_WITHIN,
        "deadline_kind": "answer",
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


def plan_ship(before: ReturnRecord, actor: Actor, now: datetime) -> Change:
    """The parcel is on its way; from now on its arrival is watched."""
    state = RETURN.step(before.state, "ship", actor)
    values = {"deadline_at": now + ARRIVE_WITHIN, "deadline_kind": "arrive"}
    return Change(before, state, "return.in_transit", values=values)


def plan_silence(before: ReturnRecord, now: datetime) -> Change | None:
    """What a passed deadline does by itself; None when it is not passed or does nothing.

    Running it twice or late gives one result: the first run leaves no such deadline behind.
    """
    if before.deadline_at is None or before.deadline_at > now:
        return None
    if before.deadline_kind == "respond":
        if before.on_silence == "reject":
            return plan_reject(before, Actor.SYSTEM, now, "no_answer_in_time")
        return plan_approve(before, Actor.SYSTEM, now)
    if before.deadline_kind == "answer":
        return plan_reject(before, Actor.SYSTEM, now, "no_information_in_time")
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


def _seconds(within: int | None, default: timedelta) -> timedelta:
    return default if within is None else timedelta(seconds=within)


def wrong_line(detail: str, line_id: UUID) -> DoesNotFit:
    """The refusal of one return line of a request."""
    line = ids.encode("rl", line_id)
    return DoesNotFit(detail, errors=[{"field": "lines", "line": line, "problem": detail}])
