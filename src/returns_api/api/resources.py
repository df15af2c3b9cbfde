"""A thing that has an id and versions, as it is shown to who changed it and to who lists them.

Owns the answer's frame: the place, the version, the page. Refuses to own what is shown (views) and
what is found (use cases).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel

from returns_api.api.commands import Command
from returns_api.api.deps import API_VERSION, Caller, Page, etag, json_answer
from returns_api.api.pages import before, cut
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.usecases._acting import Acting
from returns_api.usecases.context import Context
from returns_api.usecases.once import Answer


class Versioned(Protocol):
    """``sequence`` counts its changes; it is the version that ``ETag`` names."""

    @property
    def id(self) -> UUID: ...

    @property
    def sequence(self) -> int: ...


R = TypeVar("R", bound=Versioned)
Found_co = TypeVar("Found_co", covariant=True)
Out = TypeVar("Out", bound=BaseModel)
P = ParamSpec("P")


class Finds(Protocol[Found_co]):
    """A list of the use cases that waits for nothing but its page: at most ``limit`` things whose
    id is below ``before``, newest first."""

    def __call__(self, *, before: UUID, limit: int) -> Awaitable[Sequence[Found_co]]: ...


@dataclass(frozen=True, slots=True)
class Resource(Generic[R, Out]):
    """Where a kind of thing lives (``/v1/{collection}/{prefix}_…``) and how a caller sees it."""

    collection: str
    prefix: str
    view: Callable[[R, Principal], Out]

    async def once(
        self, command: Command, work: Callable[[Transaction], Awaitable[R]], status: int = 200
    ) -> Response:
        """Run one change once for its key, and show the thing that it is about."""

        def shown(found: R) -> Answer:
            place = f"/{API_VERSION}/{self.collection}/{ids.encode(self.prefix, found.id)}"
            body = self.view(found, command.principal)
            return json_answer(status, body, Location=place, ETag=etag(found.sequence))

        return await command.once(work, shown)

    def acts(
        self, act: Callable[Concatenate[Transaction, Context, Acting, P], Awaitable[R]]
    ) -> Callable[Concatenate[Command, str, P], Awaitable[Response]]:
        """How a request takes one of ``act``'s actions on the thing that an id in the path names:
        once for its key and, with ``If-Match``, only on the version that the caller read."""

        async def taken(
            command: Command, text: str, /, *args: P.args, **more: P.kwargs
        ) -> Response:
            who = command.acting(self.prefix, text)
            return await self.once(command, lambda tx: act(tx, command.ctx, who, *args, **more))

        return taken

    async def page(
        self, find: Finds[R], page: Page, caller: Caller
    ) -> tuple[list[Out], str | None]:
        """A page of the list as this caller sees it, and the cursor of the next one.

        Raises ``Invalid`` for a cursor that we never gave.
        """
        found = await find(before=before(page, self.prefix), limit=page.limit + 1)
        shown, next_cursor = cut(found, page, self.prefix, lambda each: each.id)
        return [self.view(each, caller.principal) for each in shown], next_cursor
