"""Named places where a test can kill this process, to prove that no money is lost there.

``crashpoint("W3")`` does nothing unless the environment variable RETURNS_API_CRASHPOINT names it:
``W3`` acts at the first hit, ``W3:5`` at the fifth. The action is SIGKILL to this process, so that
no handler, no ``finally`` and no rollback of ours runs; W8 is SIGSTOP, and whoever armed it sends
SIGCONT. A name that is not in the registry is refused when this module is imported.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

VARIABLE: Final = "RETURNS_API_CRASHPOINT"

REGISTRY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "A1": "API: the idempotency key is claimed, nothing else is done",
        "A2": "API: inside the business transaction",
        "A3": "API: the business transaction is committed, the request not answered",
        "A4": "API: the answer is stored for replay, not sent",
        "W1": "worker: the lease is committed, nothing else is done",
        "W2": "worker: the attempt and its provider key are committed, not sent",
        "W3": "worker: the bytes are sent, no answer is read",
        "W4": "worker: the answer is read, not written",
        "W5": "worker: inside the transaction that records the outcome",
        "W6": "worker: the outcome is committed, the job not acknowledged",
        "W7": "worker: the look-up has read the provider, nothing is written",
        "W8": "worker: stopped for longer than its lease, then continued (a zombie)",
        "I1": "webhook in: the signature is good, nothing is stored",
        "I2": "webhook in: stored, not answered",
        "I3": "webhook in: inside the processing transaction",
        "I4": "webhook in: processed, not marked so",
        "O1": "webhook out: the delivery is claimed, not sent",
        "O2": "webhook out: sent, no answer is read",
        "O3": "webhook out: the receiver took it, not marked so",
        "U1": "upload: the file is stored, its row does not count yet",
        "U2": "upload: the row is committed, the request not answered",
    }
)
STOPPED_NOT_KILLED: Final = frozenset({"W8"})
_TURNS: Final = 5


class Armed:
    """One crash point waiting for its hit; counts from several threads."""

    def __init__(self, name: str, hit: int) -> None:
        self.name = name
        self._left = hit
        self._lock = threading.Lock()

    def reached(self, name: str) -> bool:
        """Count a hit of ``name``; True on exactly the one that was asked for."""
        if name != self.name:
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0


def parse(text: str) -> Armed | None:
    """Read ``NAME`` or ``NAME:n`` (n from 1); empty text arms nothing. Raises: ValueError."""
    if not text:
        return None
    name, separator, number = text.partition(":")
    if name not in REGISTRY:
        raise ValueError(
            f"{VARIABLE}: there is no crash point {name!r}; known: {', '.join(REGISTRY)}"
        )
    if separator and (not number.isascii() or not number.isdigit() or int(number) < 1):
        raise ValueError(f"{VARIABLE}: {number!r} is not a number of hits from 1 up")
    return Armed(name, int(number) if separator else 1)


_armed: Final = parse(os.environ.get(VARIABLE, ""))


def crashpoint(name: str) -> None:
    """Die here if a test armed ``name``; otherwise nothing."""
    if _armed is not None and _armed.reached(name):
        _act(name)


async def crashpoint_flushed(name: str) -> None:
    """The same, after the event loop had its turns to hand written bytes to the system."""
    if _armed is not None and _armed.name == name:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if _armed.reached(name):
            _act(name)


def _act(name: str) -> None:
    os.kill(os.getpid(), signal.SIGSTOP if name in STOPPED_NOT_KILLED else signal.SIGKILL)
