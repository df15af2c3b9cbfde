"""What lists and other returns make of a quote as it is opened: a person looks, nothing more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from returns_api.domain.policy.signals import BLOCK_LIST
from returns_api.domain.reviewing import heed, opened_late
from returns_api.domain.terms import AdvanceTerms, ReturnTerms, ReviewTerms
from tests.domain.policy.support import facts, policy

REVIEW = ReviewTerms(within_seconds=900, room=2, then=("many-returns",))
AUTO = ReturnTerms(
    approval_auto=True,
    respond_within_seconds=None,
    on_silence=None,
    ship_within_seconds=None,
    inspect_within_seconds=None,
    refund_within_seconds=None,
    refund_at="inspection",
    freight_payer="buyer",
    freight_fee_minor=490,
    refund_original_shipping=False,
    lines={},
    advance=AdvanceTerms("request", 1, 1, 1),
    review=REVIEW,
)


@pytest.mark.parametrize(
    ("listed", "since", "signals"),
    [
        (None, 0, []),
        (None, 1, []),
        (None, 2, ["many-returns"]),
        ("block", 0, [BLOCK_LIST]),
        ("block", 3, [BLOCK_LIST, "many-returns"]),
        ("allow", 3, []),
    ],
)
def test_a_quote_is_opened_by_what_holds_by_now(
    listed: str | None, since: int, signals: list[str]
) -> None:
    opened = heed(AUTO, listed, since)
    if not signals:
        assert opened is AUTO
        return
    assert opened.review is not None
    assert [each["signal"] for each in opened.review.signals] == signals
    told = (opened.approval_auto, opened.respond_within_seconds, opened.on_silence)
    assert told == (False, 900, "approve")
    assert opened.advance is None
    assert ReturnTerms.from_json(opened.to_json()) == opened
    usual = replace(opened, approval_auto=True, respond_within_seconds=None, on_silence=None)
    assert replace(usual, advance=AUTO.advance, review=REVIEW) == AUTO


def test_old_quotes_laws_and_what_is_known_already() -> None:
    old = heed(replace(AUTO, review=None), "block", 9)
    assert (old.approval_auto, old.respond_within_seconds) == (False, 3 * 86_400)
    law = heed(replace(AUTO, review=replace(REVIEW, within_seconds=None)), "block", 0)
    assert (law.approval_auto, law.advance) == (True, None), "no law gives money early"
    again = heed(heed(AUTO, "block", 0), "block", 0)
    assert again == heed(AUTO, "block", 0)
    own = replace(AUTO, approval_auto=False, respond_within_seconds=60, on_silence="reject")
    assert heed(own, "block", 0).respond_within_seconds == 60


@pytest.mark.parametrize(
    ("days", "more", "late"),
    [
        (0, {}, False),
        (19, {}, False),
        (21, {}, True),
        (30, {}, True),
        (21, {"reason": "defective"}, False),
        (21, {"tags": frozenset({"open"})}, False),
    ],
)
def test_late_is_the_last_third_of_a_window_for_the_buyers_own_reasons(
    days: int, more: dict[str, Any], late: bool
) -> None:
    shop = policy("  - {id: o, when: {tags: open}, resolutions: {refund: unlimited}}\n")
    case = facts(**more)
    assert case.delivered_at is not None
    asked = case.delivered_at + timedelta(days=days)
    assert opened_late(shop.decide(replace(case, asked_at=asked)), "refund") is late
