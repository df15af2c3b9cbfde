"""What a caller asks for once: under a key and, if said, on the version that they read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials

from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    KeyHeader,
    bearer,
    idempotency_key,
    keyed,
)
from returns_api.api.preconditions import IfMatch, version_if_named
from returns_api.api.schemas.base import path_id
from returns_api.db.engine import Transaction
from returns_api.domain.access import Principal
from returns_api.domain.events import By
from returns_api.usecases._acting import Acting
from returns_api.usecases.context import Context
from returns_api.usecases.once import Answer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Command:
    """Who asks for the action, under which key, and which version they saw."""

    request: Request
    ctx: Context
    caller: Caller
    key: str | None
    if_match: str | None = None

    @property
    def principal(self) -> Principal:
        return self.caller.principal

    @property
    def by(self) -> By:
        return self.caller.by

    @property
    def seen(self) -> int | None:
        """The version that the caller read, where they said which. That there is no key is told
        first, as by every operation that takes one.

        Raises:
            IdempotencyKeyMissing, PreconditionFailed.
        """
        idempotency_key(self.key)
        return version_if_named(self.if_match)

    def acting(self, prefix: str, text: str) -> Acting:
        """Who acts on the thing that an id in the path names. Raises ``NotFound`` for no id."""
        target, seen = path_id(prefix, text), self.seen
        return Acting(self.principal, self.by, target, seen)

    async def once(
        self, work: Callable[[Transaction], Awaitable[T]], render: Callable[[T], Answer]
    ) -> Response:
        """Run it once for its key and answer, first time or again."""
        return await keyed(self.request, self.ctx, self.caller, self.key, work, render)


class Commanded(Allowed):
    """Dependency: what a caller who has ``scope`` asks for under a key."""

    async def __call__(  # type: ignore[override]  # FastAPI reads the parameters, nobody calls it
        self,
        request: Request,
        ctx: ContextDep,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None,
        key: KeyHeader = None,
    ) -> Command:
        caller = await super().__call__(request, ctx, credentials)
        return Command(request, ctx, caller, key)


class CommandedOn(Allowed):
    """The same, perhaps on the version that ``If-Match`` names."""

    async def __call__(  # type: ignore[override]  # as above
        self,
        request: Request,
        ctx: ContextDep,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None,
        key: KeyHeader = None,
        if_match: IfMatch = None,
    ) -> Command:
        caller = await super().__call__(request, ctx, credentials)
        return Command(request, ctx, caller, key, if_match)
