"""Who acts on one thing, and on which version of it: the start of every action on a resource."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from returns_api.domain.access import Principal
from returns_api.domain.errors import PreconditionFailed
from returns_api.domain.events import By
from returns_api.domain.lifecycle.machine import Actor


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts on ``target``, and the version that they read (None: whichever it is)."""

    principal: Principal
    by: By
    target: UUID
    seen: int | None = None

    @property
    def actor(self) -> Actor:
        return Actor(self.principal.acts_as)


def require_seen(what: str, sequence: int, seen: int | None) -> None:
    """That a thing is as the caller read it, where they said how that was.

    Raises:
        PreconditionFailed: names the version that it has by now.
    """
    if seen is not None and seen != sequence:
        raise PreconditionFailed(f"The {what} changed since you read it.", current=f'"{sequence}"')
