"""What clients noted: each try to make a refund, and each look at an order's refunds.

Times are seconds of one monotonic clock. A note says what the client was told, never what is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

import orjson


class Outcome(StrEnum):
    """``info``: the client does not know whether it was done, or was told to ask again."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Write:
    """One try; several of one ``reference`` are the same request under the same key."""

    client: int
    begun: float
    ended: float
    order: str
    reference: str
    amount: int
    outcome: Outcome
    refund: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A refund as it was shown: ``sequence`` grows with each of its changes."""

    refund: str
    order: str
    amount: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Read:
    """All refunds of an order, by reference."""

    client: int
    begun: float
    ended: float
    order: str
    shown: Mapping[str, Shown]


@dataclass(slots=True)
class History:
    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    def save(self, file: Path) -> None:
        """One JSON object a line, in the order in which they began."""
        notes: list[Write | Read] = [*self.writes, *self.reads]
        notes.sort(key=lambda each: each.begun)
        file.write_bytes(b"".join(_lines(notes)))


def _lines(notes: Iterable[Write | Read]) -> Iterable[bytes]:
    for each in notes:
        yield orjson.dumps({"what": type(each).__name__.lower(), **asdict(each)}) + b"\n"
