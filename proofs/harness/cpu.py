"""Processor time of each part of a lane, from /proc: where time goes, on a busy machine too.

PostgreSQL's is that of the whole server, ended backends included. Zero where there is no /proc.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from proofs.harness.programs import Program
from proofs.harness.stage import Lane

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def spent(lane: Lane) -> dict[str, float]:
    """Seconds of processor time so far, by part."""
    return {
        "api": _own(lane.apis),
        "worker": _own(lane.workers),
        "bank": _own([lane.bank]),
        "postgres": _server(lane.folder.parent / "db"),
    }


def per_job(before: Mapping[str, float], after: Mapping[str, float], jobs: int) -> dict[str, float]:
    """Milliseconds of processor time per job, by part."""
    return {part: round((after[part] - before[part]) * 1000 / jobs, 2) for part in after}


def _own(programs: Iterable[Program]) -> float:
    return sum(sum(_times(program.pid)[:2]) for program in programs if program.code is None)


def _server(folder: Path) -> float:
    """The postmaster with its ended children, and each living child."""
    for found in folder.rglob("postmaster.pid"):
        postmaster = int(found.read_text().splitlines()[0])
        children = (_PROC / str(postmaster) / "task" / str(postmaster) / "children").read_text()
        return sum(_times(postmaster)) + sum(
            sum(_times(int(child))[:2]) for child in children.split()
        )
    return 0.0


def _times(pid: int) -> tuple[float, float, float, float]:
    """User and system time of a process, and the same of its children that have ended."""
    with suppress(OSError, ValueError, IndexError):
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        user, system, ended_user, ended_system = (int(text) / _TICKS for text in fields[11:15])
        return user, system, ended_user, ended_system
    return 0.0, 0.0, 0.0, 0.0
