"""Carries out the transport fault that was drawn for a call, before or after the real work.

*Before* means the work was never done, *after* that it was done and committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from .faults import Faults, Plan
from .web import Response, json_response

Spoil = Callable[[str, bytes], bytes]

_RESET = Response(0, b"", manner="reset")
_MANNERS = {
    "reset_after": "reset",
    "drip": "drip",
    "truncate": "truncate",
    "flood": "flood",
    "bomb": "bomb",
}


async def serve(
    plan: Plan,
    faults: Faults,
    work: Callable[[], Awaitable[Response]],
    *,
    error: Callable[[int, str], object],
    spoil: Spoil,
) -> Response:
    """Do ``work`` under ``faults``.

    ``error`` writes an error body in the vendor's format; ``spoil`` changes an answer's amount,
    currency or owner in it.
    """
    fault = faults.transport
    if fault is None:
        return await work()
    plan.count(fault)
    refused = _instead(plan, fault, error)
    if refused is not None:
        return refused
    if fault == "hang_before":
        await asyncio.sleep(faults.seconds)
    response = await work()
    if fault == "hang_after":
        await asyncio.sleep(faults.seconds)
    return _afterwards(fault, response, error, spoil)


def _instead(plan: Plan, fault: str, error: Callable[[int, str], object]) -> Response | None:
    if fault == "reset_before":
        return _RESET
    if fault == "error_before":
        return json_response(error(500, "api_error"), 500)
    if fault == "rate_limited":
        wait = {"retry-after": str(plan.settings.retry_after_seconds)}
        return json_response(error(429, "rate_limit"), 429, wait)
    if fault == "key_in_use":
        return json_response(error(409, "idempotency_key_in_use"), 409)
    if fault == "redirect":
        return Response(302, b"", {"location": "http://169.254.169.254/latest/meta-data/"})
    return None


def _afterwards(
    fault: str, response: Response, error: Callable[[int, str], object], spoil: Spoil
) -> Response:
    if fault == "error_after":
        return json_response(error(500, "api_error"), 500)
    if fault == "garbage":
        return Response(200, b"<html>It works!</html>", {"content-type": "text/html"})
    if fault in _MANNERS:
        return replace(response, manner=_MANNERS[fault])
    if fault == "nan" or fault.startswith("wrong_"):
        return replace(response, body=spoil(fault, response.body))
    return response
