"""What a buyer sends to open a return: an accepted quote, and notes and proofs to its lines."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from returns_api.api.schemas.base import (
    Code,
    HttpsUrl,
    In,
    LineId,
    LongText,
    PhotoId,
    QuoteId,
    ShortText,
    either,
    example,
    example_id,
    ways,
)
from returns_api.api.schemas.quotes import LINES_MAX


def _photo_or_url() -> dict[str, Any]:
    """Schema: one of both, and a photo only as evidence of that kind."""
    schema = ways(("photo",), ("url",))
    schema["oneOf"][0]["properties"]["kind"] = {"const": "photo"}
    return schema


class EvidenceIn(In):
    """One proof: a photo that was sent here, or the address of what the shop itself keeps."""

    model_config = ConfigDict(json_schema_extra=_photo_or_url())

    kind: Code = Field(examples=["photo"])
    photo: PhotoId | None = Field(None, description="Sent for this order, not used before.")
    url: HttpsUrl | None = Field(
        None,
        description="Where the shop keeps it. Of a photo it counts from the shop's own systems"
        " only: a buyer sends the photo itself.",
        examples=["https://cdn.example/p/1.mp4"],
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.photo is None) == (self.url is None):
            raise PydanticCustomError("evidence", "Input should have a photo or a url, not both")
        if self.photo is not None and self.kind != "photo":
            raise PydanticCustomError("evidence", "Only evidence of kind 'photo' has a photo")
        return self


class WantedIn(In):
    """Other goods, as the shop knows them. What they cost, the shop says: a price is refused."""

    model_config = ConfigDict(json_schema_extra=either("variant", "sku"))

    variant: ShortText | None = Field(None, examples=["49148385"])
    sku: ShortText | None = Field(None, examples=["JKT-L-OLIVE"])

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.variant is None and self.sku is None:
            raise PydanticCustomError("wanted", "Input should name a variant or a sku")
        return self


class ReturnLineIn(In):
    """What the buyer adds to a line of the quote."""

    line: LineId
    note: LongText | None = None
    evidence: Annotated[list[EvidenceIn], Field(max_length=20)] = Field(default_factory=list)
    wanted: WantedIn | None = Field(
        None,
        description="What the buyer wants instead: for every line of the quote with the resolution"
        " `exchange`, for none with any other.",
    )


class ReturnIn(In):
    """Accept a quote. Amounts, fees and states are the server's; sending one is refused."""

    model_config = example(
        {
            "quote": example_id("qt"),
            "lines": [
                {
                    "line": example_id("li"),
                    "note": "Too tight at the shoulders.",
                    "evidence": [{"kind": "photo", "photo": example_id("ev")}],
                }
            ],
        }
    )

    quote: QuoteId
    lines: Annotated[list[ReturnLineIn], Field(max_length=LINES_MAX)] = Field(default_factory=list)
