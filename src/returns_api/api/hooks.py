"""Webhooks in over HTTP: read the raw bytes within bounds, hand them on, answer.

The body is counted while it streams in and refused before anything is hashed. A header that came
twice or is not ASCII is treated as if it had not come, so a signature in it matches nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request

from returns_api.api.deps import ContextDep
from returns_api.api.raw import read_body
from returns_api.api.responses import documented
from returns_api.api.schemas.base import example_id
from returns_api.api.schemas.inbox import ReceivedOut
from returns_api.usecases.hooks import store_hook

router = APIRouter(prefix="/v1/hooks", tags=["webhooks in"])

PATH: Final = re.compile("/v1/hooks/.*")
MAX_BODY: Final = 2 * 1024 * 1024
READ_SECONDS: Final = 10.0

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The sender's own bytes; the signature covers exactly these.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"id": 820982911946154508, "name": "#1001"},
            }
        },
    }
}


@router.post(
    "/{shop}/{source}",
    operation_id="receiveWebhook",
    summary="Receive a webhook",
    description=(
        "The address that shop platforms, payment providers and carriers send to; `webhook_url` of"
        " a connection names it. The body's signature is the only credential. `200` means durably"
        " stored, also for a repetition and for an unknown topic; it is processed afterwards."
        " Every doubt about the sender has one answer, `401`, and leaves no trace."
    ),
    responses=documented(400, 401, 413, 422, 503),
    openapi_extra=_BODY,
)
async def receive_webhook(
    shop: Annotated[str, Path(description="The shop's id.", examples=[example_id("shp")])],
    source: Annotated[
        str, Path(description="The connection's slug.", examples=["shopify", "stripe"])
    ],
    request: Request,
    ctx: ContextDep,
) -> ReceivedOut:
    body = await read_body(request, most=MAX_BODY, seconds=READ_SECONDS)
    await store_hook(ctx, shop, source, _single_headers(request), body)
    return ReceivedOut()


def _single_headers(request: Request) -> dict[str, str]:
    """Headers that came exactly once and in ASCII, by lower-case name."""
    raw = [(name.lower(), value) for name, value in request.headers.raw]
    times = Counter(name for name, _ in raw)
    return {
        name.decode("ascii"): value.decode("ascii")
        for name, value in raw
        if times[name] == 1 and name.isascii() and value.isascii()
    }
