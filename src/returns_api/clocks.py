"""The time of a process: real, or moved by whoever started it for a demo.

Everything below is handed a clock (``Context.clock``), so that moving this one moves the time of
the whole service and nothing else. Owns how far it is ahead. Refuses to know who moves it, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path


def clock_of(moved_by: Path | None) -> Callable[[], datetime]:
    """The clock of a process: UTC now, or what the file ``moved_by`` makes of it."""
    return _now if moved_by is None else MovedClock(moved_by)


class MovedClock:
    """UTC now, ahead by the whole seconds that stand in a file. Every process that is given the
    same file sees the same time; while there is none, it is the real one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> datetime:
        return _now() + timedelta(seconds=self.ahead_seconds)

    @property
    def ahead_seconds(self) -> int:
        """Read anew at every look, since another process moves it."""
        try:
            return int(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    def forward(self, by: timedelta) -> None:
        """Let ``by`` pass, at once and for everybody. It never goes back."""
        assert by >= timedelta(0), by
        building = self._path.with_name(f"{self._path.name}.new")
        building.write_text(f"{self.ahead_seconds + round(by.total_seconds())}", encoding="ascii")
        building.replace(self._path)


def _now() -> datetime:
    return datetime.now(UTC)
