"""What every operation needs from its request: the context, the principal, the key, the page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar, cast

from fastapi import Depends, Header, Query, Request, Response, Security
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import BaseModel, BeforeValidator
from pydantic_core import PydanticCustomError

from returns_api.api.errors import kept_refusal
from returns_api.api.schemas.base import example_id, id_pattern
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
KEY_PATTERN: Final = r'^("[!-~]{1,255}"|[!#-~][!-~]{0,254})$'
REQUIRED: Final = "x-required"
"""Marks a parameter that we check ourselves; ``openapi`` turns it into ``required``."""
PAGE_MAX: Final = 100

_KEY: Final = re.compile(KEY_PATTERN[1:-1])
bearer = HTTPBearer(
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
        return By(self.principal.acts_as, self.principal.credential_id, self.request_id)


class Allowed:
    """Dependency: the caller has ``scope``. Also read by the tenant matrix and the OpenAPI file."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(
        self,
        request: Request,
        ctx: ContextDep,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None,
    ) -> Caller:
        if credentials is None:
            raise Unauthenticated("Send 'Authorization: Bearer <key>'.")
        principal = await authenticate(ctx, credentials.credentials)
        principal.require(self.scope)
        return Caller(principal, request.state.request_id)


def idempotency_key(value: str | None) -> str:
    """The key without quotes. Raises ``IdempotencyKeyMissing`` when absent or not visible ASCII."""
    key = (value or "").strip()
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing(
            "Send an Idempotency-Key header of 1 to 255 visible ASCII characters.",
            header="Idempotency-Key",
        )
    return key[1:-1] if key[0] == '"' else key


KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description=(
            "1 to 255 visible ASCII characters, bare or in double quotes; the same key gives the"
            " same answer for at least 72 hours."
        ),
        examples=["5f0c4f4e-0b9d-4f0a-9a59-return-1"],
        json_schema_extra={"pattern": KEY_PATTERN, REQUIRED: True},
    ),
]
"""Missing is our own 400, not a 422 of the framework; the OpenAPI file calls it required."""


async def keyed(
    request: Request,
    ctx: Context,
    caller: Caller,
    key: str | None,
    work: Callable[[Transaction], Awaitable[T]],
    render: Callable[[T], Answer],
    body: bytes | None = None,
) -> Response:
    """Run a money-moving operation once for its Idempotency-Key and answer, first time or again.

    ``body`` is what was asked where the operation read it from the stream by itself.
    """
    text = idempotency_key(key)
    if body is None:
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


def _count(value: Any) -> Any:
    """Digits and nothing else: what reads as a number elsewhere (``1_0``, ``+1``) is a mistake."""
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        raise PydanticCustomError("int_parsing", "Input should be a whole number in digits")
    return value


Digits: Final = BeforeValidator(_count)
Limit = Annotated[
    int,
    Query(ge=1, le=PAGE_MAX, description="Items per page.", examples=[20]),
    Digits,
]


def _flag(value: Any) -> Any:
    if isinstance(value, str) and value not in {"true", "false"}:
        raise PydanticCustomError("bool_parsing", "Input should be true or false")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
"""A yes-or-no query parameter in the words of JSON."""


def paged(prefix: str) -> Callable[..., Awaitable[Page]]:
    """Dependency: the page that the caller asks of a list of things with this id prefix."""

    async def page(limit: Limit = 20, cursor: Any = None) -> Page:
        return Page(limit, cursor)

    cursor = Query(
        pattern=id_pattern(prefix),
        description="`next_cursor` of the page before.",
        examples=[example_id(prefix)],
    )
    page.__annotations__ |= {"limit": Limit, "cursor": Annotated[str | None, cursor]}
    return page


def etag(version: int) -> str:
    return f'"{version}"'


def json_answer(status: int, body: BaseModel, **headers: str) -> Answer:
    """A finished answer of one of our shapes, rendered before the transaction commits."""
    return Answer(status, body.model_dump_json(by_alias=True).encode(), headers=headers)
