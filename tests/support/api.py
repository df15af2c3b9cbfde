"""The administration's routers as one small app, and callers that hold a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import uuid_utils.compat as uuids
from fastapi import FastAPI, Request, Response

from returns_api.api import buyers, connections, errors, policies
from returns_api.domain.access import Role, Scope
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import issue
from returns_api.usecases.shops import create_shop

ADDRESS = {
    "name": "Field & Loom Returns",
    "street1": "Lagerstr. 1",
    "street2": None,
    "city": "Berlin",
    "region": None,
    "postcode": "10115",
    "country": "DE",
    "email": None,
    "phone": None,
}


def an_app(ctx: Context) -> FastAPI:
    """The routers with the error table and a request id, and nothing else."""
    app = FastAPI()
    app.state.context = ctx
    errors.install(app)

    @app.middleware("http")
    async def _name(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        request.state.request_id = uuids.uuid7().hex
        return await call_next(request)

    for module in (buyers, connections, policies):
        app.include_router(module.router)
    return app


@dataclass(frozen=True, slots=True)
class Tenant:
    """A shop, a client whose key is its first admin key, and a way to others."""

    ctx: Context
    app: FastAPI
    shop: UUID
    admin: httpx.AsyncClient

    async def key(self, role: Role, scopes: frozenset[Scope] | None = None, **more: Any) -> str:
        """A new key of this shop."""
        async with self.ctx.database.transaction(self.shop) as tx:
            made = await issue(tx, self.ctx, role=role, label="test", scopes=scopes, **more)
        return made.token

    @asynccontextmanager
    async def calling(self, token: str, host: str = "10.0.0.9") -> AsyncIterator[httpx.AsyncClient]:
        """A client that holds ``token`` and connects from ``host``."""
        async with client_of(self.app, token, host) as client:
            yield client


def client_of(app: FastAPI, token: str, host: str = "10.0.0.9") -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(host, 4321)),
        base_url="http://returns.test",
        headers={"authorization": f"Bearer {token}"},
    )


@asynccontextmanager
async def a_tenant(ctx: Context, app: FastAPI, name: str = "Field & Loom") -> AsyncIterator[Tenant]:
    """A fresh shop in the test's database."""
    made = await create_shop(
        ctx, ShopSettings(name, "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    )
    async with client_of(app, made.key.token) as admin:
        yield Tenant(ctx, app, made.id, admin)
