"""A sliding minute: never more than the limit in any sixty seconds by much, and honest waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.limits import Count, caller_of, elapsed_ms, window_of


def test_a_quiet_minute_before_leaves_the_whole_limit() -> None:
    assert Count(0, 0, 0).room(5) == 5
    assert Count(0, 0, 59_999).room(5) == 5


@pytest.mark.parametrize(
    ("elapsed", "room"), [(0, 0), (11_999, 0), (12_000, 1), (30_000, 2), (59_999, 4)]
)
def test_the_minute_before_fades(elapsed: int, room: int) -> None:
    assert Count(5, 0, elapsed).room(5) == room


counts = st.builds(Count, st.integers(0, 300), st.integers(0, 300), st.integers(0, 59_999))


@given(counts, st.integers(1, 200))
def test_after_the_wait_one_more_try_fits_and_a_second_before_it_did_not(
    count: Count, limit: int
) -> None:
    if count.now < count.room(limit):
        return
    count = Count(min(count.before, limit), min(count.now, limit), count.elapsed_ms)
    if count.now < count.room(limit):
        return
    wait = count.retry_after(limit)
    assert 1 <= wait <= 120
    assert fits(count, limit, wait * 1000)
    assert wait == 1 or not fits(count, limit, (wait - 1) * 1000)


def fits(count: Count, limit: int, later_ms: int) -> bool:
    """The same counters ``later_ms`` on, when nobody tried meanwhile."""
    at = count.elapsed_ms + later_ms
    if at >= 120_000:
        return True
    then = Count(count.before, count.now, at) if at < 60_000 else Count(count.now, 0, at - 60_000)
    return then.now < then.room(limit)


def test_windows_begin_with_the_minute() -> None:
    now = datetime(2026, 11, 21, 9, 12, 44, 123_456, tzinfo=UTC)
    assert window_of(now) == datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
    assert elapsed_ms(now) == 44_123


@pytest.mark.parametrize(
    ("host", "caller"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_one_caller(host: str | None, caller: str) -> None:
    assert caller_of(host) == caller
