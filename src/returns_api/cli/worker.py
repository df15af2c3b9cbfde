"""``returns-api worker``: the jobs, one process. Start as many as you like."""

from __future__ import annotations

import asyncio

from returns_api.cli.database import database
from returns_api.cli.lasting import load_quietly, settle_memory
from returns_api.cli.output import AsJson, load_settings, log_to_stderr, reported


def worker(as_json: AsJson = False) -> None:
    """Run jobs until SIGTERM; jobs in flight are finished or handed back first."""
    load_quietly()
    with reported(as_json):
        settings = load_settings()
        log_to_stderr(settings)
        with database(settings) as ready:
            from returns_api.db.migrations import check_version  # noqa: PLC0415 - imports asyncpg

            asyncio.run(check_version(ready.app_address))
            import uvloop  # noqa: PLC0415 - other commands run no jobs

            from returns_api.wiring import run_worker  # noqa: PLC0415

            settle_memory()
            uvloop.run(run_worker(ready))
