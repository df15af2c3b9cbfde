"""``returns-api up``: everything at once for development, stopped by Ctrl-C with no work lost.

Database, migrations, demo shop, the built-in bank and carrier, one API and one worker (stack.py).
In production run ``migrate``, ``serve`` and ``worker`` under a real supervisor instead.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from returns_api.cli import runfile
from returns_api.cli.lasting import load_quietly, settle_memory
from returns_api.cli.output import AsJson, Failure, answer, load_settings, reported, say
from returns_api.cli.stack import Stack
from returns_api.cli.stopping import Stopping
from returns_api.db.embedded_lock import FolderLock

Host = Annotated[str | None, typer.Option(help="Address the API listens on.")]
Port = Annotated[int | None, typer.Option(help="Port of the API.", min=1, max=65535)]
DataDir = Annotated[Path | None, typer.Option(help="Folder for everything that is kept.")]
Demo = Annotated[bool, typer.Option("--demo/--no-demo", help="Make the demo shop.")]


def up(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    demo: Demo = True,
    as_json: AsJson = False,
) -> None:
    """Start everything for development; Ctrl-C stops it in order, with no work lost."""
    with reported(as_json):
        settings = load_settings(host=host, port=port, data_dir=data_dir)
        if settings.production:
            raise Failure("`up` is for development. In production: migrate, serve and worker.")
        settings = settings.with_(data_dir=settings.data_dir.absolute())
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        lock = FolderLock.take_soon(settings.data_dir / runfile.LOCK)
        if lock is None:
            raise Failure(_already_running(settings.data_dir))
        with lock:
            _run(Stack(settings, Stopping.by_signals()), demo=demo, as_json=as_json)


def _already_running(data_dir: Path) -> str:
    running = runfile.read_running(data_dir)
    where = f" at {running['url']}" if running else ""
    return f"A server with the data folder {data_dir} runs already{where}."


def _run(stack: Stack, *, demo: bool, as_json: bool) -> None:
    begun = time.monotonic()
    data_dir = stack.settings.data_dir
    load_quietly()
    try:
        facts = stack.start(demo=demo)
        settle_memory()
        if facts is not None:
            facts = {"ok": True, **facts, "ready_seconds": round(time.monotonic() - begun, 2)}
            runfile.write(data_dir, facts)
            answer(facts, _welcome(facts), as_json=as_json)
            stack.watch()
    finally:
        runfile.remove(data_dir)
        troubles = stack.stop()
    if troubles:
        raise Failure("Not everything stopped in order: " + "; ".join(troubles))
    say("Stopped.")


def _welcome(facts: Mapping[str, Any]) -> str:
    lines = [
        f"Ready in {facts['ready_seconds']} s. Ctrl-C stops everything.",
        f"  API      {facts['url']}",
        f"  docs     {facts['docs_url']}",
        f"  bank     {facts['bank_url']}",
        f"  carrier  {facts['carrier_url']}",
    ]
    demo: Mapping[str, object] = facts["demo"]
    if demo:
        lines.append("  demo shop")
        lines += _indented(demo, "    ")
    return "\n".join(lines)


def _indented(values: Mapping[str, object], margin: str) -> list[str]:
    lines = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            lines.append(f"{margin}{name}")
            lines += _indented(value, margin + "  ")
        else:
            lines.append(f"{margin}{name:<16} {value}")
    return lines
