"""Ports for programs that have to be told one, and listen there only after a while.

The system gives a connection, or whoever listens on port 0, one of a range of its own. A port that
was free a moment ago is then another's; so those here lie below that range. Each test process
begins at another place, so that two of them do not choose the same.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from typing import Final

FIRST: Final = 20_000
_PROCESSES, _EACH = 200, 60


def _places() -> Iterator[int]:
    begin = os.getpid() % _PROCESSES * _EACH
    return cycle(FIRST + (begin + step) % (_PROCESSES * _EACH) for step in range(0, _EACH * 4, 3))


_next: Final = _places()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free, as are the two after it."""
    for port in _next:
        try:
            with ExitStack() as held:
                for number in range(port, port + 3):
                    held.enter_context(socket.create_server((host, number)))
        except OSError:
            continue
        return port
    raise AssertionError("the places never end")
