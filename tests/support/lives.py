"""Returns in memory: the facts that their planners see, and what a plan makes of them.

``Life`` applies plans to a record the way the database does, and keeps the units. Owns no rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from returns_api.domain.lifecycle.deadlines import applied as deadlines_after
from returns_api.domain.lifecycle.deadlines import next_due
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.receiving import (
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
)
from returns_api.domain.returns import (
    Change,
    ReturnLineRecord,
    ReturnRecord,
    opening,
)
from returns_api.domain.terms import LineTerms, ReturnTerms
from tests.support.actors import AGENT, BUYER, SYSTEM, WAREHOUSE

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


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
            "gift_receipt_id": None,
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
