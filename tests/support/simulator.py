"""Runs a simulator as its own process and talks to its control API."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import orjson

from returns_api.adapters.http import Call, HttpClient

CALM: Final = 10.0
"""Seconds after which waiting for a simulator to become quiet is given up."""


class Simulator:
    """One process of ``returns_api.simulators.<name>``; ``base_url`` is where it listens."""

    def __init__(self, name: str, data_dir: Path) -> None:
        self.name = name
        self.data_dir = data_dir
        self.base_url = ""
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
        return self

    def stop(self, *, kill: bool = False) -> None:
        """SIGTERM, or SIGKILL, and wait."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(timeout=20)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

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
        http = HttpClient()
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

    async def script(self, *steps: str | Mapping[str, Any]) -> None:
        """Faults for the next calls, see docs/adapters.md."""
        wanted = [{"fault": step} if isinstance(step, str) else dict(step) for step in steps]
        await self.control("POST", "script", {"script": wanted})

    async def fired(self) -> dict[str, int]:
        """How often each fault fired."""
        return dict((await self.control("GET", "faults"))["fired"])

    async def quiet(self) -> None:
        """Until no webhook is due."""
        async with asyncio.timeout(CALM):
            while (await self.control("GET", "deliveries"))["due"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # another process: nothing to wait on
