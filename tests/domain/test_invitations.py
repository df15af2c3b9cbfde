"""When a buyer is asked how it was, by cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from returns_api.domain.invitations import TOO_LATE, Outcome, Verdict, decide

DUE = datetime(2026, 11, 22, 9, tzinfo=UTC)
YES: dict[str, Any] = {"wanted": True, "good": True, "case_open": False}
GOOD = Outcome("completed", "refund", 9000, 9000, False, False, False, False)


@pytest.mark.parametrize(
    ("but", "late", "verdict"),
    [
        ({}, timedelta(0), Verdict.INVITE),
        ({}, TOO_LATE, Verdict.INVITE),
        ({}, TOO_LATE + timedelta(seconds=1), Verdict.DROP),
        ({"case_open": True}, timedelta(0), Verdict.WAIT),
        ({"case_open": True}, TOO_LATE, Verdict.WAIT),
        ({"case_open": True}, TOO_LATE + timedelta(seconds=1), Verdict.DROP),
        ({"wanted": False, "case_open": True}, timedelta(0), Verdict.DROP),
        ({"good": False}, timedelta(0), Verdict.DROP),
    ],
)
def test_a_moment_that_came(but: dict[str, bool], late: timedelta, verdict: Verdict) -> None:
    assert decide(DUE, DUE + late, **(YES | but)) is verdict


@pytest.mark.parametrize(
    ("but", "good"),
    [
        ({}, True),
        ({"refunded_minor": 8999}, False),
        ({"refunded_minor": 0, "resolution": "exchange"}, True),
        ({"state": "rejected"}, False),
        ({"state": "refunding"}, False),
        *(({name: True}, False) for name in ("refused", "disputed", "late", "displeased")),
    ],
)
def test_a_good_outcome(but: dict[str, Any], good: bool) -> None:
    assert replace(GOOD, **but).is_good is good
