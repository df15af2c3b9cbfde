"""Shapes of what is said about an open return: a review, a question, its answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from returns_api.api.schemas.base import (
    Code,
    In,
    LongText,
    ReturnLineId,
    example,
    example_id,
)
from returns_api.api.schemas.quotes import LINES_MAX

_RL = example_id("rl")


class ReviewIn(In):
    """Which lines; left out, every undecided one."""

    model_config = example({"lines": [_RL]})

    lines: Annotated[list[ReturnLineId], Field(min_length=1, max_length=LINES_MAX)] | None = None


class RejectIn(In):
    model_config = example(
        {"code": "worn", "note": "Worn outside, see your photo.", "lines": [_RL]}
    )

    code: Code = Field(description="Why, for machines.")
    note: LongText | None = Field(None, description="Why, for the buyer.")
    lines: Annotated[list[ReturnLineId], Field(min_length=1, max_length=LINES_MAX)] | None = None


class InfoIn(In):
    model_config = example({"question": "Which part is broken?"})

    question: LongText


class AnswerIn(In):
    model_config = example({"answer": "The zip, at the lower end."})

    answer: LongText
