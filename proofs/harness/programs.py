"""One child process: started under a name, killed without mercy, started again, its output kept.

A child dies with the proof that started it where the system can do that (Linux), so that a proof
that is itself killed leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from proofs.harness.preloaded import Forked

from returns_api.config import PREFIX

COMMAND_LINE: Final = "returns_api.cli"
STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.01
_PR_SET_PDEATHSIG: Final = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Program:
    """``python -m module arguments`` with ``variables``; output is appended to ``log``."""

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        variables: Mapping[str, str],
        log: Path,
        source: Path | None = None,
        preloaded: bool = False,
    ) -> None:
        """``source`` is a folder whose packages come before the installed ones.

        ``preloaded`` forks from a parent that has imported the service, where ``module`` is its
        command line and no other source is asked for.
        """
        self.name = name
        self.log = log
        self._command = [sys.executable, "-m", module, *arguments]
        self._variables = dict(variables)
        self._arguments = arguments
        self._source = source
        self._preloaded = preloaded and source is None and module == COMMAND_LINE
        self._process: subprocess.Popen[bytes] | Forked | None = None

    def start(self, **more: str) -> None:
        """Start; ``more`` are variables of this one run, without the service's prefix."""
        assert self.ended() or self._process is None, f"{self.name} runs already"
        environment = {n: v for n, v in os.environ.items() if not n.startswith(PREFIX)}
        environment |= self._variables
        environment |= {PREFIX + name.upper(): value for name, value in more.items()}
        environment["PYTHONUNBUFFERED"] = "1"
        if self._source is not None:
            environment["PYTHONPATH"] = str(self._source)
        if self._preloaded:
            self._process = Forked(self._arguments, environment, self.log)
        else:
            self._process = self._spawned(environment)

    def _spawned(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self._command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # Safe here: the child makes one system call and nothing of ours holds a lock.
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return None if self._process is None else self._process.poll()

    def stopped(self) -> bool:
        """Whether SIGSTOP holds it (Linux)."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except FileNotFoundError:
            return False
        return stat.rpartition(")")[2].split()[0] in {"T", "t"}

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL and wait; nothing happens when it does not run."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int | None:
        """SIGTERM and wait, SIGKILL after ``STOP_SECONDS``; returns the exit code."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except (subprocess.TimeoutExpired, TimeoutError):
                self.kill()
        return self._process.returncode

    def last_words(self, lines: int = 15) -> str:
        """The end of its output."""
        text = self.log.read_bytes()[-6000:].decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])


def wait_until(done: object, seconds: float, what: str) -> None:
    """Poll ``done()`` from a thread that may block. Raises ``TimeoutError`` naming ``what``."""
    assert callable(done)
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} within {seconds:.0f} s")
        time.sleep(_POLL_SECONDS)


def die_with_parent() -> None:
    """Called in a child: it ends when its parent does, where the system can do that (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
