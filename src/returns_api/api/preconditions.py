"""If-Match: nobody overwrites what they have not seen."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Header

from returns_api.domain.errors import PreconditionFailed, PreconditionRequired

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=100,
        description="The `ETag` of the version that you read and want to change.",
        examples=['"3"'],
    ),
]

_STRONG: Final = re.compile(r'"([1-9][0-9]{0,8})"')


def seen_version(header: str | None) -> int:
    """The version that the caller read.

    Raises:
        PreconditionRequired: the header is missing.
        PreconditionFailed: it is not one of our ETags; ``*`` is not taken, since it claims nothing.
    """
    if header is None:
        raise PreconditionRequired("Send If-Match with the ETag of the version that you read.")
    found = _STRONG.fullmatch(header.strip())
    if found is None:
        raise PreconditionFailed("If-Match is not an ETag of this resource.")
    return int(found[1])


def version_if_named(header: str | None) -> int | None:
    """The version that the caller read, where they say which. Raises: PreconditionFailed."""
    return None if header is None else seen_version(header)
