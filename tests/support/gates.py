"""Doors in front of a real provider: a call waits there until the test lets it through.

What a paused worker does when it wakes up late can only be shown by pausing one. The call itself
goes to the real adapter.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Gate:
    """Wraps any adapter; calls of the methods in ``closed`` wait until ``open`` is set.

    ``refusals`` are exceptions that the next calls of a method raise instead of being made,
    ``instead`` what stands in for the adapter's own members.
    """

    def __init__(self, inner: Any, *closed: str) -> None:
        self.inner = inner
        self.closed = set(closed)
        self.arrived = asyncio.Event()
        self.open = asyncio.Event()
        self.refusals: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.instead: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        found = self.instead.get(name) or getattr(self.inner, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **named: Any) -> Any:
            self.calls.append(name)
            if name in self.closed:
                self.closed.discard(name)
                self.arrived.set()
                await self.open.wait()
            if self.refusals.get(name):
                raise self.refusals[name].pop(0)
            return await found(*args, **named)

        return call
