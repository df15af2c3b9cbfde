"""Credit notes over HTTP: as data, and as a document to print."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from returns_api.api.deps import Allowed, Caller, ContextDep, Page, paged
from returns_api.api.filters import OfOrder, asked_id
from returns_api.api.pages import before, cut
from returns_api.api.responses import refusals
from returns_api.api.schemas.base import example_id, id_pattern, path_id
from returns_api.api.schemas.credit_notes import (
    DOCUMENT,
    CreditNoteOut,
    CreditNotesOut,
    NoteLineOut,
)
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Scope
from returns_api.domain.documents import html
from returns_api.usecases import credit_notes

router = APIRouter(prefix="/v1/credit-notes", tags=["refunds"])

Pages = Annotated[Page, Depends(paged("cn"))]
NotePath = Annotated[str, Path(examples=[example_id("cn")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_READ))]


class Form(StrEnum):
    HTML = "html"
    PDF = "pdf"


_MEDIA: Final = {Form.HTML: "text/html; charset=utf-8", Form.PDF: "application/pdf"}
_DOCUMENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The document.",
        "content": {
            "text/html": {"schema": {"type": "string"}, "example": DOCUMENT},
            "application/pdf": {
                "schema": {"type": "string", "contentMediaType": "application/pdf"},
                "example": "%PDF-1.4 …",
            },
        },
    }
}
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


@router.get(
    "",
    operation_id="listCreditNotes",
    summary="List credit notes",
    description="Newest first; of one order or one refund.",
    responses=refusals(),
)
async def list_credit_notes(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: OfOrder = None,
    refund: Annotated[
        str | None, Query(pattern=id_pattern("ref"), examples=[example_id("ref")])
    ] = None,
) -> CreditNotesOut:
    found = await credit_notes.list_credit_notes(
        ctx,
        caller.principal,
        before=before(page, "cn"),
        limit=page.limit + 1,
        order_id=asked_id("ord", order),
        refund_id=asked_id("ref", refund),
    )
    shown, next_cursor = cut(found, page, "cn")
    return CreditNotesOut(
        items=[_note(row) for row in shown],
        next_cursor=next_cursor,
    )


@router.get(
    "/{credit_note}",
    operation_id="getCreditNote",
    summary="Read a credit note",
    description=(
        "Issued in the transaction that recorded the provider's evidence, numbered without gaps in"
        " the shop, and never changed: money that comes back gets a `cancellation` of its own."
    ),
    responses=refusals(404),
)
async def get_credit_note(credit_note: NotePath, ctx: ContextDep, caller: Reader) -> CreditNoteOut:
    return _note(
        await credit_notes.get_credit_note(ctx, caller.principal, path_id("cn", credit_note))
    )


@router.get(
    "/{credit_note}/document",
    operation_id="getCreditNoteDocument",
    summary="Read a credit note as a document",
    description=(
        "In the shop's language, ready to print, with the buyer's name and address as long as they"
        " are kept; as a page (`html`) or a file (`pdf`) with the same text."
    ),
    response_class=Response,
    responses={**_DOCUMENTS, **refusals(404)},
)
async def get_credit_note_document(
    credit_note: NotePath,
    ctx: ContextDep,
    caller: Reader,
    format_: Annotated[Form, Query(alias="format", examples=["pdf"])] = Form.HTML,
) -> Response:
    document = await credit_notes.get_document(ctx, caller.principal, path_id("cn", credit_note))
    if format_ is Form.PDF:
        content = await ctx.beside.run(lambda: ctx.printer.pdf(document))
    else:
        content = html(document).encode()
    return Response(content, media_type=_MEDIA[format_], headers=_HEADERS)


def _note(row: Row) -> CreditNoteOut:
    return CreditNoteOut(
        credit_note=row["id"],
        number=row["number"],
        kind=row["kind"],
        refund=row["refund_id"],
        order=row["order_id"],
        amount=row["amount_minor"],
        currency=row["currency"],
        issued_at=row["issued_at"],
        lines=[NoteLineOut(**line) for line in row["body"]["lines"]],
        document=f"/v1/credit-notes/{ids.encode('cn', row['id'])}/document",
    )
