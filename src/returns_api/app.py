"""The HTTP application: routers, the error table, the middleware, the lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from returns_api import __version__
from returns_api.api import (
    address_changes,
    audits,
    backtests,
    buyers,
    cancellations,
    complaints,
    connections,
    credit_notes,
    disputes,
    errors,
    events,
    exchanges,
    exports,
    gift_receipts,
    gift_returns,
    gifts,
    health,
    hooks,
    imports,
    inbox,
    inspections,
    keys,
    labels,
    ledger,
    listings,
    messages,
    notifications,
    offers,
    orders,
    payouts,
    people,
    photos,
    pickups,
    policies,
    publications,
    quotes,
    reconciliations,
    recoveries,
    refunds,
    repairs,
    reports,
    return_actions,
    returns,
    shop,
    store_credits,
    strict,
    transport_claims,
    webhook_endpoints,
    withdrawals,
)
from returns_api.api.middleware import BodyLimit, Observed
from returns_api.api.openapi import describe
from returns_api.config import Settings
from returns_api.wiring import running_context
from returns_api.worker.jobs import TIMED

ROUTERS = (
    health,
    buyers,
    orders,
    quotes,
    returns,
    return_actions,
    gift_receipts,
    gifts,
    gift_returns,
    withdrawals,
    inspections,
    labels,
    pickups,
    transport_claims,
    cancellations,
    address_changes,
    offers,
    messages,
    photos,
    disputes,
    complaints,
    exchanges,
    repairs,
    refunds,
    recoveries,
    listings,
    credit_notes,
    store_credits,
    ledger,
    audits,
    reconciliations,
    payouts,
    reports,
    policies,
    publications,
    backtests,
    imports,
    exports,
    keys,
    connections,
    webhook_endpoints,
    notifications,
    events,
    inbox,
    shop,
    people,
    hooks,
)


COUNT_THEMSELVES: Final = (hooks.PATH, imports.PARTS, photos.PATHS)
"""Operations that count the bytes of a body while it streams in."""


@asynccontextmanager
async def at_work(app: FastAPI, settings: Settings, **overrides: Any) -> AsyncIterator[None]:
    """Hold what ``app`` answers with open; ``overrides`` replaces fields of its Context."""
    opened = running_context(settings, pool_size=settings.api_pool_size, **overrides)
    async with opened as (ctx, waker):
        app.state.context = ctx
        app.state.backlog = health.Backlog(TIMED)
        waker.start()
        yield
        await waker.stop()


def create_app(settings: Settings, **overrides: Any) -> FastAPI:
    """The application; ``overrides`` replaces fields of its Context (a test's own clock)."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with at_work(app, settings, **overrides):
            yield

    app = FastAPIOffline(  # its pages come from here: no browser asks a content network for them
        title="returns-api",
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        dependencies=[Depends(strict.strict)],
        docs_url="/docs",
        static_url="/docs/assets",
        redoc_url=None,
        separate_input_output_schemas=True,
        telemetry={"operation_spans": False},
    )
    app.state.photo_max_bytes = settings.photo_max_bytes
    errors.install(app)
    strict.install(app, (route for module in ROUTERS for route in module.router.routes))
    for module in ROUTERS:
        app.include_router(module.router)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes, own=COUNT_THEMSELVES)
    app.add_middleware(Observed)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    describe(app)
    return app
