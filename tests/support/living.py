"""Fixtures of the live server and its two shops; a conftest imports those that its tests need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.live import LiveServer, live_server, live_settings
from tests.support.postgres import run_apart
from tests.support.world import World, build_world


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
