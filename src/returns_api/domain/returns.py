"""The life of a return as pure plans: facts in, one change out, nothing written.

Owns what follows from each action of buyer, agent and clock: states of the return and of its lines,
clocks, released units, the event that tells it. Refuses to own what the warehouse does
(``receiving``), money (``settlement``, ``refunds``), what the policy allows (``policy``) and every
row. States move only through ``lifecycle.returns``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.errors import ActionNotAllowed, DoesNotFit, Invalid
from returns_api.domain.lifecycle.deadlines import KEPT, Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.refund_clocks import due_by_law
from returns_api.domain.terms import ReturnTerms

DEFAULT_SHIP_WITHIN: Final = timedelta(days=30)
"""A return that the policy gives no deadline for sending still ends some day."""
ANSWER_WITHIN: Final = timedelta(days=30)
"""How long a buyer may leave a question of the shop open; then what is undecided is refused."""
DISPUTE_WITHIN: Final = timedelta(days=14)
"""How long a buyer may contest a rejection or a settlement."""
ARRIVE_WITHIN: Final = timedelta(days=14)
"""A parcel that was sent and did not come by then is named once, so that a person looks."""

_CLOSED_LINES: Final = frozenset({"rejected", "canceled", "expired", "settled", "kept"})


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
class Hanging:
    """A deadline of something that hangs on a return: ``of`` is its kind."""

    of: str
    object_id: UUID
    deadline: Deadline


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
    refund_law_by: datetime | None
    """The day that a law wants the refund paid by, as far as it is known."""
    refund_law: str | None
    info_request: str | None
    info_answer: str | None
    settled_at: datetime | None
    closed_at: datetime | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    lines: tuple[ReturnLineRecord, ...]
    deadlines: tuple[Deadline, ...]
    hanging: tuple[Hanging, ...] = ()

    def deadline(self, kind: str) -> Deadline | None:
        """The deadline of this kind, also one that is over."""
        return next((each for each in self.deadlines if each.kind == kind), None)

    def due_by(self, kind: str) -> datetime | None:
        """When what ``kind`` stands for was or is due; None where it never was."""
        found = self.deadline(kind)
        return None if found is None else found.due_at

    @property
    def refund_by(self) -> tuple[datetime | None, str | None]:
        """Until when the refund is due, as far as it is known, and the law that says so."""
        if self.closed_at is not None and self.settled_at is None:
            return None, None
        due = self.due_by("refund") or self.refund_law_by
        return due, self.refund_law if due == self.refund_law_by else None

    @property
    def next_deadline(self) -> Deadline | None:
        """The nearest one that stands and runs."""
        return next_due(self.deadlines)

    @property
    def offer_stands(self) -> bool:
        """Whether an offer waits for an answer: every one that does has a deadline."""
        return any(each.of == "offer" and each.deadline.stands for each in self.hanging)

    def holds(self) -> frozenset[str]:
        """The conditions of ``lifecycle.returns`` that are met now."""
        ungraded = any(line.inspected < line.received for line in self.lines)
        found = {"units_ungraded"} if ungraded else set()
        found.add("offer_open" if self.offer_stands else "no_offer_open")
        window = self.deadline("dispute_window")
        if window is not None and window.stands:
            found.add("dispute_window")
        return frozenset(found)

    def require(self, action: str, actor: Actor) -> None:
        """Raises ``ActionNotAllowed`` where the table does not let ``actor`` do it now."""
        RETURN.require(self.state, action, actor, self.holds())

    def step(self, action: str, actor: Actor, to: str | None = None) -> str:
        """The state that follows; raises ``ActionNotAllowed`` like ``require``."""
        return RETURN.step(self.state, action, actor, to, self.holds())

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
    deadlines: tuple[Deadline, ...] = ()
    """Those that begin, pause, run on or end with it."""


def opening(terms: ReturnTerms, now: datetime) -> tuple[Mapping[str, Any], tuple[Deadline, ...]]:
    """State and decider of a return that is being opened, and its first deadline."""
    if terms.approval_auto:
        return {"state": "approved", "decided_by": "system"}, (_ship_by(terms, now),)
    waiting = {"state": "requested", "decided_by": None}
    if terms.respond_within_seconds is None:
        return waiting, ()
    respond_by = now + timedelta(seconds=terms.respond_within_seconds)
    return waiting, (begin(RETURN, "respond", respond_by, terms.on_silence),)


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
    deadlines = _following(before, "approve", state, _ship_by(before.terms, now), now=now)
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
    if rest and before.state == "info_needed":
        raise ActionNotAllowed(
            "The buyer is being asked: only all undecided lines can be rejected now.",
            state=before.state,
            allowed=list(RETURN.allowed(before.state, actor, before.holds())),
        )
    kept = any(line.state == "approved" for line in before.lines)
    to = "requested" if rest else "approved" if kept else "rejected"
    state = before.step("reject", actor, to=to)
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
    if rest:
        return Change(before, state, "return.line_rejected", changes, reason=code)
    begun = _ship_by(before.terms, now) if kept else dispute_window(now)
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


def by_law(before: ReturnRecord, stage: str, now: datetime) -> Mapping[str, Any]:
    """The columns of the law's day, where reaching ``stage`` makes an earlier one known."""
    found = due_by_law(before.terms.law_clocks, stage, before.created_at, now)
    known = before.refund_law_by
    if found is None or (known is not None and known <= found[0]):
        return {}
    return {"refund_law_by": found[0], "refund_law": found[1]}


def dispute_window(now: datetime) -> Deadline:
    """The time to contest what was decided ``now``."""
    return begin(RETURN, "dispute_window", now + DISPUTE_WITHIN)


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


def _ship_by(terms: ReturnTerms, now: datetime) -> Deadline:
    within = terms.ship_within_seconds
    wait = DEFAULT_SHIP_WITHIN if within is None else timedelta(seconds=within)
    return begin(RETURN, "ship", now + wait)


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


def wrong_line(detail: str, line_id: UUID) -> DoesNotFit:
    """The refusal of one return line of a request."""
    line = ids.encode("rl", line_id)
    return DoesNotFit(detail, errors=[{"field": "lines", "line": line, "problem": detail}])
