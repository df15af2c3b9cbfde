"""Runs a simulator as its own process and talks to its control API."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self

import orjson

from returns_api.adapters.conformance.deadlines import HANGS, Deadlines
from returns_api.adapters.http import Call, HttpClient
from tests.support.patience import PATIENCE


class Simulator:
    """One process of ``returns_api.simulators.<name>``; ``base_url`` is where it listens."""

    def __init__(self, name: str, data_dir: Path) -> None:
        self.name = name
        self.data_dir = data_dir
        self.base_url = ""
        self.deadlines = Deadlines(self.hung)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, port: int = 0) -> Self:
        """Start and wait until it listens; ``port`` 0 takes a free one."""
        module = f"returns_api.simulators.{self.name}"
        command = [sys.executable, "-m", module, "--port", str(port)]
        self._process = subprocess.Popen(
            [*command, "--data-dir", str(self.data_dir)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        self.base_url = orjson.loads(first)["listening"]
        _running.append(self)
        return self

    def stop(self, *, kill: bool = False) -> None:
        """SIGTERM, or SIGKILL, and wait."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(timeout=PATIENCE)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        _running.remove(self)

    def kill_and_restart(self) -> None:
        """kill -9, then the same port and folder again."""
        port = int(self.base_url.rsplit(":", 1)[1])
        self.stop(kill=True)
        self.start(port)

    async def control(
        self, method: str, path: str, content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """One control call; fails the test for anything but a 2xx."""
        body = b"" if content is None else orjson.dumps(content)
        http = HttpClient(deadline_seconds=PATIENCE)
        try:
            call = Call(method, f"{self.base_url}/_control/{path}", {}, body)
            reply = await http.send(call)
        finally:
            await http.aclose()
        assert reply.status == 200, reply.body
        return reply.json_object()

    async def reset(self) -> None:
        """Empty books, no faults."""
        await self.control("POST", "reset", {})
        self.deadlines.forget()

    async def script(self, *steps: str | Mapping[str, Any]) -> None:
        """Faults for the next calls, see docs/adapters.md."""
        wanted = [{"fault": step} if isinstance(step, str) else dict(step) for step in steps]
        await self.control("POST", "script", {"script": wanted})
        for step in wanted:
            self.deadlines.expect(step.get("fault", ""))

    async def fired(self) -> dict[str, int]:
        """How often each fault fired."""
        return dict((await self.control("GET", "faults"))["fired"])

    async def hung(self) -> int:
        """How many calls it has let hang."""
        fired = await self.fired()
        return sum(fired[fault] for fault in HANGS)

    async def quiet(self) -> None:
        """Until no webhook is due."""
        async with asyncio.timeout(PATIENCE):
            while (await self.control("GET", "deliveries"))["due"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # another process: nothing to wait on


_running: Final[list[Simulator]] = []


@asynccontextmanager
async def until_one_hangs(seconds: float) -> AsyncIterator[None]:
    """For ``HttpClient(timeout=...)``: no call is given up but one that a simulator lets hang."""
    async with AsyncExitStack() as deadlines:
        for each in _running:
            await deadlines.enter_async_context(each.deadlines(seconds))
        yield
