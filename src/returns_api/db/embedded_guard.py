"""Runs one program and stops it when the process that asked for it is gone.

A program of its own, started as ``python -I -S embedded_guard.py ...`` with a pipe as standard
input: the pipe reaches its end when the parent closes it *or dies in any way*, kill -9 included.
It is the parent of the program it guards, so there is no process id that could be reused under it.
PR_SET_PDEATHSIG is no substitute: it is Linux-only and fires when the starting *thread* ends.

It imports a few modules of the standard library and nothing of this package, so that it starts in
milliseconds. It knows nothing about PostgreSQL: the signals to send are arguments.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

Step = tuple[int, float]

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS = 0.01


def parse_steps(text: str) -> list[Step]:
    """Read ``INT:30,QUIT:10`` as signals with the seconds to wait after each."""
    steps: list[Step] = []
    for part in text.split(","):
        name, _, seconds = part.partition(":")
        steps.append((int(getattr(signal, f"SIG{name}")), float(seconds)))
    return steps


def _become(user: int, group: int) -> None:
    """Give up root for good, in the forked child only."""
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


def _handle(numbers: tuple[int, ...], how: signal.Handlers) -> None:
    for number in numbers:
        signal.signal(number, how)


def _spawn(argv: list[str], account: str) -> int:
    """Fork and execute ``argv``; ``account`` is ``uid:gid`` or ``-`` for no change.

    The child is never one that ignores signals: what is sent to it in the moment after the fork is
    held back, not lost, or the program would never hear that it has to stop.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
    _handle(IGNORED, signal.SIG_DFL)
    pid = os.fork()
    if pid:
        _handle(IGNORED, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
        return pid
    try:
        if account != "-":
            user, _, group = account.partition(":")
            _become(int(user), int(group))
        _handle((signal.SIGCHLD,), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.execve(argv[0], argv, dict(os.environ))  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _reaped(pid: int) -> int | None:
    """The exit code once the program has ended, a death by signal as 128 + its number."""
    done, status = os.waitpid(pid, os.WNOHANG)
    if not done:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _stop(pid: int, steps: list[Step]) -> int:
    for number, seconds in steps:
        os.kill(pid, number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            code = _reaped(pid)
            if code is not None:
                return code
            time.sleep(_POLL_SECONDS)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return 128 - os.waitstatus_to_exitcode(status)


def guard(argv: list[str], account: str, steps: list[Step]) -> int:
    """Run ``argv`` until it ends or standard input does; returns its exit code."""
    _handle(IGNORED, signal.SIG_IGN)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pid = _spawn(argv, account)
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            code = _reaped(pid)
            if code is not None:
                return code
        if 0 in ready and not os.read(0, 4096):
            return _stop(pid, steps)


if __name__ == "__main__":
    # embedded_guard.py ACCOUNT STEPS PROGRAM [ARGUMENT ...]
    sys.exit(guard(sys.argv[3:], sys.argv[1], parse_steps(sys.argv[2])))
