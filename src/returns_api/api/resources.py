"""A thing that has an id and versions, as it is shown to who changed it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel

from returns_api.api.commands import Command
from returns_api.api.deps import API_VERSION, etag, json_answer
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.usecases.once import Answer


class Versioned(Protocol):
    """``sequence`` counts its changes; it is the version that ``ETag`` names."""

    @property
    def id(self) -> UUID: ...

    @property
    def sequence(self) -> int: ...


R = TypeVar("R", bound=Versioned)


@dataclass(frozen=True, slots=True)
class Resource(Generic[R]):
    """Where a kind of thing lives (``/v1/{collection}/{prefix}_…``) and how a caller sees it."""

    collection: str
    prefix: str
    view: Callable[[R, Principal], BaseModel]

    async def once(
        self, command: Command, work: Callable[[Transaction], Awaitable[R]], status: int = 200
    ) -> Response:
        """Run one change once for its key, and show the thing that it is about."""

        def shown(found: R) -> Answer:
            place = f"/{API_VERSION}/{self.collection}/{ids.encode(self.prefix, found.id)}"
            body = self.view(found, command.principal)
            return json_answer(status, body, Location=place, ETag=etag(found.sequence))

        return await command.once(work, shown)
