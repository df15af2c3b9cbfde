"""Shapes of the audit trail."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from returns_api.api.schemas.base import (
    EventId,
    KeyId,
    Moment,
    OrderId,
    Out,
    ReturnId,
    example,
    example_id,
)

_EVENT: Final = {
    "id": example_id("evt"),
    "type": "refund.succeeded",
    "at": "2026-11-21T09:12:44Z",
    "resource": example_id("ref"),
    "sequence": 5,
    "actor": "system",
    "actor_key": None,
    "reason": None,
    "request_id": None,
    "order": example_id("ord"),
    "return": example_id("ret"),
    "data": {"refund": example_id("ref"), "state": "succeeded", "amount": 8410, "currency": "EUR"},
}


class AuditEventOut(Out):
    """One thing that happened: what, to what, by whom, why. Never changed afterwards."""

    model_config = example(_EVENT)

    id: EventId
    type: str
    at: Moment
    resource: str
    sequence: int = Field(description="Counts the events of the resource, from 1.")
    actor: str = Field(description="The role that acted; `system` for deadlines and outside facts.")
    actor_key: KeyId | None = Field(description="The key or buyer token that acted.")
    reason: str | None
    request_id: str | None
    order: OrderId | None
    return_: ReturnId | None = Field(alias="return")
    data: dict[str, Any] = Field(description="What a webhook carries as `data`.")


class AuditEventsOut(Out):
    """A page of events, newest first."""

    model_config = example({"items": [_EVENT], "next_cursor": None})

    items: list[AuditEventOut]
    next_cursor: str | None
