"""``returns-api migrate``: bring the database's schema to the version of this code."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from returns_api.cli.database import database
from returns_api.cli.output import AsJson, answer, load_settings, log_to_stderr, reported

CheckOnly = Annotated[bool, typer.Option("--check", help="Change nothing; fail when behind.")]


def migrate(check: CheckOnly = False, as_json: AsJson = False) -> None:
    """Bring the database's schema to the version of this code; safe to run twice or at once."""
    with reported(as_json):
        settings = load_settings()
        log_to_stderr(settings)
        from returns_api.db.migrations import check_version, upgrade  # noqa: PLC0415

        with database(settings) as ready:
            if check:
                head = asyncio.run(check_version(ready.owner_address))
                answer({"ok": True, "revision": head}, f"The schema is at {head}.", as_json=as_json)
                return
            before = asyncio.run(upgrade(ready.owner_address))
        if before.equal:
            text = f"The schema was at {before.head} already."
        else:
            text = f"The schema went from {before.current or 'nothing'} to {before.head}."
        answer({"ok": True, "from": before.current, "revision": before.head}, text, as_json=as_json)
