"""One action on the return that a path names, asked without a key: its state lets it happen once.

Owns how such a request is read and which version its answer names. Refuses to own what is done
(``usecases.returns``) and how a return is shown to whom (``return_views``, ``gift_views``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials

from returns_api.api.deps import Allowed, Caller, ContextDep, bearer, etag
from returns_api.api.paths import ReturnPath
from returns_api.api.preconditions import IfMatch, version_if_named
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import path_id
from returns_api.domain.access import Principal
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.usecases import returns
from returns_api.usecases.context import Context
from returns_api.usecases.returns import ReturnView

Plan = Callable[[ReturnRecord, Actor, datetime], Change]

ACTED: Final = refusals(*BODY, 404, 409, 412)
"""How an action may be refused."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts on which return, and the version that they read, where they said which."""

    ctx: Context
    caller: Caller
    text: str
    if_match: str | None
    response: Response

    @property
    def principal(self) -> Principal:
        return self.caller.principal

    async def take(self, plan: Plan) -> ReturnView:
        """Carry ``plan`` out; the answer's ``ETag`` is the version that it made.

        Raises:
            PreconditionFailed, NotFound, and what ``usecases.returns.act`` does.
        """
        seen = version_if_named(self.if_match)
        return_id = path_id("ret", self.text)
        view = await returns.act(self.ctx, self.principal, self.caller.by, return_id, plan, seen)
        self.response.headers["ETag"] = etag(view.ret.sequence)
        return view


class Acts(Allowed):
    """Dependency: what a caller who has ``scope`` does about the return in the path."""

    async def __call__(  # type: ignore[override]  # FastAPI reads the parameters, nobody calls it
        self,
        return_: ReturnPath,
        request: Request,
        response: Response,
        ctx: ContextDep,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None,
        if_match: IfMatch = None,
    ) -> Act:
        caller = await super().__call__(request, ctx, credentials)
        return Act(ctx, caller, return_, if_match, response)
