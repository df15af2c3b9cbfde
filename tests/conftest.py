"""Fixtures that every storey's tests may use: real PostgreSQL, built by the migrations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres import APP_ROLE, PostgresForTests

# A busy machine is no fault of what is tested: neither an example's time nor that of making one.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """This test process's own PostgreSQL server."""
    server = PostgresForTests()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def database(postgres: PostgresForTests) -> Iterator[str]:
    """The name of a database with the newest schema, fresh for this test module."""
    name = postgres.clone()
    yield name
    postgres.drop(name)


@pytest.fixture(scope="module")
def database_url(postgres: PostgresForTests, database: str) -> str:
    """The module's database as its owner, whom row-level security does not bind (superuser)."""
    return postgres.url(database)


@pytest.fixture(scope="module")
def app_database_url(postgres: PostgresForTests, database: str) -> str:
    """The module's database as the service's own role, which row-level security binds."""
    return postgres.url(database, user=APP_ROLE)


@pytest.fixture
def fresh_database_url(postgres: PostgresForTests) -> Iterator[str]:
    """A database with the newest schema for one test alone, as its owner."""
    name = postgres.clone()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def empty_database_url(postgres: PostgresForTests) -> Iterator[str]:
    """A database without a schema for one test alone, as its owner."""
    name = postgres.empty()
    yield postgres.url(name)
    postgres.drop(name)
