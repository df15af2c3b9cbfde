"""Messages and notes of a return or a complaint over HTTP. A buyer reads the former and never the
latter."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from returns_api.api.commands import Command, Commanded
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, json_answer, paged
from returns_api.api.message_views import message_out, messages_out, note_out, notes_out
from returns_api.api.paths import ComplaintPath, ReturnPath
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import path_id
from returns_api.api.schemas.messages import (
    MessageIn,
    MessageOut,
    MessagesOut,
    NoteIn,
    NoteOut,
    NotesOut,
)
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.messages import MESSAGE, NOTE, PREFIXES, About, Said
from returns_api.usecases import messages
from returns_api.usecases.context import Context

router = APIRouter(prefix="/v1", tags=["messages"])

MessagePages = Annotated[Page, Depends(paged(PREFIXES[MESSAGE]))]
NotePages = Annotated[Page, Depends(paged(PREFIXES[NOTE]))]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
Speaker = Annotated[Command, Depends(Commanded(Scope.RETURNS_ACT))]
Staff = Annotated[Caller, Depends(Allowed(Scope.NOTES_MANAGE))]
Writer = Annotated[Command, Depends(Commanded(Scope.NOTES_MANAGE))]


def _of_return(text: str) -> About:
    return About(return_id=path_id("ret", text))


def _of_complaint(text: str) -> About:
    return About(complaint_id=path_id("cpl", text))


async def _send(command: Command, about: About, body: MessageIn) -> Response:
    async def work(tx: Transaction) -> Said:
        return await messages.send_message(
            tx, command.ctx, command.principal, command.by, about, body.text, body.photos
        )

    return await command.once(work, lambda said: json_answer(201, message_out(said)))


async def _note(command: Command, about: About, body: NoteIn) -> Response:
    async def work(tx: Transaction) -> Said:
        return await messages.add_note(
            tx, command.ctx, command.principal, command.by, about, body.text
        )

    return await command.once(work, lambda said: json_answer(201, note_out(said)))


async def _messages(ctx: Context, caller: Caller, about: About, page: Page) -> MessagesOut:
    found = await messages.list_said(
        ctx, caller.principal, about, MESSAGE, page.cursor, page.limit + 1
    )
    return messages_out(found, page)


async def _notes(ctx: Context, caller: Caller, about: About, page: Page) -> NotesOut:
    found = await messages.list_said(
        ctx, caller.principal, about, NOTE, page.cursor, page.limit + 1
    )
    return notes_out(found, page)


@router.post(
    "/returns/{return}/messages",
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
    return await _send(command, _of_return(return_), body)


@router.get(
    "/returns/{return}/messages",
    operation_id="listMessages",
    summary="Read what buyer and merchant said",
    description="Oldest first. Notes are not among them.",
    responses=refusals(404),
)
async def list_messages(
    return_: ReturnPath, ctx: ContextDep, caller: Reader, page: MessagePages
) -> MessagesOut:
    return await _messages(ctx, caller, _of_return(return_), page)


@router.post(
    "/returns/{return}/notes",
    status_code=201,
    operation_id="addNote",
    summary="Write something down for staff",
    description="No buyer ever reads it, nor that it was written.",
    response_model=NoteOut,
    responses=refusals(*BODY, 404, 409),
)
async def add_note(return_: ReturnPath, body: NoteIn, command: Writer) -> Response:
    return await _note(command, _of_return(return_), body)


@router.get(
    "/returns/{return}/notes",
    operation_id="listNotes",
    summary="Read the staff's notes",
    description="Oldest first.",
    responses=refusals(404),
)
async def list_notes(
    return_: ReturnPath, ctx: ContextDep, caller: Staff, page: NotePages
) -> NotesOut:
    return await _notes(ctx, caller, _of_return(return_), page)


@router.post(
    "/complaints/{complaint}/messages",
    status_code=201,
    operation_id="sendComplaintMessage",
    summary="Say something about a complaint",
    description=(
        "Between buyer and merchant; the complaint stays as it is. Photos are those of the return"
        " that it is about, sent before."
    ),
    response_model=MessageOut,
    responses=refusals(*BODY, 404, 409),
)
async def send_complaint_message(
    complaint: ComplaintPath, body: MessageIn, command: Speaker
) -> Response:
    return await _send(command, _of_complaint(complaint), body)


@router.get(
    "/complaints/{complaint}/messages",
    operation_id="listComplaintMessages",
    summary="Read what was said about a complaint",
    description="Oldest first: the complaint itself, progress, questions and answers.",
    responses=refusals(404),
)
async def list_complaint_messages(
    complaint: ComplaintPath, ctx: ContextDep, caller: Reader, page: MessagePages
) -> MessagesOut:
    return await _messages(ctx, caller, _of_complaint(complaint), page)


@router.post(
    "/complaints/{complaint}/notes",
    status_code=201,
    operation_id="addComplaintNote",
    summary="Write a note about a complaint",
    description="For the staff; no buyer ever reads it.",
    response_model=NoteOut,
    responses=refusals(*BODY, 404, 409),
)
async def add_complaint_note(complaint: ComplaintPath, body: NoteIn, command: Writer) -> Response:
    return await _note(command, _of_complaint(complaint), body)


@router.get(
    "/complaints/{complaint}/notes",
    operation_id="listComplaintNotes",
    summary="Read the staff's notes on a complaint",
    description="Oldest first.",
    responses=refusals(404),
)
async def list_complaint_notes(
    complaint: ComplaintPath, ctx: ContextDep, caller: Staff, page: NotePages
) -> NotesOut:
    return await _notes(ctx, caller, _of_complaint(complaint), page)
