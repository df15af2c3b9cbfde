"""What goes onto and into the parcel, over HTTP: kept files of the label, and the packing slip."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.paths import ReturnPath
from returns_api.api.responses import refusals
from returns_api.api.schemas.base import path_id
from returns_api.domain.access import Scope
from returns_api.ports.carriers import Form
from returns_api.usecases import packing_slips, tracking
from returns_api.usecases.context import Context

router = APIRouter(prefix="/v1/returns", tags=["returns"])

Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
FormQuery = Annotated[Form, Query(examples=["qr"])]

_EXAMPLES: Final = {"application/pdf": "%PDF-1.4 …", "image/png": "PNG …"}
FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file as the carrier gave it.",
        "content": {
            media_type: {
                "schema": {"type": "string", "contentMediaType": media_type},
                "example": shown,
            }
            for media_type, shown in _EXAMPLES.items()
        },
    }
}
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@router.get(
    "/{return}/label-document",
    operation_id="getLabelDocument",
    summary="Read a file of the label",
    description=(
        "Where the carrier gives the label itself instead of an address of it: `label` is for the"
        " printer, `qr` for the counter, which prints it. A label that nobody needs any more is"
        " not shown."
    ),
    response_class=Response,
    responses={**FILES, **refusals(404, 409)},
)
async def get_label_document(
    return_: ReturnPath,
    ctx: ContextDep,
    caller: Reader,
    form: FormQuery = Form.LABEL,
) -> Response:
    return await label_file(ctx, caller, return_, form)


async def label_file(ctx: Context, caller: Caller, text: str, form: Form) -> Response:
    """The kept file of a return's label in one of its forms. Raises: NotFound, Conflict."""
    return_id = path_id("ret", text)
    found = await tracking.get_label_document(ctx, caller.principal, return_id, form.value)
    return Response(bytes(found["content"]), media_type=found["media_type"], headers=_HEADERS)


_SLIP: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The slip.",
        "content": {
            "application/pdf": {
                "schema": {"type": "string", "contentMediaType": "application/pdf"},
                "example": "%PDF-1.4 …",
            }
        },
    }
}


@router.get(
    "/{return}/packing-slip",
    operation_id="getPackingSlip",
    summary="Read the packing slip",
    description=(
        "A page to put into the parcel: what should be in it, where it goes, and the number of the"
        " return as a bar code and as a QR code. In the shop's language, while goods may be sent."
    ),
    response_class=Response,
    responses={**_SLIP, **refusals(404, 409)},
)
async def get_packing_slip(return_: ReturnPath, ctx: ContextDep, caller: Reader) -> Response:
    return_id = path_id("ret", return_)
    document = await packing_slips.get_packing_slip(ctx, caller.principal, return_id)
    content = await ctx.beside.run(lambda: ctx.printer.pdf(document))
    return Response(content, media_type="application/pdf", headers=_HEADERS)
