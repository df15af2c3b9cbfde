"""``returns-api openapi``: write the API's description, or check that the file is up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from returns_api.cli.output import AsJson, Failure, answer, load_settings, reported

DEFAULT_FILE = Path(__file__).resolve().parents[3] / "openapi" / "openapi.json"

CheckOnly = Annotated[bool, typer.Option("--check", help="Write nothing; fail when it differs.")]
File = Annotated[Path, typer.Option("--file", help="Where the description lies.")]


def openapi(check: CheckOnly = False, file: File = DEFAULT_FILE, as_json: AsJson = False) -> None:
    """Write the OpenAPI description to its file, from the code. Needs no database."""
    with reported(as_json):
        settings = load_settings()
        from returns_api.app import create_app  # noqa: PLC0415 - imports the whole API

        text = render(create_app(settings).openapi())
        current = file.read_text(encoding="utf-8") if file.exists() else None
        if check and current != text:
            raise Failure(f"{file} differs from the code. Run: returns-api openapi")
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        state = "is up to date" if current == text else "was written"
        answer(
            {"ok": True, "file": file, "changed": current != text},
            f"{file} {state}.",
            as_json=as_json,
        )


def render(description: dict[str, object]) -> str:
    """The file's exact text: two spaces, the order of the code, one newline at the end."""
    return json.dumps(description, indent=2, ensure_ascii=False) + "\n"
