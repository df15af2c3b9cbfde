"""JSON logs, one object a line on standard error, with a request id and without personal data.

Redaction works by allowlist: a field that is not listed here is logged as ``[redacted]``, whatever
its value, so a forgotten field is a missing detail and never a leak. The message of an exception
is not logged either (the database quotes rows, HTTP clients quote addresses): its type and the
places it came through are. Text of libraries is logged as its template, without the arguments.

Refuses to own: what happened to money or returns; that is the audit trail's, in the database.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, cast

import orjson
import structlog
import uuid_utils.compat as uuids
from structlog.typing import FilteringBoundLogger, Processor

REDACTED: Final = "[redacted]"
TEXT_LIMIT: Final = 300
ITEMS_LIMIT: Final = 50
FRAMES_LIMIT: Final = 12
CAUSES_LIMIT: Final = 5

# Names whose values we choose ourselves: codes, states, names of our own code. Ids pass by form.
_SAFE_NAMES: Final = """
    event level timestamp module request_id process pid version environment revision
    method route status code kind topic source outcome state before after action
    attempt attempts limit count size host port signal exit_code crashpoint
    principal_kind scope operation job provider carrier adapter currency
    sqlstate constraint table error where causes error_code retryable
    sequence healthy ready seed
"""
SAFE: Final = frozenset(_SAFE_NAMES.split())
# Measures: a number with a unit in its name says nothing about a person.
_MEASURE: Final = re.compile(r"[a-z][a-z_]*_(?:ms|seconds|bytes|count|total|minor)")
_OUR_ID: Final = re.compile(
    r"[a-z]{2,4}_[0-7][0-9a-hjkmnp-tv-z]{25}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Libraries whose arguments are process facts (ports, signals), never data of a request.
_TRUSTED_LOGGERS: Final = frozenset({"uvicorn.error", "alembic.runtime.migration"})

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def begin_request(offered: str | None) -> str:
    """Set this task's request id: the caller's where it is harmless, else a new one."""
    chosen = offered if offered and _REQUEST_ID.fullmatch(offered) else uuids.uuid7().hex
    request_id.set(chosen)
    return chosen


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger; the event is a constant text, what varies goes into listed fields."""
    return cast("FilteringBoundLogger", structlog.get_logger(module=name))


def configure(level: str = "info") -> None:
    """Send the logs of this process, those of libraries too, to standard error as JSON."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        _describe_exception,
        redact,
    ]
    structlog.configure(
        processors=[*shared, _render_bytes],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_foreign, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render_text],
            use_get_message=False,
            pass_foreign_args=True,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries speak up from warning on, except at debug: their info lines are noise.
    root.setLevel(number if number <= logging.DEBUG else max(number, logging.WARNING))
    for name in _TRUSTED_LOGGERS:
        logging.getLogger(name).setLevel(number)


def redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep listed fields, our own ids and measures; replace every other value."""
    return {
        name: value if name.startswith("_") else _safe(name, value) for name, value in event.items()
    }


def _safe(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if name in SAFE:
        return _bounded(value)
    if isinstance(value, (int, float)) and _MEASURE.fullmatch(name):
        return value
    if isinstance(value, str) and _OUR_ID.fullmatch(value):
        return value
    return REDACTED


def _bounded(value: Any) -> Any:
    """Scalars and short lists of them; a mapping under a safe name is filtered like an event."""
    if isinstance(value, str):
        return value[:TEXT_LIMIT]
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _safe(str(name), item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_bounded(item) for item in value[:ITEMS_LIMIT]]
    return str(value)[:TEXT_LIMIT]


def _add_request_id(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    current = request_id.get()
    if current is not None:
        event.setdefault("request_id", current)
    return event


def _describe_exception(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else None
    if isinstance(given, tuple):
        error = given[1]
    elif error is None:
        error = sys.exc_info()[1]
    if error is not None:
        event.update(describe(error))
    return event


def describe(error: BaseException) -> dict[str, object]:
    """What may be logged of an exception: type, place, database codes, and those of its causes."""
    found: dict[str, object] = {"error": _type_name(error), "where": _places(error)}
    for name in ("sqlstate", "constraint_name", "table_name", "code"):
        value = getattr(error, name, None)
        if isinstance(value, str):
            found[name.removesuffix("_name")] = value
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < CAUSES_LIMIT:
        causes.append(" ".join([_type_name(cause), *_places(cause)[-1:]]))
        cause = cause.__cause__ or cause.__context__
    if causes:
        found["causes"] = causes
    return found


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LIMIT:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _foreign(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's record: its template; the arguments only where they are known to be harmless."""
    record: logging.LogRecord = event["_record"]
    event["module"] = record.name
    arguments = event.pop("positional_args", ())
    text = str(record.msg)
    if arguments and record.name in _TRUSTED_LOGGERS:
        text = text % arguments
    # asyncio puts the repr of a failed task, its exception's message included, on a second line.
    event["event"] = text.partition("\n")[0]
    return event


def _render_bytes(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(event, default=str)


def _render_text(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str).decode()
