"""Fixtures of stories: for each test a database of its own, and the real bank and carrier.

When the test is over, whatever it told must have kept every invariant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from returns_api.usecases.audits import audit_shop
from returns_api.usecases.context import Context
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.context import Clock, a_context
from tests.support.invariants import breaches
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story, a_story

DEADLINE = 0.6
"""Seconds after which a call to bank or carrier is given up here."""


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


@pytest.fixture
def story_database(postgres: PostgresForTests) -> Iterator[str]:
    """The name of a database for one test alone."""
    name = postgres.clone()
    yield name
    postgres.drop(name)


@pytest.fixture
async def story_ctx(
    postgres: PostgresForTests, story_database: str, story_clock: Clock
) -> AsyncIterator[Context]:
    url = postgres.url(story_database, user=APP_ROLE)
    async with a_context(url, story_clock, deadline_seconds=DEADLINE) as context:
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
    story_policy: str,
) -> AsyncIterator[Story]:
    told = await a_story(story_ctx, story_clock, bank, carrier, story_policy)
    yield told
    broken = await breaches(postgres.url(story_database), bank)
    assert broken == [], broken
    audited = await audit_shop(story_ctx, told.shop)
    assert audited.tally.findings == [], audited.tally.findings


__all__ = [
    "bank",
    "bank_process",
    "carrier",
    "carrier_process",
    "story",
    "story_clock",
    "story_ctx",
    "story_database",
    "story_policy",
]
