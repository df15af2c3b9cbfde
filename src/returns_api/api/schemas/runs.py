"""What all runs have in common as a caller sees them."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """How far a run is: it waits, somebody carries it on, or it ended one way or the other."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
