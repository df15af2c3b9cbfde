"""Fixtures of the live server and its two shops; a conftest imports those that its tests need.

The two shops are seeded once; each module has a copy, whatever its tests do to it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.live import LiveServer, live_server, live_settings
from tests.support.postgres import APP_ROLE, PostgresForTests, run_apart
from tests.support.seeding import build_world
from tests.support.world import World


@dataclass(frozen=True, slots=True)
class Living:
    """A running server, what is behind it, and its database as the owner."""

    server: LiveServer
    world: World
    owner_url: str


@contextmanager
def living_world() -> Iterator[Living]:
    """The same as the fixtures below, for a proof that is a program of its own."""
    postgres = PostgresForTests()
    try:
        postgres.start()
        name = postgres.clone()
        url = postgres.url(name, user=APP_ROLE)
        with (
            tempfile.TemporaryDirectory(prefix="returns-api-proof-") as folder,
            live_server(live_settings(url, Path(folder))) as running,
        ):
            made = run_apart(build_world(running.settings, postgres.url(name)))
            yield Living(running, made, postgres.url(name))
    finally:
        postgres.stop()


@dataclass(frozen=True, slots=True)
class Seeded:
    """A world at rest. A copy of its ``database`` and of its ``folder`` is that world anew."""

    database: str
    folder: Path
    world: World


def seed(postgres: PostgresForTests, folder: Path) -> Seeded:
    """Make a world and leave it alone."""
    name = postgres.clone()
    with live_server(live_settings(postgres.url(name, user=APP_ROLE), folder)) as running:
        made = run_apart(build_world(running.settings, postgres.url(name)))
    return Seeded(name, folder, made)


@pytest.fixture(scope="module")
def server(
    app_database_url: str, seeded: Seeded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """The whole application on a real socket, on the module's database, in which the world is."""
    folder = shutil.copytree(seeded.folder, tmp_path_factory.mktemp("data"), dirs_exist_ok=True)
    with live_server(live_settings(app_database_url, folder)) as running:
        yield running


@pytest.fixture(scope="module")
def world(seeded: Seeded) -> World:
    """Two shops with everything in them, in the module's own database."""
    return deepcopy(seeded.world)
