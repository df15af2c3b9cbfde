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
    errors.DoesNotFit: 409,
    errors.PhotoRefused: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.BadSignature: 401,
    errors.Conflict: 409,
    errors.ActionNotAllowed: 409,
    errors.NothingLeftToReturn: 409,
    errors.NothingLeftToRefund: 409,
    errors.NotEnoughCredit: 409,
    errors.RefundableChanged: 409,
    errors.OwnApproval: 409,
    errors.ApprovalChanged: 409,
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

HTTP: Final[dict[int, tuple[str, str]]] = {
    400: ("bad_request", "The request cannot be read"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "This address does not take this method"),
    408: ("request_timeout", "The request did not end in time"),
    413: ("body_too_large", "The body is too large"),
    415: ("unsupported_media_type", "The body has to be JSON"),
}
"""Refusals before any operation runs, by status: stable where the standard library's phrases are
not (413 and 422 changed their names between Python versions)."""

TITLES: Final[dict[str, str]] = {
    "invalid_json": "The body is not valid JSON",
    "header_repeated": "A header came more than once",
    **dict(HTTP.values()),
}

UNPARSED: Final = "There was an error parsing the body"
"""What the framework says of JSON that breaks its parser rather than its grammar."""

_NOT_KEPT: Final = (
    errors.Unauthenticated,
    errors.BadSignature,
    errors.Forbidden,
    errors.IdempotencyKeyMissing,
    errors.IdempotencyKeyReused,
    errors.IdempotencyInProgress,
    errors.PhotoRefused,
    errors.PreconditionFailed,
    errors.PreconditionRequired,
    errors.RateLimited,
    errors.Unavailable,
)
"""Refusals that say nothing about the work itself; a retry with the same key starts anew."""

log = structlog.get_logger()


class Refused(Exception):
    """A request that no operation gets to see; ``code`` is one of ``TITLES``."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


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
    elif status == 503:
        headers["Retry-After"] = "2"
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(body, default=str), status, headers, MEDIA_TYPE)


def refusal(error: errors.ReturnsError, request: Request) -> Response:
    """The problem document of an expected failure."""
    return problem(
        STATUS[type(error)], error.code, error.title, error.detail, request, **error.context
    )


def kept_refusal(error: errors.ReturnsError, request: Request) -> Answer | None:
    """The same, as an answer to store under an Idempotency-Key; None for what is not kept."""
    if not _is_kept(type(error)):
        return None
    response = refusal(error, request)
    return Answer(response.status_code, bytes(response.body), MEDIA_TYPE)


def problems_table() -> str:
    """Every problem as a Markdown table, for docs/api.md."""
    refusals = {error.code: (status, error.title, error) for error, status in STATUS.items()}
    rows = [
        (status, code, title, "yes" if _is_kept(error) else "no")
        for code, (status, title, error) in refusals.items()
    ]
    before = {"invalid_json": 400, "header_repeated": 400}
    before |= {code: status for status, (code, _) in HTTP.items() if code not in refusals}
    rows += [(status, code, TITLES[code], "no") for code, status in before.items()]
    lines = ["| status | `code` | meaning | kept under an Idempotency-Key |", "|---|---|---|---|"]
    lines += [
        f"| {status} | `{code}` | {title} | {kept} |" for status, code, title, kept in sorted(rows)
    ]
    return "\n".join(lines) + "\n"


def _is_kept(kind: type[errors.ReturnsError]) -> bool:
    """``Invalid`` itself is like a schema's 422; what it was compared with makes it a decision."""
    return not issubclass(kind, _NOT_KEPT) and kind is not errors.Invalid


def install(app: FastAPI) -> None:
    """Every failure of the app leaves through here, as a problem document."""

    @app.exception_handler(errors.ReturnsError)
    async def _refused(request: Request, error: errors.ReturnsError) -> Response:
        return refusal(error, request)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        return validation_problem(error, request)

    @app.exception_handler(Refused)
    async def _unreadable(request: Request, error: Refused) -> Response:
        return problem(error.status, error.code, TITLES[error.code], error.detail, request)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        return http_problem(error, request)

    @app.exception_handler(Exception)
    async def _bug(request: Request, error: Exception) -> Response:
        log.error("unhandled", path=request.url.path, kind=type(error).__name__, exc_info=error)
        return problem(
            500, "internal_error", "Something broke on our side", "This is a bug.", request
        )


def http_problem(error: HTTPException, request: Request) -> Response:
    """The framework's own refusals: no such path, no such method, a body that is too large."""
    code, title = HTTP.get(error.status_code, ("bad_request", "The request was refused"))
    if error.detail == UNPARSED:
        code, title = "invalid_json", TITLES["invalid_json"]
    plain = error.detail == HTTPStatus(error.status_code).phrase
    detail = f"{title}." if plain else str(error.detail)
    response = problem(error.status_code, code, title, detail, request)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(methods_of(request))
    return response


def methods_of(request: Request) -> list[str]:
    """Every method that the request's path takes, over all operations of its closest template."""
    path = request.scope["path"]
    found = [r for r in request.app.state.operations if r.path_regex.match(path)]
    fewest = min((len(route.param_convertors) for route in found), default=0)
    return sorted({m for r in found if len(r.param_convertors) == fewest for m in r.methods})


def validation_problem(error: RequestValidationError, request: Request) -> Response:
    """422 with one entry per field, or 400 where the body is not JSON at all."""
    found = [
        {
            "field": (".".join(str(p) for p in item["loc"][1:]) or str(item["loc"][0]))[:200],
            "in": str(item["loc"][0]),
            "problem": item["msg"][:300],
            "code": item["type"],
        }
        for item in error.errors()[:50]
    ]
    if any(item["code"] == "json_invalid" for item in found):
        return problem(400, "invalid_json", TITLES["invalid_json"], found[0]["problem"], request)
    first = found[0]
    return problem(
        422,
        "invalid_request",
        "The request is not valid",
        f"{first['field']}: {first['problem']}",
        request,
        errors=found,
    )
