"""What every operation needs from its request: the context, the principal, the key, the page."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar, cast

from fastapi import Depends, Header, Query, Request, Response, Security
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import BaseModel

from returns_api.api.errors import kept_refusal
from returns_api.crashpoints import crashpoint
from returns_api.db.engine import Transaction
from returns_api.db.idempotency import Claim
from returns_api.domain.access import Principal, Scope
from returns_api.domain.errors import IdempotencyKeyMissing, Unauthenticated
from returns_api.domain.events import By
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import authenticate
from returns_api.usecases.once import Answer, Keyed, once

T = TypeVar("T")

API_VERSION: Final = "v1"
KEY_MAX: Final = 255
PAGE_MAX: Final = 100

_bearer = HTTPBearer(
    auto_error=False, description="An API key or a buyer token.", scheme_name="bearer"
)


async def context(request: Request) -> Context:
    """The context that the app was built with. Async, or FastAPI would call it in a thread."""
    return cast("Context", request.app.state.context)


ContextDep = Annotated[Context, Depends(context)]


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated caller of this request."""

    principal: Principal
    request_id: str

    @property
    def by(self) -> By:
        return By(self.principal.role.value, self.principal.credential_id, self.request_id)


class Allowed:
    """Dependency: the caller has ``scope``. Also read by the tenant matrix and the OpenAPI file."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(
        self,
        request: Request,
        ctx: ContextDep,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    ) -> Caller:
        if credentials is None:
            raise Unauthenticated("Send 'Authorization: Bearer <key>'.")
        principal = await authenticate(ctx, credentials.credentials)
        principal.require(self.scope)
        return Caller(principal, request.state.request_id)


def idempotency_key(value: str | None) -> str:
    """The key without quotes. Raises ``IdempotencyKeyMissing`` when absent or not visible ASCII."""
    key = (value or "").strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 0 < len(key) <= KEY_MAX or not all("!" <= letter <= "~" for letter in key):
        raise IdempotencyKeyMissing(
            "Send an Idempotency-Key header of 1 to 255 visible ASCII characters.",
            header="Idempotency-Key",
        )
    return key


KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1-255 visible ASCII characters; the same key gives the same answer.",
        examples=["5f0c4f4e-0b9d-4f0a-9a59-return-1"],
    ),
]


async def keyed(
    request: Request,
    ctx: Context,
    caller: Caller,
    key: str | None,
    work: Callable[[Transaction], Awaitable[T]],
    render: Callable[[T], Answer],
) -> Response:
    """Run a money-moving operation once for its Idempotency-Key and answer, first time or again."""
    text = idempotency_key(key)
    body = await request.body()
    print_ = hashlib.sha256(
        b"\n".join((request.method.encode(), request.url.path.encode(), API_VERSION.encode(), body))
    )
    claim = Claim(
        caller.principal.credential_id, hashlib.sha256(text.encode()).digest(), print_.digest()
    )
    answer = await once(
        ctx,
        caller.principal.shop,
        Keyed(claim, lambda error: kept_refusal(error, request)),
        work,
        render,
    )
    crashpoint("A4")
    ctx.wake()
    headers = dict(answer.headers)
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, answer.content_type)


@dataclass(frozen=True, slots=True)
class Page:
    """A cursor page: up to ``limit`` items after ``cursor``, newest first."""

    limit: int
    cursor: str | None


async def page(
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Items per page.")] = 20,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before.")
    ] = None,
) -> Page:
    return Page(limit, cursor)


PageDep = Annotated[Page, Depends(page)]


def etag(version: int) -> str:
    return f'"{version}"'


def json_answer(status: int, body: BaseModel, **headers: str) -> Answer:
    """A finished answer of one of our shapes, rendered before the transaction commits."""
    return Answer(status, body.model_dump_json(by_alias=True).encode(), headers=headers)
