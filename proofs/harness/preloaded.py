"""Children forked from a parent that has imported the whole service already.

A proof that kills a process some thousand times would spend nearly all its time importing. Here a
server process of the standard library's ``forkserver`` imports once what every child needs and
runs nothing; each child is forked from it, takes its own environment and output, and runs the same
command line as ``python -m returns_api.cli``. What reads the environment at import is loaded again.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from returns_api.adapters import registry

_IMPORTED: Final = (
    "httpcore",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on",
    *(
        place.partition(":")[0]
        for places in registry.BUILT_IN.values()
        for place in places.values()
    ),
    "returns_api.app",
    "returns_api.cli",
    "returns_api.db.migrations",
    "returns_api.wiring",
    "returns_api.worker.main",
    "proofs.harness.crashing",
    "proofs.harness.drives",
    "proofs.harness.parent",
)
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(_IMPORTED))


class Forked:
    """One child, with the part of ``subprocess.Popen``'s face that ``Program`` needs."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._process: ForkServerProcess = _CONTEXT.Process(
            target=_run, args=(list(arguments), dict(environment), str(log))
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int | None:
        """Until it has ended. Raises ``TimeoutError`` after ``timeout`` seconds."""
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
        return self.returncode


def _run(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """In the child: become the program."""
    from proofs.harness.programs import die_with_parent  # noqa: PLC0415 - it imports this module

    os.setsid()
    die_with_parent()
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["returns-api", *arguments]
    from returns_api import cli, crashpoints  # noqa: PLC0415 - only the child needs them

    importlib.reload(crashpoints)
    cli.main()
