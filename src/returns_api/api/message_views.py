"""From what was said to its shapes, and the pages of it."""

from __future__ import annotations

from returns_api.api.deps import Page
from returns_api.api.schemas.messages import MessageOut, MessagesOut, NoteOut, NotesOut
from returns_api.domain import ids
from returns_api.domain.messages import PREFIXES, Said


def messages_out(found: list[Said], page: Page) -> MessagesOut:
    """A page, from a query that asked for one more."""
    items = [message_out(said) for said in found[: page.limit]]
    return MessagesOut(items=items, next_cursor=_cursor(found, page))


def notes_out(found: list[Said], page: Page) -> NotesOut:
    """The same of notes."""
    items = [note_out(said) for said in found[: page.limit]]
    return NotesOut(items=items, next_cursor=_cursor(found, page))


def message_out(said: Said) -> MessageOut:
    return MessageOut.model_validate(
        {
            "message": said.id,
            "return": said.return_id,
            "complaint": said.complaint_id,
            **{name: getattr(said, name) for name in ("party", "role", "text", "at")},
            "photos": list(said.photos),
        }
    )


def note_out(said: Said) -> NoteOut:
    return NoteOut.model_validate(
        {
            "note": said.id,
            "return": said.return_id,
            "complaint": said.complaint_id,
            **{name: getattr(said, name) for name in ("role", "author", "text", "at")},
        }
    )


def _cursor(found: list[Said], page: Page) -> str | None:
    if len(found) <= page.limit:
        return None
    last = found[page.limit - 1]
    return ids.encode(PREFIXES[last.kind], last.id)
