"""What a command prints, for people or as JSON, and how it fails: plainly, with exit code 1.

Only expected failures are turned into a sentence; anything else keeps its traceback, since it is a
bug.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer
from pydantic import ValidationError

from returns_api.config import PREFIX, Settings
from returns_api.db.embedded_account import EmbeddedError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]


class Failure(Exception):
    """The command cannot do what was asked; the text is a sentence for the operator."""


def load_settings(**overrides: object) -> Settings:
    """The settings with the command's own options on top; None means not given.

    Raises: Failure naming each variable that is wrong.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # validated by pydantic itself
    except ValidationError as error:
        raise Failure(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        name = "".join(f"{PREFIX}{str(part).upper()}: " for part in problem["loc"][:1])
        lines.append(f"{name}{problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def log_to_stderr(settings: Settings) -> None:
    """Turn logging on for a command that runs the service's own code."""
    from returns_api import logs  # noqa: PLC0415 - not every command logs

    logs.configure(settings.log_level)


def say(text: str) -> None:
    """A line about progress; on standard error, so that standard output stays the result."""
    print(text, file=sys.stderr, flush=True)


def answer(result: Mapping[str, object], text: str, *, as_json: bool) -> None:
    """The result of a command, in the form that was asked for."""
    print(json.dumps(result, default=str) if as_json else text, flush=True)


@contextmanager
def reported(as_json: bool) -> Iterator[None]:
    """Turn expected failures into a sentence (or JSON) and exit code 1."""
    try:
        yield
    except BaseException as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        if as_json:
            print(json.dumps({"ok": False, "error": sentence}), flush=True)
        else:
            say(sentence)
        raise typer.Exit(1) from None


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, (Failure, EmbeddedError)):
        return str(error)
    return _database_sentence(error)


def _database_sentence(error: BaseException) -> str | None:
    """A sentence for a database that differs, refuses or is away; None for anything else."""
    import asyncpg  # noqa: PLC0415 - only after a failure

    from returns_api.db.migrations import SchemaMismatch  # noqa: PLC0415
    from returns_api.domain.errors import Unavailable  # noqa: PLC0415

    if isinstance(error, (SchemaMismatch, Unavailable)):
        return str(error)
    if isinstance(
        error,
        (
            ConnectionError,
            TimeoutError,
            asyncpg.PostgresConnectionError,
            asyncpg.InvalidAuthorizationSpecificationError,
            asyncpg.InvalidCatalogNameError,
            asyncpg.InsufficientPrivilegeError,
            asyncpg.CannotConnectNowError,
            asyncpg.TooManyConnectionsError,
        ),
    ):
        return f"The database cannot be used: {error}"
    return None
