"""``returns-api demo --all``: many returns, every way there is, each told to its end over HTTP.

Time passes in these stories, so they get a server and a database of their own, thrown away
afterwards: nobody's real data ever sees a moved clock.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from returns_api.cli.database import database
from returns_api.cli.output import Failure, say
from returns_api.cli.stack import free_port
from returns_api.config import Settings

CLOCK: Final = "clock"
ERRORS_SHOWN: Final = 5


@contextmanager
def apart(settings: Settings) -> Iterator[Settings]:
    """Settings of a server in a folder of its own, whose clock can be moved; the folder is kept
    where something went wrong, to be read."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="stories-", dir=settings.data_dir))
    folder.chmod(0o711)  # the database may run as another user
    own = {
        "data_dir": folder,
        "clock_file": folder / CLOCK,
        "port": free_port(settings.host, 0),
        "log_level": "warning",
        "allow_private_webhook_targets": True,
        **dict.fromkeys(("database_url", "owner_database_url", "public_url", "photo_store")),
        **dict.fromkeys(("bank_url", "carrier_url")),
    }
    try:
        yield settings.with_(**own)
    except BaseException:
        say(f"Logs and data are kept in {folder}")
        raise
    shutil.rmtree(folder, ignore_errors=True)


def tell(
    settings: Settings, facts: Mapping[str, Any], wanted: Sequence[str] | None
) -> dict[str, Any]:
    """Tell the stories whose names hold one of ``wanted``, or all, to the server of ``facts``."""
    from returns_api.demo.stories.performing import Told, perform  # noqa: PLC0415 - much to import
    from returns_api.demo.stories.table import STORIES  # noqa: PLC0415

    chosen = [each for each in STORIES if not wanted or any(word in each.name for word in wanted)]
    if not chosen:
        names = "\n  ".join(each.name for each in STORIES)
        raise Failure(f"There is no such story. There are:\n  {names}")
    width = max(len(each.name) for each in chosen)

    def line(told: Told) -> None:
        result = "ok" if told.ok else "FAILED: " + "; ".join(told.problems)
        say(f"{told.seconds:>7.2f} s  {told.name:<{width}}  {result}")

    urls = {name: facts[name] for name in ("bank_url", "carrier_url")}
    own = settings.with_(public_url=facts["url"], **urls)
    with database(own) as ready:
        result = asyncio.run(perform(ready, facts["url"], chosen, line))
    errors = _errors(settings.data_dir / "logs")
    return {**result, "ok": result["ok"] and not errors, "errors_logged": errors[:ERRORS_SHOWN]}


def _errors(logs: Path) -> list[str]:
    """Lines of level error in the logs of API and worker: bugs, whatever the answers were."""
    return [
        line
        for log in sorted(logs.glob("*.log"))
        for line in log.read_text(errors="replace").splitlines()
        if '"level":"error"' in line or line.startswith("Traceback")
    ]


def summary(result: Mapping[str, Any]) -> str:
    """The figures in a sentence."""
    return (
        f"{result['passed']} of {result['stories']} stories passed in {result['seconds']} s, over"
        f" {result['days_passed']} days: {result['bank_movements']} movements at the bank,"
        f" {result['audit_breaches']} breaches found by audits."
    )
