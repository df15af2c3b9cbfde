"""Messages and notes of a return over HTTP. A buyer reads the former and never the latter."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.commands import Command, Commanded
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, json_answer, paged
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.messages import (
    MessageIn,
    MessageOut,
    MessagesOut,
    NoteIn,
    NoteOut,
    NotesOut,
)
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.access import Scope
from returns_api.domain.messages import MESSAGE, NOTE, PREFIXES, Said
from returns_api.usecases import messages

router = APIRouter(prefix="/v1/returns/{return}", tags=["messages"])

ReturnPath = Annotated[str, Path(alias="return", examples=[example_id("ret")], max_length=100)]
MessagePages = Annotated[Page, Depends(paged(PREFIXES[MESSAGE]))]
NotePages = Annotated[Page, Depends(paged(PREFIXES[NOTE]))]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
Speaker = Annotated[Command, Depends(Commanded(Scope.RETURNS_ACT))]
Staff = Annotated[Caller, Depends(Allowed(Scope.NOTES_MANAGE))]
Writer = Annotated[Command, Depends(Commanded(Scope.NOTES_MANAGE))]


@router.post(
    "/messages",
    status_code=201,
    operation_id="sendMessage",
    summary="Say something to the other side",
    description=(
        "Between buyer and merchant, in any state of the return, which it does not change. Photos"
        " are those of the return, sent before."
    ),
    response_model=MessageOut,
    responses=refusals(*BODY, 404, 409),
)
async def send_message(return_: ReturnPath, body: MessageIn, command: Speaker) -> Response:
    return_id = path_id("ret", return_)

    async def work(tx: Transaction) -> Said:
        return await messages.send_message(
            tx, command.ctx, command.principal, command.by, return_id, body.text, body.photos
        )

    return await command.once(work, lambda said: json_answer(201, _message(said)))


@router.get(
    "/messages",
    operation_id="listMessages",
    summary="Read what buyer and merchant said",
    description="Oldest first. Notes are not among them.",
    responses=refusals(404),
)
async def list_messages(
    return_: ReturnPath, ctx: ContextDep, caller: Reader, page: MessagePages
) -> MessagesOut:
    found = await messages.list_said(
        ctx, caller.principal, path_id("ret", return_), MESSAGE, page.cursor, page.limit + 1
    )
    return MessagesOut(
        items=[_message(said) for said in found[: page.limit]], next_cursor=_cursor(found, page)
    )


@router.post(
    "/notes",
    status_code=201,
    operation_id="addNote",
    summary="Write something down for staff",
    description="No buyer ever reads it, nor that it was written.",
    response_model=NoteOut,
    responses=refusals(*BODY, 404, 409),
)
async def add_note(return_: ReturnPath, body: NoteIn, command: Writer) -> Response:
    return_id = path_id("ret", return_)

    async def work(tx: Transaction) -> Said:
        return await messages.add_note(
            tx, command.ctx, command.principal, command.by, return_id, body.text
        )

    return await command.once(work, lambda said: json_answer(201, _note(said)))


@router.get(
    "/notes",
    operation_id="listNotes",
    summary="Read the staff's notes",
    description="Oldest first.",
    responses=refusals(404),
)
async def list_notes(
    return_: ReturnPath, ctx: ContextDep, caller: Staff, page: NotePages
) -> NotesOut:
    found = await messages.list_said(
        ctx, caller.principal, path_id("ret", return_), NOTE, page.cursor, page.limit + 1
    )
    return NotesOut(
        items=[_note(said) for said in found[: page.limit]], next_cursor=_cursor(found, page)
    )


def _cursor(found: list[Said], page: Page) -> str | None:
    if len(found) <= page.limit:
        return None
    last = found[page.limit - 1]
    return ids.encode(PREFIXES[last.kind], last.id)


def _message(said: Said) -> MessageOut:
    return MessageOut.model_validate(
        {
            "message": said.id,
            "return": said.return_id,
            **{name: getattr(said, name) for name in ("party", "role", "text", "at")},
            "photos": list(said.photos),
        }
    )


def _note(said: Said) -> NoteOut:
    return NoteOut.model_validate(
        {
            "note": said.id,
            "return": said.return_id,
            **{name: getattr(said, name) for name in ("role", "author", "text", "at")},
        }
    )
