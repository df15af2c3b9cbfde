"""Shapes of photos."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from returns_api.api.schemas.base import (
    Moment,
    OrderId,
    Out,
    PhotoId,
    ReturnId,
    ReturnLineId,
    example,
    example_id,
)

_PHOTO: Final = {
    "photo": example_id("ev"),
    "order": example_id("ord"),
    "return": example_id("ret"),
    "return_line": example_id("rl"),
    "added_by": "buyer",
    "at": "2026-11-21T10:00:00Z",
    "width": 2048,
    "height": 1536,
    "size": 412034,
    "link": (
        f"https://returns.example/v1/photos/{example_id('ev')}/content"
        f"?shop={example_id('shp')}&until=1795255500&signature=q1w2…"
    ),
    "link_until": "2026-11-21T10:05:00Z",
}


class PhotoOut(Out):
    """A photo, and a link to it that whoever has it can follow for a few minutes."""

    model_config = example(_PHOTO)

    photo: PhotoId
    order: OrderId
    return_: ReturnId | None = Field(alias="return")
    return_line: ReturnLineId | None
    added_by: str = Field(description="The role of whoever sent it.")
    at: Moment
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    size: int = Field(description="Bytes of the JPEG behind the link.")
    link: str
    link_until: Moment


class PhotosOut(Out):
    items: list[PhotoOut]
