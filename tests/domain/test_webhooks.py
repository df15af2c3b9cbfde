"""The message, the ten tries over some 76 hours, and when an address is given up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain import ids
from returns_api.domain.webhooks import (
    FAILING_TOO_LONG,
    MAX_TRIES,
    MESSAGE_MAX_BYTES,
    TOPIC,
    WAITS,
    Heard,
    judge,
    message,
    resource_id,
    wait_after,
)

NOW = datetime(2026, 11, 21, 9, 12, 44, 120_000, tzinfo=UTC)
SHOP, EVENT, REFUND = (UUID(int=n) for n in (1, 2, 3))


def event(**changes: Any) -> dict[str, Any]:
    return {
        "type": "refund.succeeded",
        "id": EVENT,
        "at": NOW,
        "resource_type": "refund",
        "resource_id": REFUND,
        "sequence": 5,
        "data": {"refund": ids.encode("ref", REFUND), "amount": 8410, "currency": "EUR"},
        **changes,
    }


def test_a_message_has_the_documented_members_in_their_order() -> None:
    body = json.loads(message(SHOP, event()))
    assert body == {
        "type": "refund.succeeded",
        "id": ids.encode("evt", EVENT),
        "at": "2026-11-21T09:12:44.120000Z",
        "shop": ids.encode("shp", SHOP),
        "resource": ids.encode("ref", REFUND),
        "sequence": 5,
        "data": {"refund": ids.encode("ref", REFUND), "amount": 8410, "currency": "EUR"},
    }
    assert list(body) == ["type", "id", "at", "shop", "resource", "sequence", "data"]


def test_who_acted_and_why_are_not_sent() -> None:
    told = message(SHOP, event(reason="Ada says", actor="agent", actor_id=UUID(int=9)))
    assert told == message(SHOP, event())


@given(st.integers(0, 40_000))
def test_a_message_never_exceeds_its_limit(size: int) -> None:
    body = message(SHOP, event(data={"note": "é" * size}))
    assert len(body) <= MESSAGE_MAX_BYTES
    assert json.loads(body)["data"] in ({"note": "é" * size}, {"omitted": True})


def test_a_kind_of_resource_without_a_prefix_still_has_an_id() -> None:
    assert resource_id("novelty", REFUND).startswith("novelty_")


def test_ten_tries_take_some_76_hours() -> None:
    assert MAX_TRIES == 10
    assert sum(WAITS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@given(st.text(max_size=20), st.integers(1, MAX_TRIES - 1))
def test_waits_keep_to_the_schedule_within_a_tenth(seed: str, tries: int) -> None:
    wait = wait_after(tries, seed)
    assert wait is not None
    assert WAITS[tries - 1] * 0.9 <= wait <= WAITS[tries - 1] * 1.1
    assert wait == wait_after(tries, seed)


def test_jitter_spreads_deliveries() -> None:
    assert len({wait_after(4, f"delivery-{n}") for n in range(200)}) > 100


def test_the_tenth_failure_is_the_last() -> None:
    assert wait_after(MAX_TRIES, "x") is None
    verdict = judge(Heard(500), tries=MAX_TRIES, seed="x", failing_since=None, now=NOW)
    assert (verdict.state, verdict.due_at, verdict.disable) == ("dead", None, None)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_success_and_clears_the_failure(status: int) -> None:
    verdict = judge(Heard(status), tries=3, seed="x", failing_since=NOW, now=NOW)
    assert (verdict.state, verdict.due_at, verdict.failing_since) == ("succeeded", None, None)


@pytest.mark.parametrize("heard", [Heard(None, error="timeout"), *map(Heard, (301, 302, 404, 503))])
def test_everything_else_is_tried_again(heard: Heard) -> None:
    verdict = judge(heard, tries=1, seed="x", failing_since=None, now=NOW)
    wait = wait_after(1, "x")
    assert wait is not None
    assert (verdict.state, verdict.due_at, verdict.failing_since) == ("queued", NOW + wait, NOW)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (3_600.0, timedelta(hours=1)),
        (10.0**9, timedelta(hours=24)),
        (86_400.0, timedelta(hours=24)),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(asked: float, waited: timedelta) -> None:
    verdict = judge(Heard(429, asked), tries=1, seed="x", failing_since=None, now=NOW)
    assert verdict.due_at == NOW + waited


def test_retry_after_never_hurries_the_schedule() -> None:
    plain = judge(Heard(503), tries=5, seed="x", failing_since=None, now=NOW)
    assert judge(Heard(503, 1.0), tries=5, seed="x", failing_since=None, now=NOW) == plain


def test_410_gives_the_endpoint_up() -> None:
    verdict = judge(Heard(410), tries=1, seed="x", failing_since=None, now=NOW)
    assert (verdict.state, verdict.disable) == ("dead", "gone")


def test_five_days_without_one_success_give_the_endpoint_up() -> None:
    since = NOW - FAILING_TOO_LONG
    verdict = judge(Heard(500), tries=1, seed="x", failing_since=since, now=NOW)
    assert (verdict.state, verdict.disable, verdict.failing_since) == ("dead", "failing", since)
    a_moment_less = since + timedelta(microseconds=1)
    verdict = judge(Heard(500), tries=1, seed="x", failing_since=a_moment_less, now=NOW)
    assert (verdict.state, verdict.disable) == ("queued", None)


@pytest.mark.parametrize("topic", ["*", "refund.*", "refund.succeeded", "a_b.c_d"])
def test_topics(topic: str) -> None:
    assert TOPIC.fullmatch(topic)


@pytest.mark.parametrize("topic", ["", "**", "refund", "*.refund", "R.x", "a.b.c", "refund.*\n"])
def test_not_topics(topic: str) -> None:
    assert not TOPIC.fullmatch(topic)
