"""Fixtures of stories: for each test a database of its own, and the real bank and carrier.

When the test is over, whatever it told must have kept every invariant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest

from returns_api.usecases.audits import audit_shop
from returns_api.usecases.context import Context
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.context import Clock, a_context
from tests.support.invariants import breaches
from tests.support.postgres import APP_ROLE, TEMPLATE, PostgresForTests, run_apart
from tests.support.simulator import until_one_hangs
from tests.support.story import POLICY, Story, a_story


@pytest.fixture(scope="session")
def bank_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with Bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture(scope="session")
def carrier_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    with Carrier(tmp_path_factory.mktemp("carrier")) as carrier:
        yield carrier


@pytest.fixture
async def bank(bank_process: Bank) -> Bank:
    """An empty bank without faults."""
    await bank_process.reset()
    return bank_process


@pytest.fixture
async def carrier(carrier_process: Carrier) -> Carrier:
    """An empty carrier without faults."""
    await carrier_process.reset()
    return carrier_process


@pytest.fixture
def story_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def begun_shops() -> dict[tuple[str, ...], tuple[str, UUID]]:
    """Databases with a shop in which nothing happened yet, by what the shop was begun with."""
    return {}


@pytest.fixture
def story_shop(
    postgres: PostgresForTests,
    begun_shops: dict[tuple[str, ...], tuple[str, UUID]],
    bank: Bank,
    carrier: Carrier,
    story_policy: str,
) -> tuple[str, UUID]:
    """A database to copy, and the shop in it: begun once, since that takes as long as a story."""
    key = (story_policy, bank.base_url, carrier.base_url)
    if key not in begun_shops:
        name = postgres.clone()
        begun = _begun(postgres.url(name, user=APP_ROLE), bank, carrier, story_policy)
        begun_shops[key] = name, run_apart(begun)
    return begun_shops[key]


async def _begun(url: str, bank: Bank, carrier: Carrier, policy: str) -> UUID:
    clock = Clock()
    async with a_context(url, clock) as context:
        return (await a_story(context, clock, bank, carrier, policy)).shop


@pytest.fixture
def story_database(postgres: PostgresForTests, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database for one test alone, with a shop in it where a story is asked for."""
    asked = "story" in request.fixturenames
    name = postgres.clone(request.getfixturevalue("story_shop")[0] if asked else TEMPLATE)
    yield name
    postgres.drop(name)


@pytest.fixture
async def story_ctx(
    postgres: PostgresForTests,
    story_database: str,
    story_clock: Clock,
) -> AsyncIterator[Context]:
    url = postgres.url(story_database, user=APP_ROLE)
    async with a_context(url, story_clock, measure=until_one_hangs) as context:
        yield context


@pytest.fixture
def story_policy() -> str:
    """What the shop of a story publishes first."""
    return POLICY


@pytest.fixture
async def story(
    postgres: PostgresForTests,
    story_database: str,
    story_ctx: Context,
    story_clock: Clock,
    bank: Bank,
    carrier: Carrier,
    story_shop: tuple[str, UUID],
) -> AsyncIterator[Story]:
    told = Story(story_ctx, story_clock, story_shop[1], bank, carrier)
    yield told
    broken = await breaches(postgres.url(story_database), bank)
    assert broken == [], broken
    audited = await audit_shop(story_ctx, told.shop)
    assert audited.tally.findings == [], audited.tally.findings


__all__ = [
    "bank",
    "bank_process",
    "begun_shops",
    "carrier",
    "carrier_process",
    "story",
    "story_clock",
    "story_ctx",
    "story_database",
    "story_policy",
    "story_shop",
]
