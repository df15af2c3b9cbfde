"""The stage of a proof: PostgreSQL on a real disk with fsync on, and lanes of processes on it.

A lane is a whole installation of its own on a database of its own: bank, carrier, API processes,
workers, and the demo shop. Everything listens on loopback and is gone when the block ends; the
folder with logs and data stays only when the proof failed or was asked to keep it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from proofs.harness.programs import COMMAND_LINE, Program

from returns_api.cli.database import APP_ROLE
from returns_api.config import PREFIX, Settings
from returns_api.db.embedded import EmbeddedPostgres
from returns_api.db.migrations import upgrade
from returns_api.demo import seed

HOST: Final = "127.0.0.1"
TEMPLATE: Final = "proof_template"
READY_SECONDS: Final = 60.0
BIG_DISK: Final = Path("/var/tmp")
"""Survives a reboot and is never in memory, which /tmp may be."""
KEY: Final = "cHJvb2ZzLW9ubHktcHJvb2ZzLW9ubHktcHJvb2ZzLTE"
OPTIONS: Final = {
    "max_connections": "300",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "log_checkpoints": "off",
}
"""Sizes only: fsync, full_page_writes and synchronous_commit stay on."""

Superuser = Any  # asyncpg.Connection: its stubs are generic, the class itself is not


@dataclass(frozen=True, slots=True)
class Size:
    """How many processes a lane has, and what its settings are."""

    apis: int = 1
    workers: int = 1
    lease_seconds: float = 45.0
    source: Path | None = None
    preloaded: bool = False
    """Fork API and workers from a parent that has imported them: for proofs that kill often."""
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Lane:
    """One installation. ``demo`` has what the demo's seed told: shop, keys, secrets."""

    folder: Path
    owner_url: str
    settings: Settings
    bank: Program
    carrier: Program
    apis: list[Program] = field(default_factory=list)
    workers: list[Program] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    demo: dict[str, Any] = field(default_factory=dict)

    @property
    def urls(self) -> list[str]:
        """Of every API process."""
        return [f"http://{HOST}:{port}" for port in self.ports]

    @property
    def bank_url(self) -> str:
        return str(self.settings.bank_url)

    @property
    def carrier_url(self) -> str:
        return str(self.settings.carrier_url)

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[Superuser]:
        """A connection that row-level security does not bind, to check and count."""
        connection: Superuser = await asyncpg.connect(self.owner_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def ready(self) -> None:
        """Until every API process answers. Raises ``RuntimeError`` quoting one that ended."""
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            for api, url in zip(self.apis, self.urls, strict=True):
                await _answers(http, api, f"{url}/readyz")

    def errors(self) -> list[str]:
        """Lines of level error in the logs of the service: bugs, whatever the answers were."""
        return [
            line
            for program in (*self.apis, *self.workers)
            for line in program.log.read_text(errors="replace").splitlines()
            if '"level":"error"' in line or line.startswith("Traceback")
        ]


class Stage:
    """PostgreSQL and a folder; ``lane`` puts an installation on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = EmbeddedPostgres(folder / "db", options=OPTIONS)

    async def open(self) -> None:
        await asyncio.to_thread(self._server.start)
        await self._create(TEMPLATE)
        await upgrade(self._server.url(database=TEMPLATE))

    def close(self) -> None:
        self._server.stop()

    @asynccontextmanager
    async def lane(self, name: str, size: Size) -> AsyncIterator[Lane]:
        """An installation with all its processes running and its shop made."""
        await self._create(name, TEMPLATE)
        lane = self._build(name, size)
        try:
            for program in (lane.bank, lane.carrier):
                program.start()
            async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
                await _answers(http, lane.bank, f"{lane.bank_url}/_control/health")
                await _answers(http, lane.carrier, f"{lane.carrier_url}/_control/health")
            lane.demo = await seed(lane.settings)
            for program in (*lane.apis, *lane.workers):
                program.start()
            await lane.ready()
            yield lane
        finally:
            for program in (*lane.apis, *lane.workers, lane.bank, lane.carrier):
                program.kill()

    def _build(self, name: str, size: Size) -> Lane:
        folder = self.folder / name
        folder.mkdir()
        ports = free_ports(size.apis + 2)
        bank_port, carrier_port, *api_ports = ports
        settings = Settings(
            **{
                "database_url": self._server.url(user=APP_ROLE, database=name),
                "data_dir": folder,
                "secret_key": KEY,
                "host": HOST,
                "port": api_ports[0],
                "public_url": f"http://{HOST}:{api_ports[0]}",
                "bank_url": f"http://{HOST}:{bank_port}",
                "carrier_url": f"http://{HOST}:{carrier_port}",
                "allow_private_webhook_targets": True,
                "log_level": "warning",
                "lease_seconds": size.lease_seconds,
                **size.more,
            }
        )
        lane = Lane(
            folder=folder,
            owner_url=self._server.url(database=name),
            settings=settings,
            bank=_simulator("bank", bank_port, folder),
            carrier=_simulator("carrier", carrier_port, folder),
            ports=api_ports,
        )
        variables = settings.environment_variables()
        for number, port in enumerate(api_ports):
            own = {**variables, f"{PREFIX}PORT": str(port)}
            lane.apis.append(_service(f"api{number}", "serve", own, folder, size))
        for number in range(size.workers):
            lane.workers.append(_service(f"worker{number}", "worker", variables, folder, size))
        return lane

    async def _create(self, name: str, template: str = "template1") -> None:
        connection = await asyncpg.connect(self._server.url())
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        finally:
            await connection.close()


@asynccontextmanager
async def staged(*, keep: bool = False) -> AsyncIterator[Stage]:
    """A stage in a folder of its own on a real disk."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]  # a proof runs with its own settings, whoever starts it
    with _folder(keep) as folder:
        stage = Stage(folder)
        try:
            await stage.open()
            yield stage
        finally:
            await asyncio.to_thread(stage.close)


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    """A folder that the database's user can reach; kept after a failure, to be read."""
    place = BIG_DISK if BIG_DISK.is_dir() else Path(tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix="returns-api-proof-", dir=place))
    folder.chmod(0o711)
    try:
        yield folder
    except BaseException:
        print(f"Logs and data are kept in {folder}", flush=True)
        raise
    if keep:
        print(f"Logs and data are kept in {folder}", flush=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that were free a moment ago, all different."""
    listeners = [socket.create_server((HOST, 0)) for _ in range(count)]
    try:
        return [int(listener.getsockname()[1]) for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


def _service(
    name: str, command: str, variables: dict[str, str], folder: Path, size: Size
) -> Program:
    log = folder / f"{name}.log"
    return Program(name, COMMAND_LINE, [command], variables, log, size.source, size.preloaded)


def _simulator(name: str, port: int, folder: Path, label: str | None = None) -> Program:
    data = folder / (label or name)
    data.mkdir()
    arguments = ["--host", HOST, "--port", str(port), "--data-dir", str(data)]
    module = f"returns_api.simulators.{name}"
    return Program(label or name, module, arguments, {}, folder / f"{label or name}.log")


@asynccontextmanager
async def another_bank(lane: Lane, label: str) -> AsyncIterator[tuple[Program, str]]:
    """A further bank beside the lane's own, and its address."""
    (port,) = free_ports(1)
    program, url = _simulator("bank", port, lane.folder, label), f"http://{HOST}:{port}"
    program.start()
    try:
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            await _answers(http, program, f"{url}/_control/health")
        yield program, url
    finally:
        program.kill()


async def _answers(http: httpx.AsyncClient, program: Program, url: str) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if program.ended():
            raise RuntimeError(f"{program.name} ended at its start:\n{program.last_words()}")
        try:
            if (await http.get(url)).is_success:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.02)
    raise RuntimeError(f"{program.name} did not get ready:\n{program.last_words()}")
