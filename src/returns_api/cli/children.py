"""Child processes that never outlive this one, and stop in an order that loses no work.

Each runs under a guard (db/embedded_guard.py): should this process be killed, the guard sends
SIGTERM, so the child still finishes what it has in hand. A child has a session of its own, so that
Ctrl-C in the terminal reaches only the supervisor, which decides the order.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from returns_api.config import PREFIX
from returns_api.db import embedded_guard

_TAIL_BYTES: Final = 4000
_TAIL_LINES: Final = 15


@dataclass(frozen=True)
class Program:
    """What to run: ``python -m module arguments``, and how long it may take to stop."""

    name: str
    module: str
    arguments: Sequence[str]
    variables: Mapping[str, str]
    stop_seconds: float


class Child:
    """One running program; its output goes to ``log``, which begins anew at each start."""

    def __init__(self, program: Program, log: Path) -> None:
        self.name = program.name
        self.log = log
        self._stop_seconds = program.stop_seconds
        command = [sys.executable, "-m", program.module, *program.arguments]
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as output:
            self._guard = subprocess.Popen(  # noqa: S603 - argv is ours, no shell
                [
                    *(sys.executable, "-I", "-S", embedded_guard.__file__),
                    *("-", f"TERM:{program.stop_seconds:g}"),
                    *command,
                ],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**plain_environment(), **program.variables},
                start_new_session=True,
            )

    def ended(self) -> int | None:
        """The exit code of the program once it is gone."""
        return self._guard.poll()

    def ask_to_stop(self) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()

    def wait(self) -> int:
        """Wait for the end after ``ask_to_stop``; returns the exit code, 143 for SIGTERM."""
        try:
            # The guard itself kills the program when its time is over.
            return self._guard.wait(self._stop_seconds + 10)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            return self._guard.wait()

    def last_words(self) -> str:
        """The end of the program's output."""
        text = self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
        return "\n".join(text.splitlines()[-_TAIL_LINES:])


def plain_environment() -> dict[str, str]:
    """This process's variables without the service's settings, which children get by choice."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def stop_together(children: Sequence[Child]) -> dict[str, int]:
    """Ask all, then wait for all; returns their exit codes by name."""
    for child in children:
        child.ask_to_stop()
    return {child.name: child.wait() for child in children}
