"""Values that documents and requests from outside are made of: integers that are integers, text
that can be stored, moments with an offset.

Owns what each refuses and how a schema says so. Refuses to own any document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

MAX_MONEY: Final = 10**12
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


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


NoBool: Final = BeforeValidator(_no_bool)
Minor = Annotated[int, Field(ge=0, le=MAX_MONEY, description="Minor units."), NoBool]
PositiveMinor = Annotated[int, Field(ge=1, le=MAX_MONEY, description="Minor units."), NoBool]
Quantity = Annotated[int, Field(ge=1, le=100_000), NoBool]


def _storable(text: str) -> str:
    """PostgreSQL cannot keep NUL and UTF-8 cannot carry a lone surrogate."""
    if "\x00" in text:
        raise PydanticCustomError("text_nul", "Text may not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as lone:
        raise PydanticCustomError(
            "text_surrogate", "Text may not contain a lone surrogate"
        ) from lone
    return text


class _Storable(AfterValidator):
    """The check, and as much of it as a schema can say: surrogates are no characters there."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"pattern": "^[^\\u0000]*$", **handler(core)}


Storable: Final = _Storable(_storable)
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=4000), Storable]


@dataclass(frozen=True, slots=True)
class TextFormat:
    """Annotation: names the rules of a text that no JSON Schema can say; its description does."""

    name: str

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Lengths and patterns are left out: the format says more, and all of it."""
        return {"type": handler(core)["type"], "format": self.name}
