"""What every part of the demo does over HTTP: calls that have to succeed, waiting for an effect.

Owns how long an effect may take to be seen. Knows no path of the service.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx

STEP_SECONDS: Final = 30.0
"""How long the effect of one step may take to be seen."""
CALL_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.02

Json = dict[str, Any]


class StepFailed(Exception):
    """The demo ends here; the text says what was seen instead."""


async def call(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    key: str,
    body: Json | None = None,
    params: Mapping[str, str] | None = None,
) -> Json:
    """One call with a credential; every POST is safe to repeat by its Idempotency-Key.

    Raises: StepFailed, quoting the refusal.
    """
    headers = {"authorization": f"Bearer {key}"}
    if method == "POST":
        headers["idempotency-key"] = str(uuid.uuid4())
    return read(await http.request(method, url, json=body, params=params, headers=headers))


async def control(
    http: httpx.AsyncClient, url: str, path: str, body: Json, method: str = "POST"
) -> Json:
    """What the world does, told to a simulator at ``url``. Raises: StepFailed."""
    return read(await http.request(method, f"{url}/_control/{path}", json=body))


def read(answer: httpx.Response) -> Json:
    """The JSON object of a 2xx. Raises: StepFailed, quoting the problem of anything else."""
    if not answer.is_success:
        text = f"{answer.status_code} {answer.text[:500]}"
        raise StepFailed(f"{answer.request.method} {answer.request.url.path}: {text}")
    if not answer.content:
        return {}
    found: Json = answer.json()
    return found


async def until(
    done: Callable[[], Awaitable[bool]],
    otherwise: Callable[[], str],
    pause_seconds: float = POLL_SECONDS,
) -> None:
    """Look until it is ``done``. Raises: StepFailed, with ``otherwise``."""
    end = time.monotonic() + STEP_SECONDS
    while not await done():
        if time.monotonic() > end:
            raise StepFailed(f"{otherwise()} within {STEP_SECONDS:.0f} s")
        await asyncio.sleep(pause_seconds)
