"""Shapes of complaints: what is complained about, what was promised and answered, how satisfied the
buyer is."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    ComplaintId,
    In,
    LongText,
    Moment,
    NoBool,
    OrderId,
    Out,
    ReturnId,
    example,
    example_id,
)
from returns_api.domain.complaints import SCORES

Category = Literal["refund", "decision", "exchange", "delivery", "goods", "service", "other"]

_CPL, _RET, _ORD = example_id("cpl"), example_id("ret"), example_id("ord")
_TEXT: Final = "I was promised my money a week ago and nothing has come."


class ComplaintIn(In):
    model_config = example({"order": _ORD, "return": _RET, "category": "refund", "text": _TEXT})

    order: OrderId
    return_: ReturnId | None = Field(
        None, alias="return", description="One of the order's, where it is about one."
    )
    category: Category = Field(description="What it is about.")
    text: LongText


class ComplaintTextIn(In):
    """What is said with the act; a message about the complaint."""

    model_config = example({"text": "The refund was sent today; it takes two days to arrive."})

    text: LongText


class RatingIn(In):
    """How satisfied the buyer is with how the complaint was dealt with."""

    model_config = example({"score": 4, "text": "Quick once somebody looked."})

    score: Annotated[int, Field(ge=SCORES[0], le=SCORES[1]), NoBool] = Field(
        description="1 (not at all) to 5 (very)."
    )
    text: LongText | None = None


class SatisfactionOut(Out):
    """Recorded once; only the words go when the person is erased."""

    score: int
    text: str | None


class ComplaintOut(Out):
    """What is complained about, by when an answer is promised, what came of it, and what its reader
    may do."""

    model_config = example(
        {
            "complaint": _CPL,
            "order": _ORD,
            "return": _RET,
            "category": "refund",
            "state": "in_progress",
            "text": _TEXT,
            "answer": None,
            "satisfaction": None,
            "promised_by": "2026-11-25T23:00:00Z",
            "escalated_at": None,
            "resolved_at": None,
            "reopened": 0,
            "sequence": 2,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T14:00:00Z",
            "deadlines": [
                {
                    "of": "complaint",
                    "href": f"/v1/complaints/{_CPL}",
                    "kind": "complaint_promise",
                    "who": "agent",
                    "due_at": "2026-11-25T23:00:00Z",
                    "state": "open",
                    "on_silence": "escalated",
                }
            ],
            "actions": [
                {
                    "action": "withdraw",
                    "method": "POST",
                    "href": f"/v1/complaints/{_CPL}/withdraw",
                    "until": None,
                    "on_silence": None,
                }
            ],
            "waiting_for": {"who": "agent", "to": "resolve"},
        }
    )

    complaint: ComplaintId
    order: OrderId
    return_: ReturnId | None = Field(alias="return")
    category: Category
    state: str
    text: str | None = Field(description="Null once its person was erased.")
    answer: str | None = Field(description="The shop's; the last one, if it was reopened.")
    satisfaction: SatisfactionOut | None
    promised_by: Moment = Field(
        description="The end of a business day; the clock stands still while the buyer is asked."
    )
    escalated_at: Moment | None = Field(description="When a promise passed first.")
    resolved_at: Moment | None
    reopened: int = Field(description="How often the buyer came back to it.")
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class ComplaintsOut(Out):
    items: list[ComplaintOut]
    next_cursor: str | None
