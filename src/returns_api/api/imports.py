"""Imports of orders over HTTP: begun, sent in parts, started, followed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Digits, Limit, Page, paged
from returns_api.api.raw import read_body
from returns_api.api.responses import BODY, refusals
from returns_api.api.runs import locate, page_of, queued
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.imports import (
    ImportIn,
    ImportOut,
    ImportProblemOut,
    ImportProblemsOut,
    ImportsOut,
    ImportStartIn,
)
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.domain.order_documents import EXAMPLE
from returns_api.usecases import imports

router = APIRouter(prefix="/v1/imports", tags=["imports"])

PARTS: Final = re.compile(r"/v1/imports/[^/]+/parts")
READ_SECONDS: Final = 60.0
COLLECTION: Final = "/v1/imports"

Pages = Annotated[Page, Depends(paged("imp"))]
Importer = Annotated[Caller, Depends(Allowed(Scope.ORDERS_WRITE))]
ImportPath = Annotated[
    str,
    Path(
        alias="import",
        description="An import's id.",
        examples=[example_id("imp")],
        max_length=100,
    ),
]
_LINES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "Order documents (the body of `PUT /v1/orders/{order}`), one a line.",
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": f"{orjson.dumps(EXAMPLE).decode()}\n",
            }
        },
    }
}


@router.post(
    "",
    operation_id="startImport",
    summary="Begin an import of orders",
    description=(
        "An import takes a file of order documents, one a line. Begin it, send its parts, start it,"
        " follow it. Lines that cannot be taken are named, the others are taken. The same order in"
        " the same version a second time changes nothing, so a file may be sent again."
    ),
    status_code=201,
    responses={201: queued()[202], **refusals(*BODY, 409)},
)
async def start_import(
    body: ImportIn, ctx: ContextDep, caller: Importer, response: Response
) -> ImportOut:
    row = await imports.start_import(ctx, caller.principal.shop, caller.by, body.source)
    locate(response, COLLECTION, "imp", row)
    return _shown(row)


@router.post(
    "/{import}/parts",
    operation_id="addImportPart",
    summary="Send the next part of the file",
    description=(
        "Up to 8 MiB of whole lines. `first_byte` says where the part begins in the file and has to"
        " be the `size` so far; the same part a second time changes nothing. An import that gets no"
        " part for 24 hours is given up."
    ),
    responses=refusals(*BODY, 400, 404, 409),
    openapi_extra=_LINES,
)
async def add_import_part(
    import_: ImportPath,
    request: Request,
    ctx: ContextDep,
    caller: Importer,
    first_byte: Annotated[
        int,
        Query(ge=0, le=imports.SIZE_MAX, examples=[0], description="Where the part begins."),
        Digits,
    ] = 0,
) -> ImportOut:
    body = await read_body(request, most=imports.PART_MAX, seconds=READ_SECONDS)
    row = await imports.add_part(
        ctx, caller.principal.shop, path_id("imp", import_), first_byte, body
    )
    return _shown(row)


@router.post(
    "/{import}/start",
    operation_id="runImport",
    summary="Start an import",
    description="The file is whole: a job takes its lines. A second time it is answered as it is.",
    status_code=202,
    responses=queued(404, 409),
)
async def run_import(
    import_: ImportPath,
    body: ImportStartIn,
    ctx: ContextDep,
    caller: Importer,
    response: Response,
) -> ImportOut:
    row = await imports.run_started(
        ctx, caller.principal.shop, caller.by, path_id("imp", import_), body.size
    )
    locate(response, COLLECTION, "imp", row)
    return _shown(row)


@router.get(
    "",
    operation_id="listImports",
    summary="List imports",
    description="Newest first.",
    responses=refusals(),
)
async def list_imports(ctx: ContextDep, caller: Importer, page: Pages) -> ImportsOut:
    before = pages.before(page, "imp")
    rows = await imports.list_imports(ctx, caller.principal.shop, before, page.limit + 1)
    items, cursor = page_of(rows, page, "imp", _shown)
    return ImportsOut(items=items, next_cursor=cursor)


@router.get(
    "/{import}",
    operation_id="getImport",
    summary="Follow an import",
    description="How far it is and what became of its lines so far.",
    responses=refusals(404),
)
async def get_import(import_: ImportPath, ctx: ContextDep, caller: Importer) -> ImportOut:
    return _shown(await imports.view_import(ctx, caller.principal.shop, path_id("imp", import_)))


@router.get(
    "/{import}/problems",
    operation_id="listImportProblems",
    summary="List lines that cannot be taken",
    description="In the order of the file, each with its fields and what would be right.",
    responses=refusals(404),
)
async def list_import_problems(
    import_: ImportPath,
    ctx: ContextDep,
    caller: Importer,
    after: Annotated[
        int,
        Query(ge=0, le=2**31 - 1, examples=[0], description="Lines behind this one."),
        Digits,
    ] = 0,
    limit: Limit = 20,
) -> ImportProblemsOut:
    rows = await imports.list_problems(
        ctx, caller.principal.shop, path_id("imp", import_), after=after, limit=limit + 1
    )
    shown = rows[:limit]
    return ImportProblemsOut(
        items=[ImportProblemOut(**dict(row.items())) for row in shown],
        next_after=shown[-1]["line"] if len(rows) > limit else None,
    )


def _shown(row: Row) -> ImportOut:
    return ImportOut(**{name: row[name] for name in ImportOut.model_fields})
