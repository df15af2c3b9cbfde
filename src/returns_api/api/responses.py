"""The refusals that an operation documents: one problem document, one example per status."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from returns_api.api.errors import HTTP, MEDIA_TYPE, PROBLEMS


class Problem(BaseModel):
    """A refusal (RFC 9457). ``code`` is stable; further members depend on it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`code` as a URI.")
    title: str
    status: int
    code: str = Field(description="What to branch on.")
    detail: str = Field(description="A sentence for a person.")
    instance: str = Field(description="The path of the request.")
    request_id: str | None = Field(description="Quote it when you ask for help.")


_EXAMPLES: Final[dict[int, tuple[str, str]]] = {
    400: ("invalid_json", "The body is not valid JSON"),
    401: ("unauthenticated", "Credentials are missing, unknown, expired or revoked"),
    403: ("forbidden", "This credential may not do that"),
    404: ("not_found", "Not found"),
    409: ("conflict", "The thing is not in a state that allows this"),
    412: ("precondition_failed", "The thing changed since you read it"),
    413: HTTP[413],
    415: HTTP[415],
    422: ("invalid_request", "The request is not valid"),
    428: ("precondition_required", "If-Match is required"),
    429: ("rate_limited", "Too many requests"),
    503: ("unavailable", "The service cannot answer right now"),
}

EVERYWHERE: Final = (400, 401, 403, 422, 503)
"""What every authenticated operation may answer."""
BODY: Final = (413, 415)
"""What an operation with a body may answer besides."""
EDIT: Final = (412, 428)
"""What an operation with If-Match may answer besides."""

VERSIONED: Final[dict[str, Any]] = {
    "ETag": {
        "description": "Names what you see; send it as `If-Match` to change it.",
        "schema": {"type": "string"},
    }
}
"""``headers`` of an answer that shows a version of a thing."""


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses=`` of an operation: those that every operation has, and ``statuses``."""
    return {status: _documented(status) for status in sorted({*EVERYWHERE, *statuses})}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses=`` of an operation that needs no key."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    code, title = _EXAMPLES[status]
    example = {
        "type": PROBLEMS + code.replace("_", "-"),
        "title": title,
        "status": status,
        "code": code,
        "detail": title + ".",
        "instance": "/v1/…",
        "request_id": "0192f0c12d3e7a4b8c5d000000000001",
    }
    return {
        "description": title,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": example,
            }
        },
    }
