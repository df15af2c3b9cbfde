"""What the caller may do next with a return, from the lifecycle table: link, deadline, silence.

A client can drive the whole flow by following these and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from returns_api.domain import ids
from returns_api.domain.access import Principal, Scope
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.returns import ReturnRecord


@dataclass(frozen=True, slots=True)
class Link:
    """Where an action is called and which scope it needs."""

    path: str
    scope: Scope


LINKS: Final[dict[str, Link]] = {
    "approve": Link("approve", Scope.RETURNS_REVIEW),
    "reject": Link("reject", Scope.RETURNS_REVIEW),
    "request_info": Link("request-info", Scope.RETURNS_REVIEW),
    "provide_info": Link("provide-info", Scope.RETURNS_ACT),
    "cancel": Link("cancel", Scope.RETURNS_ACT),
    "ship": Link("ship", Scope.RETURNS_ACT),
    "receive": Link("receipts", Scope.RECEIPTS_WRITE),
    "inspect": Link("inspections", Scope.RECEIPTS_WRITE),
}

_DEADLINE_OF: Final = {
    "approve": "respond",
    "reject": "respond",
    "provide_info": "answer",
    "ship": "ship",
    "inspect": "inspect",
}
_WAITS_FOR: Final = {
    "requested": ("agent", "approve"),
    "info_needed": ("buyer", "provide_info"),
    "approved": ("buyer", "ship"),
    "in_transit": ("warehouse", "receive"),
    "received": ("warehouse", "inspect"),
    "inspected": ("system", "settle"),
    "refunding": ("system", "complete"),
}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the caller may do now. ``until`` is the deadline; ``on_silence`` what then is."""

    action: str
    href: str
    until: datetime | None
    on_silence: str | None


def allowed_actions(ret: ReturnRecord, principal: Principal) -> list[Action]:
    """In the order of the lifecycle table."""
    actor = Actor(principal.role.value) if principal.role.value in set(Actor) else None
    if actor is None:
        return []
    return [
        _action(ret, name)
        for name in RETURN.allowed(ret.state, actor)
        if name in LINKS and LINKS[name].scope in principal.scopes and _useful(ret, name)
    ]


def _useful(ret: ReturnRecord, name: str) -> bool:
    """Grading ends with the last unit, also where the money came before it."""
    return (
        name != "inspect"
        or any(line.inspected < line.received for line in ret.lines)
        or (ret.state == "received")
    )


def waiting_for(ret: ReturnRecord) -> tuple[str, str] | None:
    """Who has to act and to do what; None when the return is over."""
    return _WAITS_FOR.get(ret.state)


def _action(ret: ReturnRecord, name: str) -> Action:
    kind = _DEADLINE_OF.get(name)
    timed = kind is not None and kind == ret.deadline_kind
    return Action(
        action=name,
        href=f"/v1/returns/{ids.encode('ret', ret.id)}/{LINKS[name].path}",
        until=ret.deadline_at if timed else None,
        on_silence=_silence(ret) if timed else None,
    )


def _silence(ret: ReturnRecord) -> str | None:
    if ret.deadline_kind == "respond":
        return {"approve": "approved", "reject": "rejected"}.get(ret.on_silence or "approve")
    return {"ship": "expired", "answer": "rejected"}.get(ret.deadline_kind or "")
