"""The one table from a domain error to an HTTP status, and the problem document of RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from returns_api.domain import errors
from returns_api.usecases.once import Answer

PROBLEMS: Final = "https://returns-api.example/problems/"
MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[dict[type[errors.ReturnsError], int]] = {
    errors.NotFound: 404,
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.BadSignature: 401,
    errors.Conflict: 409,
    errors.ActionNotAllowed: 409,
    errors.NothingLeftToReturn: 409,
    errors.NothingLeftToRefund: 409,
    errors.RefundableChanged: 409,
    errors.NotEligible: 409,
    errors.QuoteExpired: 409,
    errors.QuoteUsed: 409,
    errors.DuplicateReference: 409,
    errors.PreconditionFailed: 412,
    errors.PreconditionRequired: 428,
    errors.IdempotencyKeyMissing: 400,
    errors.IdempotencyKeyReused: 422,
    errors.IdempotencyInProgress: 409,
    errors.PolicyInvalid: 422,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}

_NOT_KEPT: Final = (
    errors.Unauthenticated,
    errors.Forbidden,
    errors.IdempotencyKeyMissing,
    errors.IdempotencyKeyReused,
    errors.IdempotencyInProgress,
    errors.PreconditionFailed,
    errors.PreconditionRequired,
    errors.RateLimited,
    errors.Unavailable,
)
"""Refusals that say nothing about the work itself; a retry with the same key starts anew."""

log = structlog.get_logger()


def problem(
    status: int, code: str, title: str, detail: str, request: Request, **members: Any
) -> Response:
    """A problem document; ``members`` are its extensions."""
    body = {
        "type": PROBLEMS + code.replace("_", "-"),
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", None),
        **members,
    }
    headers = {}
    if "retry_after" in members:
        headers["Retry-After"] = str(members["retry_after"])
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "2"
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(body, default=str), status, headers, MEDIA_TYPE)


def refusal(error: errors.ReturnsError, request: Request) -> Response:
    """The problem document of an expected failure."""
    return problem(
        STATUS[type(error)], error.code, error.title, error.detail, request, **error.context
    )


def kept_refusal(error: errors.ReturnsError, request: Request) -> Answer | None:
    """The same, as an answer to store under an Idempotency-Key; None for what is not kept."""
    if isinstance(error, _NOT_KEPT):
        return None
    response = refusal(error, request)
    return Answer(response.status_code, bytes(response.body), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Every failure of the app leaves through here, as a problem document."""

    @app.exception_handler(errors.ReturnsError)
    async def _refused(request: Request, error: errors.ReturnsError) -> Response:
        return refusal(error, request)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        return validation_problem(error, request)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        code = phrase.lower().replace(" ", "_").replace("-", "_")
        response = problem(error.status_code, code, phrase, str(error.detail), request)
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        return response

    @app.exception_handler(Exception)
    async def _bug(request: Request, error: Exception) -> Response:
        log.error("unhandled", path=request.url.path, kind=type(error).__name__, exc_info=error)
        return problem(
            500, "internal_error", "Something broke on our side", "This is a bug.", request
        )


def validation_problem(error: RequestValidationError, request: Request) -> Response:
    """422 with one entry per field, or 400 where the body is not JSON at all."""
    found = [
        {
            "field": ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]),
            "in": str(item["loc"][0]),
            "problem": item["msg"],
            "code": item["type"],
        }
        for item in error.errors()[:50]
    ]
    if any(item["code"] == "json_invalid" for item in found):
        return problem(
            400, "invalid_json", "The body is not valid JSON", found[0]["problem"], request
        )
    first = found[0]
    return problem(
        422,
        "invalid_request",
        "The request is not valid",
        f"{first['field']}: {first['problem']}",
        request,
        errors=found,
    )
