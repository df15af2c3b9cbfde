"""Shapes of messages and notes."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from returns_api.api.schemas.base import (
    ComplaintId,
    In,
    KeyId,
    LongText,
    MessageId,
    Moment,
    NoteId,
    Out,
    PhotoId,
    ReturnId,
    example,
    example_id,
)
from returns_api.domain.messages import PHOTOS_MAX

_MESSAGE: Final[dict[str, Any]] = {
    "message": example_id("msg"),
    "return": example_id("ret"),
    "complaint": None,
    "party": "buyer",
    "role": "buyer",
    "text": "The left sleeve is longer than the right one, see the photo.",
    "photos": [example_id("ev")],
    "at": "2026-11-21T10:00:00Z",
}
_NOTE: Final[dict[str, Any]] = {
    "note": example_id("nt"),
    "return": example_id("ret"),
    "complaint": None,
    "role": "agent",
    "author": example_id("key"),
    "text": "Third one of this batch; asked the supplier.",
    "at": "2026-11-21T10:20:00Z",
}


class MessageIn(In):
    """What is said; photos of this return may stand beside it."""

    model_config = example({"text": "When will the money arrive?", "photos": []})

    text: LongText
    photos: list[PhotoId] = Field(
        default=[],
        max_length=PHOTOS_MAX,
        description="Sent before to `POST /v1/returns/{return}/photos`.",
    )


class NoteIn(In):
    """What staff write down for each other."""

    model_config = example({"text": _NOTE["text"]})

    text: LongText


class MessageOut(Out):
    """Never changed; only its words go when the person is erased."""

    model_config = example(_MESSAGE)

    message: MessageId
    return_: ReturnId | None = Field(
        alias="return", description="Null where a complaint is spoken of."
    )
    complaint: ComplaintId | None = Field(description="Null where a return is spoken of.")
    party: str = Field(description="Whose side said it: `buyer` or `merchant`.")
    role: str
    text: str | None = Field(description="Null after the person was erased.")
    photos: list[PhotoId]
    at: Moment


class MessagesOut(Out):
    """A page of messages, oldest first."""

    model_config = example({"items": [_MESSAGE], "next_cursor": None})

    items: list[MessageOut]
    next_cursor: str | None


class NoteOut(Out):
    """Never changed; only its words go when the person is erased."""

    model_config = example(_NOTE)

    note: NoteId
    return_: ReturnId | None = Field(
        alias="return", description="Null where a complaint is spoken of."
    )
    complaint: ComplaintId | None = Field(description="Null where a return is spoken of.")
    role: str
    author: KeyId | None
    text: str | None = Field(description="Null after the person was erased.")
    at: Moment


class NotesOut(Out):
    """A page of notes, oldest first."""

    model_config = example({"items": [_NOTE], "next_cursor": None})

    items: list[NoteOut]
    next_cursor: str | None
