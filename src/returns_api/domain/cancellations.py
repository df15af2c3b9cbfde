"""Units of an order that end without a return, as pure plans: until when, and what follows.

Before dispatch: the buyer's wish, and the shop's answer. After dispatch: a parcel that is turned
back, that was refused, that got lost or never reached its buyer (Directive 2011/83/EU, articles 18
and 20: until the consumer has the goods, their loss is the trader's). Refuses to own which units
(``cancelled_units``), amounts (``settlement``) and the books. States move only through
``lifecycle.cancellations``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.allocation import Certificate
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.lifecycle.cancellations import CANCELLATION
from returns_api.domain.lifecycle.deadlines import Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.machine import Actor

BEFORE_DISPATCH: Final = "before_dispatch"
RECALLED: Final = "recalled"
REFUSED: Final = "refused"
LOST: Final = "lost"
NOT_RECEIVED: Final = "not_received"
CAUSES: Final = (BEFORE_DISPATCH, RECALLED, REFUSED, LOST, NOT_RECEIVED)
OF_BUYERS: Final = frozenset({BEFORE_DISPATCH, RECALLED, NOT_RECEIVED})
"""What a buyer can ask for or say; the others are facts that the shop records."""
GOODS_TO_COME: Final = frozenset({RECALLED, REFUSED})
MISSING: Final = frozenset({LOST, NOT_RECEIVED})

DISPATCHED: Final = "dispatched"
"""Why the system declines: all its units were sent meanwhile."""
REASONS: Final = (DISPATCHED, "too_late", "delivered", "not_possible", "no_answer")
"""Why a cancellation is declined; ``no_answer`` and ``dispatched`` are the system's."""

ANSWER_WITHIN: Final[Mapping[str, tuple[timedelta, str]]] = {
    BEFORE_DISPATCH: (timedelta(days=1), "confirm"),
    RECALLED: (timedelta(days=3), "decline"),
    LOST: (timedelta(days=14), "confirm"),
    NOT_RECEIVED: (timedelta(days=14), "confirm"),
}
"""By the cause: how long the shop has to answer, and what its silence means. It means what the law
or the facts say by themselves: nobody said that it was sent; nobody has turned the parcel back;
nobody has shown that the buyer got it."""
BACK_WITHIN: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CancelledLine:
    """Units of one order line: ``units`` are the numbers that it holds (still, or for ever)."""

    id: UUID
    order_line_id: UUID
    external_id: str
    title: str
    sku: str | None
    kind: str
    quantity: int
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CancellationRecord:
    """A cancellation as the database has it."""

    id: UUID
    order_id: UUID
    parcel_id: UUID | None
    parcel: str | None
    """The shop platform's own id of the parcel, where it is about one."""
    order_external_id: str
    cause: str
    state: str
    asked_by: str
    reason: str | None
    """Why it was declined."""
    refund_id: UUID | None
    certificate_version: int
    """The cut of the order that its units were asked from; see ``newest_cut``."""
    overrun: int
    """Units that were sent although they had been stopped, or came after they were paid as missing.
    """
    sequence: int
    created_at: datetime
    updated_at: datetime
    lines: tuple[CancelledLine, ...]
    deadlines: tuple[Deadline, ...]

    def holds(self) -> frozenset[str]:
        """The conditions of ``lifecycle.cancellations`` that are met."""
        return frozenset({"goods_to_come" if self.cause in GOODS_TO_COME else "no_goods_to_come"})


@dataclass(frozen=True, slots=True)
class CancellationChange:
    """One transition, saved where the cancellation still has ``before``'s sequence.

    ``release`` names units by line that it no longer holds; ``pays`` has the rest refunded.
    """

    before: CancellationRecord
    state: str
    event: str
    deadlines: tuple[Deadline, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    release: Mapping[UUID, tuple[int, ...]] = field(default_factory=dict)
    pays: bool = False


def opening(cause: str, now: datetime) -> tuple[str, tuple[Deadline, ...]]:
    """State of a new cancellation, and its first deadline. A refused parcel is on its way back."""
    if cause == REFUSED:
        return "coming_back", (begin(CANCELLATION, "parcel_back", now + BACK_WITHIN),)
    within, on_silence = ANSWER_WITHIN[cause]
    return "requested", (begin(CANCELLATION, "cancel_answer", now + within, on_silence),)


def plan_act(
    before: CancellationRecord,
    action: str,
    actor: Actor,
    now: datetime,
    *,
    stopped: Mapping[UUID, int] | None = None,
    reason: str | None = None,
) -> CancellationChange:
    """A step that somebody takes. ``stopped`` says of each order line how many units the shop could
    stop, where it could not stop all; the others can be returned once they came.

    Raises:
        ActionNotAllowed: not in this state, not for this actor, or not for this cause.
        DoesNotFit: other lines or more units than it holds, or none at all.
    """
    state = CANCELLATION.step(before.state, action, actor, holds=before.holds())
    begun = []
    if state == "coming_back" != before.state:
        begun = [begin(CANCELLATION, "parcel_back", now + BACK_WITHIN)]
    release: Mapping[UUID, tuple[int, ...]] = {}
    if state in {"declined", "withdrawn"}:
        release = {line.order_line_id: line.units for line in before.lines if line.units}
    elif stopped is not None:
        release = _not_stopped(before, stopped)
    return CancellationChange(
        before,
        state,
        f"cancellation.{'overdue' if action == 'overdue' else state}",
        follow(CANCELLATION, before.deadlines, action, state, *begun, now=now),
        {"reason": reason} if state == "declined" else {},
        release,
        pays=state == "confirmed",
    )


def plan_cancellation_silence(
    before: CancellationRecord, now: datetime
) -> CancellationChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, now)
    if late is None:
        return None
    reason = "no_answer" if late.on_silence == "decline" else None
    change = plan_act(before, late.on_silence, Actor.SYSTEM, now, reason=reason)
    return CancellationChange(
        change.before,
        change.state,
        change.event,
        passed(late, change.deadlines),
        change.values,
        change.release,
        change.pays,
    )


def plan_dispatched(
    before: CancellationRecord, over: Mapping[UUID, int], now: datetime
) -> CancellationChange | None:
    """Units left the warehouse that this cancellation holds: ``over`` says how many by line.

    One that waits gives them up, the lowest numbers first as what is sent has them, and is declined
    when none is left; one that was confirmed is told
    about once more for each further unit, since the buyer has the money and gets the goods. None
    where nothing of it is concerned.
    """
    mine = {
        line.order_line_id: tuple(sorted(line.units)[: over[line.order_line_id]])
        for line in before.lines
        if line.units and over.get(line.order_line_id, 0) > 0
    }
    count = sum(len(units) for units in mine.values())
    if before.state == "confirmed" and count > before.overrun:
        state = CANCELLATION.step(before.state, "overrun", Actor.SYSTEM)
        return CancellationChange(before, state, "cancellation.overrun", values={"overrun": count})
    if before.state != "requested" or not count:
        return None
    if count == sum(len(line.units) for line in before.lines):
        return plan_act(before, "decline", Actor.SYSTEM, now, reason=DISPATCHED)
    state = CANCELLATION.step(before.state, "reduce", Actor.SYSTEM)
    return CancellationChange(before, state, "cancellation.reduced", release=mine)


def plan_delivered(before: CancellationRecord, now: datetime) -> CancellationChange | None:
    """Its parcel reached the buyer after all. What waits for the shop's word is declined: silence
    must not pay for goods that came. What was paid as missing is told about, once for each unit.

    A parcel on its way back is left alone: its carrier says delivered when it is back, too.
    """
    if before.state == "requested":
        return plan_act(before, "decline", Actor.SYSTEM, now, reason="delivered")
    count = sum(len(line.units) for line in before.lines)
    if before.state != "confirmed" or before.cause not in MISSING or count <= before.overrun:
        return None
    state = CANCELLATION.step(before.state, "overrun", Actor.SYSTEM)
    return CancellationChange(before, state, "cancellation.overrun", values={"overrun": count})


def newest_cut(asked: Certificate, newest: Certificate, found: CancellationRecord) -> Certificate:
    """What its units are refunded by: the order's newest cut, which knows what was captured since,
    unless an edit took one of them out; then the one that they were asked from."""

    def has(line: CancelledLine) -> bool:
        return newest.has_line(line.external_id) and all(
            unit <= newest.line_units(line.external_id) for unit in line.units
        )

    return newest if all(has(line) for line in found.lines) else asked


def _not_stopped(
    before: CancellationRecord, stopped: Mapping[UUID, int]
) -> dict[UUID, tuple[int, ...]]:
    held = {line.order_line_id: line.units for line in before.lines}
    for line_id, count in stopped.items():
        if line_id not in held or count > len(held[line_id]):
            problem = f"The cancellation holds {len(held.get(line_id, ()))} units of this line."
            line = ids.encode("li", line_id)
            raise DoesNotFit(problem, errors=[{"field": "lines", "line": line, "problem": problem}])
    if not any(stopped.values()):
        raise unfit("Nothing was stopped: decline it.", "lines")
    return {
        line_id: units[stopped.get(line_id, 0) :]
        for line_id, units in held.items()
        if units[stopped.get(line_id, 0) :]
    }


def unfit(problem: str, name: str = "parcel") -> DoesNotFit:
    """The refusal of one field of a request."""
    return DoesNotFit(problem, errors=[{"field": name, "problem": problem}])


def lines_told(lines: Sequence[CancelledLine]) -> list[dict[str, Any]]:
    """The goods as an event names them: by our ids and by the shop's own."""
    return [
        {
            "line": ids.encode("li", line.order_line_id),
            "external_id": line.external_id,
            "sku": line.sku,
            "quantity": line.quantity,
            "held": len(line.units),
        }
        for line in lines
    ]
