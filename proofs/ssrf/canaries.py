"""Who would notice if anything called this machine: listeners on every port of a webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from proofs.harness.stage import free_ports

from returns_api.adapters.http import WEBHOOK_PORTS


@dataclass(slots=True)
class Canaries:
    """Listeners that should never be called; ``accepted`` counts who called."""

    ports: list[int] = field(default_factory=list)
    accepted: int = 0

    async def accept(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Canaries]:
    """On every port of a webhook that this user may listen on, and one more."""
    canaries, servers = Canaries(), []
    for port in (*sorted(WEBHOOK_PORTS), *free_ports(1)):
        for host in ("0.0.0.0", "::"):
            try:
                server = await asyncio.start_server(canaries.accept, host, port)
            except OSError:
                continue
            servers.append(server)
            canaries.ports.append(port)
    try:
        yield canaries
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()
