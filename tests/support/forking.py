"""A program that has imported the command line and runs it in a child for each line of its input.

Importing takes a command half a second to three of processor time, a child that is forked none. The
child is a process like any other: its own arguments, environment, folder and files. The line is
JSON (``Wanted``), the answer the child's exit code.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
from typing import Final, TypedDict

from tests.support.patience import PATIENCE

IMPORTED: Final = (
    "returns_api.cli",
    "returns_api.db.migrations",
    "returns_api.domain.backtests",
    "returns_api.domain.policy.analysis",
    "returns_api.domain.publications",
    "returns_api.usecases.explaining",
    "returns_api.wiring",
    "typer.rich_utils",
)


SECONDS: Final = 2 * int(PATIENCE)
"""A command that takes longer is ended by SIGALRM."""


class Wanted(TypedDict):
    """One run: ``output`` and ``errors`` name the files it writes to."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    output: str
    errors: str


def main() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # else each child looks through all of it, and has its own copy then
    for line in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
            _run()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run() -> None:
    """The command to its end. To take all apart that was imported would take as long again."""
    from returns_api import cli  # noqa: PLC0415 - spawned processes import this module

    try:
        cli.main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)


def _become(wanted: Wanted) -> None:
    """What ``subprocess`` does between fork and exec."""
    for number, file in enumerate((os.devnull, wanted["output"], wanted["errors"])):
        opened = os.open(file, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    signal.alarm(SECONDS)
    sys.argv = ["returns-api", *wanted["arguments"]]


if __name__ == "__main__":
    main()
