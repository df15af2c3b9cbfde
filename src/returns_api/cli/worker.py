"""``returns-api worker``: the jobs, one process. Start as many as you like."""

from __future__ import annotations

import asyncio

from returns_api import logs
from returns_api.cli.database import database
from returns_api.cli.output import AsJson, load_settings, reported


def worker(as_json: AsJson = False) -> None:
    """Run jobs until SIGTERM; jobs in flight are finished or handed back first."""
    with reported(as_json):
        settings = load_settings()
        logs.configure(settings.log_level)
        with database(settings) as ready:
            import uvloop  # noqa: PLC0415 - other commands run no jobs

            from returns_api.db.migrations import check_version  # noqa: PLC0415
            from returns_api.worker.main import run  # noqa: PLC0415

            asyncio.run(check_version(ready.app_address))
            uvloop.run(run(ready))
