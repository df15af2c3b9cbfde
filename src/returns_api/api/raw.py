"""Bodies that are taken as they come: counted while they stream in, refused before all else."""

from __future__ import annotations

import asyncio

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect


async def read_body(request: Request, *, most: int, seconds: float) -> bytes:
    """The raw body. Raises 413 as soon as it is too long, 400 when it does not end in time."""
    refusal = HTTPException(413, f"A body has at most {most} bytes here.")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:12]) > most:
        raise refusal
    found = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                found += chunk
                if len(found) > most:
                    raise refusal
    except TimeoutError as slow:
        raise HTTPException(400, "The body did not end in time.") from slow
    except ClientDisconnect as gone:
        raise HTTPException(400, "The body did not end.") from gone
    return bytes(found)
