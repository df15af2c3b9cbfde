"""Photos over HTTP: bytes in as they are, links out.

The body is counted while it streams in. What goes out was made here from pixels; a browser saves it
and shows nothing of it in place.
"""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    KeyHeader,
    idempotency_key,
    json_answer,
    keyed,
)
from returns_api.api.errors import Refused
from returns_api.api.filters import asked_id
from returns_api.api.paths import OrderPath, ReturnPath
from returns_api.api.responses import BODY, documented, refusals
from returns_api.api.schemas.base import example_id, id_pattern, path_id
from returns_api.api.schemas.photos import PhotoOut, PhotosOut
from returns_api.crashpoints import crashpoint
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.domain.photos import file_name
from returns_api.usecases import photos
from returns_api.usecases.context import Context
from returns_api.usecases.photos import Target

router = APIRouter(prefix="/v1", tags=["evidence"])

PATHS: Final = re.compile(r"/v1/(orders|returns)/[^/]+/photos")
"""Where photos are sent to; their bytes are counted here."""
READ_SECONDS: Final = 60.0
TYPES: Final = ("image/jpeg", "image/png", "image/webp")
_PICTURE: Final = {"type": "string", "format": "binary"}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file as it is. Its name, its metadata and all else but pixels is lost.",
        "content": {kind: {"schema": {}, "example": "the file"} for kind in TYPES},
    }
}
_SHOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The picture.",
        "content": {"image/jpeg": {"schema": _PICTURE, "example": "the file"}},
    }
}

PhotoPath = Annotated[str, Path(alias="photo", examples=[example_id("ev")], max_length=100)]
Adder = Annotated[Caller, Depends(Allowed(Scope.PHOTOS_ADD))]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
_TAKEN: Final = (
    "JPEG, PNG or WebP. The picture is made anew from its pixels, at most 2048 long: metadata such"
    " as where it was taken is gone before it is stored. Beyond the size or the number of pixels"
    " that the operator allows: `413`, or `422 photo_refused` that says why."
)


@router.post(
    "/orders/{order}/photos",
    status_code=201,
    operation_id="addOrderPhoto",
    summary="Send a photo before there is a return",
    description=f"{_TAKEN} Name it in `evidence` when the return is opened; unused it goes after"
    " a day.",
    response_model=PhotoOut,
    responses=refusals(*BODY, 404, 409),
    openapi_extra=_BODY,
)
async def add_order_photo(
    order: OrderPath,
    request: Request,
    ctx: ContextDep,
    caller: Adder,
    key: KeyHeader = None,
) -> Response:
    target = Target(order_id=path_id("ord", order))
    return await _take(request, ctx, caller, key, target)


@router.post(
    "/returns/{return}/photos",
    status_code=201,
    operation_id="addReturnPhoto",
    summary="Send a photo of a return",
    description=f"{_TAKEN} With `line` it shows that line of the return.",
    response_model=PhotoOut,
    responses=refusals(*BODY, 404, 409),
    openapi_extra=_BODY,
)
async def add_return_photo(
    return_: ReturnPath,
    request: Request,
    ctx: ContextDep,
    caller: Adder,
    key: KeyHeader = None,
    line: Annotated[
        str | None,
        Query(
            pattern=id_pattern("rl"),
            examples=[example_id("rl")],
            description="The line of the return that it shows.",
        ),
    ] = None,
) -> Response:
    target = Target(
        return_id=path_id("ret", return_),
        return_line_id=asked_id("rl", line),
    )
    return await _take(request, ctx, caller, key, target)


@router.get(
    "/returns/{return}/photos",
    operation_id="listReturnPhotos",
    summary="The photos of a return",
    description="Of buyer, agent and warehouse; oldest first, each with a fresh link.",
    responses=refusals(404),
)
async def list_photos(return_: ReturnPath, ctx: ContextDep, caller: Reader) -> PhotosOut:
    found = await photos.list_photos(ctx, caller.principal, path_id("ret", return_))
    return PhotosOut(items=[_photo(ctx, caller, row) for row in found])


@router.get(
    "/photos/{photo}",
    operation_id="getPhoto",
    summary="Read about a photo",
    description="With a fresh link to its content.",
    responses=refusals(404),
)
async def get_photo(photo: PhotoPath, ctx: ContextDep, caller: Reader) -> PhotoOut:
    return _photo(ctx, caller, await photos.get_photo(ctx, caller.principal, path_id("ev", photo)))


@router.get(
    "/photos/{photo}/content",
    operation_id="getPhotoContent",
    summary="Follow a link to a photo",
    description=(
        "The address is the `link` of a photo, whole; it needs no key and is good for five minutes."
        " Anything else is `404`."
    ),
    response_class=Response,
    responses={**_SHOWN, **documented(404, 422, 503)},
)
async def get_content(
    photo: PhotoPath,
    ctx: ContextDep,
    shop: Annotated[str, Query(examples=[example_id("shp")], max_length=100)],
    until: Annotated[
        int, Query(ge=0, le=2**33, examples=[1795255500], description="Its end: Unix seconds.")
    ],
    signature: Annotated[
        str, Query(max_length=100, examples=["q1w2"], description="Binds the link to all of it.")
    ],
) -> Response:
    photo_id = path_id("ev", photo)
    body = await photos.content(ctx, path_id("shp", shop), photo_id, until, signature)
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(photo_id)}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "private, no-store",
    }
    return Response(body, media_type="image/jpeg", headers=headers)


async def _take(
    request: Request, ctx: Context, caller: Caller, key: str | None, target: Target
) -> Response:
    """Store first, then let it count once for the key; what does not come to count is given up."""
    idempotency_key(key)
    body = await _read(request)
    upload = await photos.store_photo(ctx, caller.principal, target, body)
    replayed = True
    try:
        answer = await keyed(
            request,
            ctx,
            caller,
            key,
            lambda tx: photos.keep_photo(tx, ctx, caller.principal, caller.by, upload),
            lambda row: json_answer(201, _photo(ctx, caller, row)),
            request.url.query.encode() + b"\n" + body,
        )
        crashpoint("U2")
        replayed = "idempotent-replayed" in answer.headers
        return answer
    finally:
        if replayed:
            await photos.give_up(ctx, caller.principal.shop, upload.id)


async def _read(request: Request) -> bytes:
    """The raw body. Raises 415 for another type, 413 as soon as it is too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in TYPES:
        raise Refused(415, "unsupported_media_type", f"Send one of: {', '.join(TYPES)}.")
    most = request.app.state.photo_max_bytes
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:12]) > most:
        raise HTTPException(413, f"A photo has at most {most} bytes.")
    found = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                found += chunk
                if len(found) > most:
                    raise HTTPException(413, f"A photo has at most {most} bytes.")
    except TimeoutError as slow:
        raise HTTPException(400, "The body did not end in time.") from slow
    except ClientDisconnect as gone:
        raise HTTPException(400, "The body did not end.") from gone
    return bytes(found)


def _photo(ctx: Context, caller: Caller, row: Row) -> PhotoOut:
    link, until = photos.link(ctx, caller.principal.shop, row["id"])
    return PhotoOut(
        photo=row["id"],
        order=row["order_id"],
        return_=row["return_id"],
        return_line=row["return_line_id"],
        added_by=row["added_by"],
        at=row["created_at"],
        width=row["width"],
        height=row["height"],
        size=row["size"],
        link=link,
        link_until=until,
    )
