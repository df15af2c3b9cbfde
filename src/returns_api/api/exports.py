"""Exports over HTTP: asked for, followed, fetched part by part or as one file behind a link."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Digits, Page, paged
from returns_api.api.responses import documented, refusals
from returns_api.api.runs import locate, page_of, queued
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.exports import (
    LINE,
    ExportDetailOut,
    ExportIn,
    ExportOut,
    ExportsOut,
)
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Scope
from returns_api.usecases import exports

router = APIRouter(prefix="/v1/exports", tags=["exports"])

MEDIA: Final = "application/x-ndjson"
_LINES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Lines of JSON, one order or return each.",
        "content": {MEDIA: {"schema": {"type": "string"}, "example": LINE}},
    }
}

ExportPath = Annotated[str, Path(alias="export", examples=[example_id("exp")], max_length=100)]
Pages = Annotated[Page, Depends(paged("exp"))]
Manager = Annotated[Caller, Depends(Allowed(Scope.SHOP_MANAGE))]
PartNumber = Annotated[
    int, Query(ge=1, le=2**31 - 1, examples=[1], description="Which part, from 1."), Digits
]


@router.post(
    "",
    operation_id="startExport",
    summary="Export orders or returns",
    description=(
        "A job writes every order, or every return with its lines, grades, refunds, messages and"
        " history, as lines of JSON. The staff's notes are not in it. It can be fetched for a week;"
        " erasing a person drops every export of the shop."
    ),
    status_code=202,
    responses=queued(409),
)
async def start_export(
    body: ExportIn, ctx: ContextDep, caller: Manager, response: Response
) -> ExportOut:
    row = await exports.start_export(ctx, caller.principal.shop, caller.by, body.kind)
    locate(response, "/v1/exports", "exp", row)
    return ExportOut(**_members(row))


@router.get(
    "",
    operation_id="listExports",
    summary="List exports",
    description="Newest first.",
    responses=refusals(),
)
async def list_exports(ctx: ContextDep, caller: Manager, page: Pages) -> ExportsOut:
    before = pages.before(page, "exp")
    rows = await exports.list_exports(ctx, caller.principal.shop, before, page.limit + 1)
    items, cursor = page_of(rows, page, "exp", lambda row: ExportOut(**_members(row)))
    return ExportsOut(items=items, next_cursor=cursor)


@router.get(
    "/{export}",
    operation_id="getExport",
    summary="Follow an export",
    description="How far it is; once it is whole, a fresh link to its file, good for an hour.",
    responses=refusals(404),
)
async def get_export(export: ExportPath, ctx: ContextDep, caller: Manager) -> ExportDetailOut:
    shop = caller.principal.shop
    row = await exports.view_export(ctx, shop, path_id("exp", export))
    link, until = None, None
    if row["state"] == "succeeded":
        link, until = exports.link(ctx, shop, row["id"])
    return ExportDetailOut(**_members(row), link=link, link_until=until)


@router.get(
    "/{export}/lines",
    operation_id="getExportLines",
    summary="Fetch a part of an export",
    description="Whole lines. Parts never change, so a broken download goes on with the next one.",
    response_class=Response,
    responses={**_LINES, **refusals(404)},
)
async def get_export_lines(
    export: ExportPath, ctx: ContextDep, caller: Manager, part: PartNumber = 1
) -> Response:
    body = await exports.read_part(ctx, caller.principal.shop, path_id("exp", export), part)
    return Response(body, media_type=MEDIA, headers={"Cache-Control": "private, no-store"})


@router.get(
    "/{export}/file",
    operation_id="getExportFile",
    summary="Fetch an export by its link",
    description=(
        "The address is the `link` of an export, whole; it needs no key and is good for an hour."
        " `part` begins with that part. Anything else is `404`."
    ),
    response_class=Response,
    responses={**_LINES, **documented(404, 422, 503)},
)
async def get_export_file(
    export: ExportPath,
    ctx: ContextDep,
    shop: Annotated[str, Query(examples=[example_id("shp")], max_length=100)],
    until: Annotated[
        int, Query(ge=0, le=2**33, examples=[1795255500], description="Its end: Unix seconds.")
    ],
    signature: Annotated[
        str, Query(max_length=100, examples=["q1w2"], description="Binds the link to all of it.")
    ],
    part: PartNumber = 1,
) -> Response:
    key = path_id("exp", export)
    lines = await exports.open_file(ctx, path_id("shp", shop), key, until, signature, part)
    headers = {
        "Content-Disposition": f'attachment; filename="{ids.encode("exp", key)}.ndjson"',
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(lines, media_type=MEDIA, headers=headers)


def _members(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ExportOut.model_fields}
