"""Is the process alive, can it work, how is it doing. No key needed; nothing about any shop."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from returns_api.api.deps import ContextDep
from returns_api.api.responses import documented
from returns_api.api.schemas.base import Out, example
from returns_api.domain.errors import Unavailable
from returns_api.usecases.health import check_database

router = APIRouter(tags=["health"])

READY_SECONDS: Final = 1.5


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
    description="Text exposition format; counts and durations, no business data.",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": "returns_api_requests_total 1.0\n"}}}},
)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
