"""Memory of one process, from /proc; 0 where there is no /proc."""

from __future__ import annotations

from pathlib import Path

from proofs.harness.programs import Program


def resident_mb(program: Program) -> int:
    """How many megabytes it holds now."""
    return _status(program, "VmRSS")


def peak_mb(program: Program) -> int:
    """The most that it ever held."""
    return _status(program, "VmHWM")


def _status(program: Program, name: str) -> int:
    try:
        text = Path(f"/proc/{program.pid}/status").read_text()
    except OSError:
        return 0
    line = next(line for line in text.splitlines() if line.startswith(name))
    return int(line.split()[1]) // 1024
