"""The wish to stop: said by a signal's handler, waited for by the main thread."""

from __future__ import annotations

import signal
from queue import Empty, SimpleQueue

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """Stays set once it was asked for; asking again changes nothing.

    Not a ``threading.Event``: whoever sets it or waits for it holds its lock for a moment, and a
    handler runs in the same thread, so that a signal in that moment would wait for ever. Putting
    into a ``SimpleQueue`` is safe there.
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[None] = SimpleQueue()
        self._set = False

    @classmethod
    def by_signals(cls) -> Stopping:
        """Asked for by Ctrl-C, SIGTERM or a closed terminal. Call it in the main thread."""
        stopping = cls()
        for number in _SIGNALS:
            signal.signal(number, stopping.ask)
        return stopping

    def ask(self, *_: object) -> None:
        self._asked.put(None)

    def wait(self, seconds: float) -> bool:
        """Whether it was asked for, at the latest after ``seconds``."""
        if not self._set:
            try:
                self._asked.get(timeout=seconds)
            except Empty:
                return False
            self._set = True
        return True

    def is_set(self) -> bool:
        return self.wait(0)
