"""Transfers as pure plans: what each outcome of a try means, and when to ask again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.errors import ActionNotAllowed
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import HOLDING, TRANSFER
from returns_api.domain.refunds import (
    ASK_AGAIN,
    ASK_PENDING,
    MAX_SENDS,
    SEND_AGAIN,
    TransferChange,
    TransferRecord,
    after_absence,
    after_cancel,
    after_fact,
    after_refused_connection,
    after_silence,
    give_up,
    next_try,
    still_waiting,
)
from tests.support.money_rows import DAY, NOW, transfer


@pytest.mark.parametrize(
    ("before", "status", "state", "reserved", "refunded"),
    [
        ("sending", "succeeded", "succeeded", -100, 100),
        ("unknown", "succeeded", "succeeded", -100, 100),
        ("needs_review", "succeeded", "succeeded", -100, 100),
        ("queued", "succeeded", "succeeded", -100, 100),
        ("sending", "pending", "pending", 0, 0),
        ("pending", "requires_action", "requires_action", 0, 0),
        ("pending", "succeeded", "succeeded", -100, 100),
        ("sending", "failed", "failed", -100, 0),
        ("pending", "canceled", "canceled", -100, 0),
        ("succeeded", "failed", "failed", 0, -100),
        ("succeeded", "canceled", "canceled", 0, -100),
    ],
)
def test_evidence_moves_the_money(
    before: str, status: str, state: str, reserved: int, refunded: int
) -> None:
    change = after_fact(transfer(before), status, NOW, "card_gone")
    assert change is not None
    assert (change.state, change.reserved_delta, change.refunded_delta) == (
        state,
        reserved,
        refunded,
    )
    waiting = state in {"pending", "requires_action"}
    assert change.due_at == (NOW + ASK_PENDING if waiting else None)
    assert change.failure_code == "card_gone"


@pytest.mark.parametrize(
    "status", ["succeeded", "pending", "requires_action", "failed", "canceled"]
)
def test_what_ended_stays_ended(status: str) -> None:
    for state in TRANSFER.terminal:
        assert after_fact(transfer(state), status, NOW) is None
    if status in {"succeeded", "pending", "requires_action"}:
        assert after_fact(transfer("succeeded"), status, NOW) is None


def test_an_unknown_outcome_is_asked_about_by_the_schedule_of_the_promise() -> None:
    """1m, 5m, 15m, 1h, 6h, 24h, then daily x 7, then a person; the money stays reserved (S8)."""
    now, waits, heard, state, lookups = NOW, [], [], "sending", 0
    while state != "needs_review":
        change = after_silence(transfer(state, lookups=lookups), now)
        assert change.reserved_delta == change.refunded_delta == 0
        state, lookups = change.state, change.lookups
        if change.unsettled:
            heard.append(now - NOW)
        if change.due_at is not None:
            waits.append(change.due_at - now)
            now = change.due_at
    minutes = [wait.total_seconds() / 60 for wait in waits]
    assert minutes == [1, 5, 15, 60, 360, 1440, *[1440] * 7]
    assert len(ASK_AGAIN) == 13
    # Once, at the first look-up after the quarter of an hour in which it should have settled (S12).
    assert heard == [timedelta(minutes=21)]


def test_an_outage_never_fails_a_refund() -> None:
    first = after_refused_connection(transfer("sending", attempt=1), NOW, None)
    assert (first.state, first.due_at) == ("queued", NOW + SEND_AGAIN[0])
    later = after_refused_connection(transfer("sending", attempt=400), NOW, None)
    assert (later.state, later.due_at) == ("queued", NOW + SEND_AGAIN[-1])
    told = after_refused_connection(transfer("sending", attempt=1), NOW, 120.0)
    assert told.due_at == NOW + timedelta(seconds=120)
    endless = after_refused_connection(transfer("sending"), NOW, 1e9)
    assert endless.due_at == NOW + DAY
    over = after_refused_connection(transfer("sending", attempt=MAX_SENDS), NOW, None)
    assert (over.state, over.due_at, over.reserved_delta) == ("needs_review", None, 0)


def test_what_is_certainly_not_there_is_sent_as_if_for_the_first_time() -> None:
    change = after_absence(transfer("unknown", first_sent_at=NOW), NOW)
    assert (change.state, change.due_at, change.unsent) == ("queued", NOW, True)
    assert not after_silence(transfer("sending"), NOW).unsent


def test_a_pending_one_waits_on() -> None:
    change = still_waiting(transfer("pending"), NOW)
    assert (change.state, change.due_at) == ("pending", NOW + ASK_PENDING)


def test_giving_up_keeps_the_money_reserved() -> None:
    for state in ("queued", "sending", "unknown", "pending", "requires_action"):
        change = give_up(transfer(state), "why")
        assert (change.state, change.reserved_delta, change.due_at) == ("needs_review", 0, None)


def test_only_finance_gives_up_what_was_not_sent() -> None:
    for state in ("queued", "needs_review", "on_hold"):
        change = after_cancel(transfer(state), Actor.FINANCE)
        assert (change.state, change.reserved_delta) == ("canceled", -100)
        with pytest.raises(ActionNotAllowed):
            after_cancel(transfer(state), Actor.AGENT)
    with pytest.raises(ActionNotAllowed):
        after_cancel(transfer("unknown"), Actor.FINANCE)


@pytest.mark.parametrize(
    ("state", "sent_ago", "window", "can_look_up", "expected"),
    [
        ("queued", None, DAY, True, "send"),
        ("queued", None, None, False, "send"),
        ("queued", timedelta(hours=1), DAY, True, "send"),  # same key, surely still known
        ("sending", timedelta(hours=19), DAY, True, "send"),
        ("sending", timedelta(hours=20), DAY, True, "look_up"),  # the key may be forgotten
        ("queued", timedelta(seconds=1), None, True, "look_up"),  # a provider without keys
        ("queued", timedelta(seconds=1), None, False, "give_up"),
        ("sending", timedelta(hours=20), DAY, False, "give_up"),
        ("unknown", timedelta(seconds=1), DAY, True, "look_up"),
        ("unknown", timedelta(seconds=1), DAY, False, "send"),
        ("unknown", timedelta(hours=20), DAY, False, "give_up"),
        ("pending", timedelta(days=9), DAY, True, "look_up"),
        ("pending", timedelta(days=9), DAY, False, "wait"),
    ],
)
def test_nothing_is_ever_sent_where_it_could_act_twice(
    state: str,
    sent_ago: timedelta | None,
    window: timedelta | None,
    can_look_up: bool,
    expected: str,
) -> None:
    found = next_try(
        transfer(state, first_sent_at=None if sent_ago is None else NOW - sent_ago),
        NOW,
        idempotency_window=window,
        can_look_up=can_look_up,
    )
    assert found == expected


Outcome = st.sampled_from(
    [
        "silence",
        "refused",
        "absent",
        "succeeded",
        "pending",
        "requires_action",
        "failed",
        "canceled",
    ]
)


@given(st.lists(Outcome, max_size=40))
def test_the_payments_counters_follow_the_state_whatever_happens(outcomes: list[str]) -> None:
    """After any row of outcomes, reserved and refunded are what the state says."""
    now, move = NOW, transfer("sending", first_sent_at=NOW)
    reserved, refunded = 100, 0
    for outcome in outcomes:
        change = _change(move, outcome, now)
        if change is not None:
            reserved += change.reserved_delta
            refunded += change.refunded_delta
            move = transfer(
                change.state,
                first_sent_at=None if change.unsent else move.first_sent_at,
                lookups=change.lookups,
                attempt=move.attempt + 1,
            )
        assert reserved == (100 if move.state in HOLDING else 0)
        assert refunded == (100 if move.state == "succeeded" else 0)


def _change(move: TransferRecord, outcome: str, now: datetime) -> TransferChange | None:
    undecided = move.state in {"queued", "sending", "unknown"}
    if outcome == "silence":
        return after_silence(move, now) if undecided else None
    if outcome == "refused":
        return after_refused_connection(move, now, None) if undecided else None
    if outcome == "absent":
        return after_absence(move, now) if undecided else None
    return after_fact(move, outcome, now)
