"""The only place that reads settings and chooses adapters; everything below is handed a Context.

A process that reads for one adapter is told which one (``reading``).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from returns_api import logs, tracing
from returns_api.adapters import registry
from returns_api.adapters.documents import PdfPrinter
from returns_api.adapters.http import GuardedClient, HttpClient
from returns_api.adapters.notifiers.compose import TextComposer
from returns_api.adapters.photos import ApartCleaner, ObjectStore
from returns_api.adapters.registry import Kind
from returns_api.adapters.sealing import FernetSealer
from returns_api.adapters.webhooks import Webhooks
from returns_api.clocks import clock_of
from returns_api.config import Settings
from returns_api.db.engine import POOL_WAIT_SECONDS, Database
from returns_api.db.waker import Waker
from returns_api.reading import KINDS, read_apart
from returns_api.usecases._calls import CallsUnderWay
from returns_api.usecases._reading import Reader
from returns_api.usecases.context import Context
from returns_api.usecases.inbox import go_on
from returns_api.worker.apart import ProcessApart, bound, bound_memory
from returns_api.worker.main import work
from returns_api.worker.reader import ReaderProcess

SECRET_BYTES = 24


@asynccontextmanager
async def running_context(
    settings: Settings,
    *,
    pool_size: int,
    one_plan: bool = False,
    wait_seconds: float = POOL_WAIT_SECONDS,
    **overrides: Any,
) -> AsyncIterator[tuple[Context, Waker]]:
    """A Context with an open database, and the waker that hurries the workers.

    ``pool_size``, ``one_plan`` and ``wait_seconds`` are the database's.
    ``overrides`` replaces fields of the Context: a test's own clock or ids enter here.
    """
    if settings.otel:
        tracing.configure("returns-api")
    database = Database(
        settings.app_address, pool_size=pool_size, one_plan=one_plan, wait_seconds=wait_seconds
    )
    http = HttpClient()
    loopback = settings.allow_private_webhook_targets
    guarded = GuardedClient(allow_loopback=loopback)
    waker = Waker(database)
    values: dict[str, Any] = {
        "database": database,
        "clock": clock_of(settings.clock_file),
        "new_id": uuid7,
        "new_secret": lambda: secrets.token_hex(SECRET_BYTES),
        "sealer": FernetSealer([settings.key()]),
        "payments": _adapters(Kind.PAYMENTS, http),
        "carriers": _adapters(Kind.CARRIERS, http),
        "shops": _adapters(Kind.SHOPS, http),
        "messengers": _messengers(http, allow_loopback=loopback),
        "composer": TextComposer(),
        "webhooks": Webhooks(guarded, allow_loopback=loopback),
        "wake": waker.wake,
        "public_url": settings.base_url,
        "printer": PdfPrinter(),
        "cleaner": ApartCleaner(settings.photo_max_pixels),
        "photos": ObjectStore(settings.photo_store_url, **settings.s3_options),
        "lease": timedelta(seconds=settings.lease_seconds),
        **overrides,
    }
    await database.open()
    try:
        yield Context(**values), waker
    finally:
        await database.close()
        await http.aclose()
        await guarded.aclose()


async def run_worker(settings: Settings) -> None:
    """One worker process, until it is told to stop."""
    bound_memory(settings.worker_memory_mb)
    calls = CallsUnderWay(max(1, settings.worker_concurrency // 2))
    size = settings.worker_pool_size
    apart = ProcessApart(carry_apart, settings)
    opened = running_context(settings, pool_size=size, one_plan=True, calls=calls, apart=apart)
    async with opened as (ctx, waker):
        await work(
            replace(ctx, readers=_readers(settings, ctx)),
            waker,
            concurrency=settings.worker_concurrency,
            shutdown_seconds=settings.shutdown_seconds,
        )


def _readers(settings: Settings, ctx: Context) -> dict[tuple[str, str], Reader]:
    """One for each adapter that an installed package brought."""
    known: dict[str, Iterable[str]] = {
        "shop": ctx.shops, "payments": ctx.payments, "carrier": ctx.carriers
    }  # fmt: skip
    return {
        (kind, name): ReaderProcess(read_apart, settings, kind, name)
        for kind, names in known.items()
        for name in names
        if name not in registry.BUILT_IN[KINDS[kind]]
    }


def carry_apart(
    settings: Settings, seconds: float, shop: UUID, message_id: UUID, attempt: int
) -> None:
    """A process of its own for one claimed message of the inbox."""
    bound(seconds, settings.worker_memory_mb)
    logs.configure(settings.log_level)
    asyncio.run(_carried_on(settings, shop, message_id, attempt))


async def _carried_on(settings: Settings, shop: UUID, message_id: UUID, attempt: int) -> None:
    async with running_context(settings, pool_size=1, one_plan=True) as (ctx, _):
        await go_on(ctx, shop, message_id, attempt)


def _adapters(kind: Kind, http: HttpClient) -> dict[str, Any]:
    return {name: make(http) for name, make in registry.factories(kind).items()}


def _messengers(http: HttpClient, *, allow_loopback: bool) -> dict[str, Any]:
    makers = registry.factories(Kind.NOTIFIERS)
    return {name: make(http, allow_loopback=allow_loopback) for name, make in makers.items()}
