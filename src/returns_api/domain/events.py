"""What happened, once per transition: the audit trail and the source of webhooks.

An event carries ids, states and amounts, never personal data, so that it can be kept for ever and
sent to anyone who may see the shop's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class By:
    """Who acted: a role of the lifecycle tables, the credential's id, and the request."""

    actor: str
    credential_id: UUID | None = None
    request_id: str | None = None


SYSTEM = By("system")


@dataclass(frozen=True, slots=True)
class Event:
    """``sequence`` counts per resource without gaps; a receiver ignores lower ones."""

    id: UUID
    type: str
    resource_type: str
    resource_id: UUID
    sequence: int
    at: datetime
    by: By
    data: Mapping[str, Any]
    order_id: UUID | None = None
    return_id: UUID | None = None
    reason: str | None = field(default=None)

    def to_row(self) -> dict[str, Any]:
        """JSON-ready column values."""
        return {
            "id": self.id,
            "resource_type": self.resource_type,
            "resource_id": self.resource_id,
            "sequence": self.sequence,
            "type": self.type,
            "at": self.at,
            "actor": self.by.actor,
            "actor_id": self.by.credential_id,
            "reason": self.reason,
            "request_id": self.by.request_id,
            "order_id": self.order_id,
            "return_id": self.return_id,
            "data": dict(self.data),
        }
