"""``returns-api`` run by tests: each time a process of its own, which need not import anything.

That the program starts from nothing is seen where it is started as an operator does: ``test_up``,
and two migrators at once.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from returns_api.config import PREFIX
from tests.support.forking import Wanted

ROOT: Final = Path(__file__).parents[2]


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``returns-api`` with these settings only (names without the prefix)."""
    variables = _plain() | {PREFIX + name.upper(): text for name, text in settings.items()}
    with NamedTemporaryFile("r") as output, NamedTemporaryFile("r") as errors:
        code = _forker().run(
            {
                "arguments": list(arguments),
                "environment": variables,
                "folder": os.getcwd(),
                "output": output.name,
                "errors": errors.name,
            }
        )
        return subprocess.CompletedProcess(arguments, code, output.read(), errors.read())


def last_json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a command said with ``--json``."""
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _plain() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}


class _Forker:
    """The running ``tests.support.forking``; one run at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forking"],
            cwd=ROOT,
            env=_plain(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, wanted: Wanted) -> int:
        """The exit code, negative for a signal."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(f"{json.dumps(wanted)}\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@cache
def _forker() -> _Forker:
    forker = _Forker()
    atexit.register(forker.close)
    return forker
