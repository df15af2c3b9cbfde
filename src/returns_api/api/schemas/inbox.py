"""Shapes of inbox messages. Their bodies are never shown: they are full of other people's data."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from returns_api.api.schemas.base import InboxId, Moment, Out, example, example_id


class InboxState(StrEnum):
    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    DEAD = "dead"


_MESSAGE = {
    "message": example_id("in"),
    "source": "shopify",
    "event_id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    "topic": "fulfillments/create",
    "state": "dead",
    "attempts": 81,
    "waiting_for": None,
    "error": "still waits for order:shopify:820982911946154508 after 72 h",
    "received_at": "2026-11-21T10:00:00Z",
    "due_at": None,
    "processed_at": "2026-11-24T10:02:10Z",
}


class InboxMessageOut(Out):
    model_config = example(_MESSAGE)

    message: InboxId
    source: str
    event_id: str = Field(description="The sender's name for it; stored once for ever.")
    topic: str
    state: InboxState
    attempts: int
    waiting_for: str | None = Field(description="What another message has to bring first.")
    error: str | None = Field(description="Why the last try came to nothing; nothing personal.")
    received_at: Moment
    due_at: Moment | None
    processed_at: Moment | None


class InboxMessagesOut(Out):
    model_config = example({"items": [_MESSAGE], "next_cursor": None})

    items: list[InboxMessageOut]
    next_cursor: str | None


class ReceivedOut(Out):
    """Stored. There is nothing to say about it yet."""

    model_config = example({})
