"""Moments as input: RFC 3339 text with an offset, inside two centuries, and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_FORM: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2199


def _moment(value: Any) -> datetime:
    """UTC. A number, a time without an offset and the ends of the calendar are refused."""
    if isinstance(value, datetime):
        return value
    try:
        if not isinstance(value, str) or not _FORM.fullmatch(value):
            raise ValueError
        found = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "moment", "Input should be a time with an offset, such as 2026-11-21T09:12:44Z"
        ) from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise PydanticCustomError(
            "moment_range", "Input should lie between the years {first} and {last}",
            {"first": FIRST_YEAR, "last": LAST_YEAR},
        )  # fmt: skip
    return found


MomentIn = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
