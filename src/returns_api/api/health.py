"""Is the process alive, can it work, how is it doing. No key needed; nothing about any shop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from returns_api.api.deps import ContextDep
from returns_api.api.responses import documented
from returns_api.api.schemas.base import Out, example
from returns_api.domain.errors import Unavailable
from returns_api.usecases.backlog import Due, late_jobs
from returns_api.usecases.context import Context
from returns_api.usecases.health import check_database

router = APIRouter(tags=["health"])

READY_SECONDS: Final = 1.5
LATE_JOBS: Final = Gauge(
    "returns_api_late_jobs",
    "Rows that have been due for over 30 s with nobody at work on them, up to 1000.",
    ("kind",),
)


class Backlog:
    """Keeps ``LATE_JOBS`` up to date, by one look in ``EVERY``: anybody may ask for metrics. None
    are shown while the database is away."""

    EVERY: Final = timedelta(seconds=5)

    def __init__(self, kinds: Mapping[str, Due]) -> None:
        self._kinds = kinds
        self._looked_at: datetime | None = None

    async def look(self, ctx: Context) -> None:
        now, last = ctx.clock(), self._looked_at
        if last is not None and now - last < self.EVERY:
            return
        self._looked_at = now
        try:
            async with asyncio.timeout(READY_SECONDS):
                found = await late_jobs(ctx, self._kinds)
        except (TimeoutError, Unavailable):
            LATE_JOBS.clear()
            return
        for kind, rows in found.items():
            LATE_JOBS.labels(kind).set(rows)


class AliveOut(Out):
    model_config = example({"status": "alive"})

    status: Literal["alive"]


class ReadyOut(Out):
    model_config = example({"status": "ready", "database": "ok"})

    status: Literal["ready"]
    database: Literal["ok"]


@router.get(
    "/livez",
    operation_id="getLiveness",
    summary="Is the process alive",
    description="True also while the database is away: restarting would not help.",
)
async def livez() -> AliveOut:
    return AliveOut(status="alive")


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Can the process work",
    description="503 while the database is away or takes no writes.",
    responses=documented(503),
)
async def readyz(ctx: ContextDep) -> ReadyOut:
    try:
        async with asyncio.timeout(READY_SECONDS):
            await check_database(ctx)
    except TimeoutError as late:
        raise Unavailable("The database does not answer in time.") from late
    return ReadyOut(status="ready", database="ok")


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Metrics for Prometheus",
    description="Text exposition format: requests and their durations, and by kind of job what has "
    "been due for over 30 s with no worker at it. No business data.",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": "returns_api_requests_total 1.0\n"}}}},
)
async def metrics(request: Request, ctx: ContextDep) -> Response:
    await request.app.state.backlog.look(ctx)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
