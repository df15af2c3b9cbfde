"""The application in this process, and callers that hold a key of one of its shops."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from returns_api.app import at_work, create_app
from returns_api.config import Settings
from returns_api.domain.access import Role, Scope
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import issue
from returns_api.usecases.shops import create_shop
from tests.support.context import ADDRESS, Clock
from tests.support.patience import PATIENCE

__all__ = ["ADDRESS", "Tenant", "a_tenant", "an_app", "client_of"]


_idle: defaultdict[frozenset[tuple[str, Any]], list[FastAPI]] = defaultdict(list)
"""Applications that no test uses, by their settings. Each takes half a second to be made, most of
it at its first request, and knows nothing of what it answered: that is in its Context."""


@asynccontextmanager
async def an_app(database_url: str, clock: Clock, **more: Any) -> AsyncIterator[FastAPI]:
    """The whole application on ``database_url``, with a clock and a Context of the test's own;
    ``more`` are settings."""
    settings = Settings(
        database_url=SecretStr(database_url),
        secret_key=SecretStr(urlsafe_b64encode(b"k" * 32).decode()),
        public_url="http://returns.test",
        allow_private_webhook_targets=True,
        api_pool_size=5,
        **more,
    )
    idle = _idle[frozenset(more.items())]
    app = idle.pop() if idle else create_app(settings)
    async with at_work(app, settings, clock=clock, wait_seconds=PATIENCE):
        yield app
    idle.append(app)


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
async def a_tenant(app: FastAPI, name: str = "Field & Loom") -> AsyncIterator[Tenant]:
    """A fresh shop in the app's database."""
    ctx: Context = app.state.context
    made = await create_shop(
        ctx, ShopSettings(name, "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    )
    async with client_of(app, made.key.token) as admin:
        yield Tenant(ctx, app, made.id, admin)
