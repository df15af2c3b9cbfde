"""Fixtures of the live server and its two shops; a conftest imports those that its tests need."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.live import LiveServer, live_server, live_settings
from tests.support.postgres import APP_ROLE, PostgresForTests, run_apart
from tests.support.world import World, build_world


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


@pytest.fixture(scope="module")
def server(app_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The whole application on a real socket, on the module's database."""
    settings = live_settings(app_database_url, tmp_path_factory.mktemp("data"))
    with live_server(settings) as running:
        yield running


@pytest.fixture(scope="module")
def world(server: LiveServer, database_url: str) -> World:
    """Two shops with everything in them behind ``server``."""
    return run_apart(build_world(server.settings, database_url))
