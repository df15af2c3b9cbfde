"""Fixtures that every storey's tests may use: real PostgreSQL, built by the migrations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres import APP_ROLE, TEMPLATE, PostgresForTests

if TYPE_CHECKING:
    from tests.support.living import Seeded

# A busy machine is no fault of what is tested: neither an example's time nor that of making one.
# The same examples each time, so that who changes something sees what the change does;
# ``--hypothesis-profile=new`` looks for others.
settings.register_profile("new", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("house", settings.get_profile("new"), derandomize=True, database=None)
settings.load_profile("house")


LONG: Final = (
    "api/test_schemathesis.py",
    "cli/test_up.py",
    "api/test_tenants.py",
    "api/test_fuzz.py",
    "domain/test_allocation_orders.py",
    "usecases/test_inbox_crashes.py",
    "usecases/test_model.py",
)
"""Files of few tests that take long, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, then those of many tests, so that processes that share them end together.

    xdist would begin with the files of most tests; ``script/test`` has it keep this order.
    """
    long = {name: place for place, name in enumerate(LONG)}
    tests = Counter(item.path for item in items)
    items.sort(
        key=lambda item: (long.get("/".join(item.path.parts[-2:]), len(long)), -tests[item.path])
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """This test process's own PostgreSQL server."""
    server = PostgresForTests()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def seeded(postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """A world to copy, made once in each test process: seeding takes seconds, a copy takes none."""
    from tests.support.living import seed  # noqa: PLC0415 - the whole service, for few tests

    return seed(postgres, tmp_path_factory.mktemp("world"))


def _asks_for_world(request: pytest.FixtureRequest) -> bool:
    mine = (item for item in request.session.items if item.path == request.path)
    return any("seeded" in getattr(item, "fixturenames", ()) for item in mine)


@pytest.fixture(scope="module")
def database(postgres: PostgresForTests, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database with the newest schema, fresh for this test module; with two shops in
    it where a test of the module asks for their ``world``."""
    asked = _asks_for_world(request)
    name = postgres.clone(request.getfixturevalue("seeded").database if asked else TEMPLATE)
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
