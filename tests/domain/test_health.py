"""The circuit breaker and its pauses, over any history of answers and silences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.health import (
    FAILURES_TO_PAUSE,
    PAUSES,
    SPREAD,
    Health,
    after_failure,
    come_back,
)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def failed(times: int) -> Health:
    health = Health()
    for _ in range(times):
        health = after_failure(health, NOW, probe=False)
    return health


def test_an_account_is_paused_after_five_failures_in_a_row_and_not_before() -> None:
    assert failed(FAILURES_TO_PAUSE - 1) == Health(FAILURES_TO_PAUSE - 1)
    assert failed(FAILURES_TO_PAUSE) == Health(FAILURES_TO_PAUSE, NOW, NOW + PAUSES[0])


def test_what_was_begun_before_the_pause_does_not_make_it_longer() -> None:
    assert failed(FAILURES_TO_PAUSE + 20).paused_until == NOW + PAUSES[0]


def test_each_probe_that_fails_makes_the_pause_longer_up_to_half_a_minute() -> None:
    health, now, waits = failed(FAILURES_TO_PAUSE), NOW, []
    for _ in range(40):
        assert health.paused_until is not None
        now = health.paused_until
        assert health.half_open(now)
        health = after_failure(health, now, probe=True)
        assert health.paused_until is not None
        waits.append(health.paused_until - now)
    assert waits == sorted(waits)
    assert waits[-1] == PAUSES[-1] == timedelta(seconds=30)
    assert health.paused_since == NOW


@given(st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=60), st.floats(0, 1))
def test_whoever_waits_comes_back_after_the_pause_and_within_two_minutes(
    steps: list[tuple[int, bool]], share: float
) -> None:
    """So that almost all is done within five minutes of the provider's return."""
    health, now = Health(), NOW
    for seconds, probe in steps:
        now += timedelta(seconds=seconds)
        health = after_failure(health, now, probe=probe)
        if health.paused(now):
            assert health.paused_until is not None
            back = come_back(health, now, share)
            assert health.paused_until <= back <= health.paused_until + SPREAD[1]
            assert back - now <= PAUSES[-1] + SPREAD[1]
        assert (health.paused_since is None) == (health.paused_until is None)
        assert (health.failures >= FAILURES_TO_PAUSE) == (health.paused_since is not None)
