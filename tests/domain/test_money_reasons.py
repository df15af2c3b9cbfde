"""What the rules of money say when they refuse, and the small words that others rely on.

A refusal is read by people and programs: its sentence, its field and its figures are part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from returns_api.domain import money, refunds
from returns_api.domain.allocation import certify
from returns_api.domain.credit_notes import plan_note
from returns_api.domain.errors import DoesNotFit, Invalid, NothingLeftToRefund, ReturnsError
from returns_api.domain.lifecycle.refunds import REFUND_STATES, is_settled, refund_state
from returns_api.domain.refundable import overdrawn, require_refundable
from returns_api.domain.refunds import ASK_AGAIN, MAX_SENDS, REMIND
from returns_api.domain.settlement import (
    Claim,
    FreightPayer,
    PartKind,
    QuotedFees,
    Terms,
    plan_settlement,
)
from tests.domain.test_allocation_orders import line, order, shipping
from tests.support.money_rows import NOW, payment, transfer
from tests.support.settlements import JACKET

PPM_HALF = 500_000
REFUSALS: list[tuple[Callable[[], object], type[ReturnsError], str, list[dict[str, str]]]] = [
    (
        lambda: money.to_minor("1.001", "EUR"),
        Invalid,
        "The amount has more digits than its currency.",
        [{"field": "amount", "message": "The amount has more digits than its currency."}],
    ),
    (
        lambda: money.to_minor("one", "EUR"),
        Invalid,
        "The amount is not a plain decimal number.",
        [{"field": "amount", "message": "The amount is not a plain decimal number."}],
    ),
    (
        lambda: money.to_minor("99999999999999999999", "EUR"),
        Invalid,
        "The amount is too large.",
        [{"field": "amount", "message": "The amount is too large."}],
    ),
    (
        lambda: money.exponent("XXX"),
        Invalid,
        "The currency is not an ISO 4217 currency with a minor unit.",
        [
            {
                "field": "currency",
                "message": "The currency is not an ISO 4217 currency with a minor unit.",
            }
        ],
    ),
    (
        lambda: refunds.require_one_currency([]),
        DoesNotFit,
        "Nothing was captured for this order.",
        [{"field": "order"}],
    ),
    (
        lambda: refunds.require_one_currency([payment(1, 5), payment(2, 5, currency="USD")]),
        DoesNotFit,
        "The order was paid in several currencies.",
        [{"field": "order", "problem": "The order was paid in several currencies."}],
    ),
    (
        lambda: require_refundable(0, 5),
        Invalid,
        "A refund must be above zero.",
        [{"field": "amount", "message": "A refund must be above zero."}],
    ),
    (
        lambda: plan_settlement(JACKET, [Claim("a", 1), Claim("a", 1)], Terms(), []),
        Invalid,
        "A unit is claimed twice, or there are too many units.",
        [
            {
                "field": "claims",
                "message": "A unit is claimed twice, or there are too many units.",
            }
        ],
    ),
    (
        lambda: plan_settlement(JACKET, [Claim("shipping", 1)], Terms(), []),
        Invalid,
        "Shipping is refunded by the terms, not as a unit.",
        [{"field": "line", "message": "Shipping is refunded by the terms, not as a unit."}],
    ),
    (
        lambda: plan_settlement(JACKET, [Claim("a", 3)], Terms(), []),
        Invalid,
        "Line a has no unit 3 to return.",
        [{"field": "unit", "message": "Line a has no unit 3 to return."}],
    ),
    (
        lambda: plan_settlement(JACKET, [Claim("a", 1)], Terms(restocking_ppm=-1), []),
        Invalid,
        "A rate or fee is out of bounds.",
        [{"field": "terms", "message": "A rate or fee is out of bounds."}],
    ),
    (
        lambda: JACKET.unit("a", 9),
        Invalid,
        "",
        [{"field": "unit"}],
    ),
]


@pytest.mark.parametrize(("refused", "kind", "sentence", "errors"), REFUSALS)
def test_a_refusal_says_what_and_where(
    refused: Callable[[], object],
    kind: type[ReturnsError],
    sentence: str,
    errors: list[dict[str, str]],
) -> None:
    with pytest.raises(kind) as caught:
        refused()
    told: Any = caught.value.context["errors"]
    if sentence:
        assert str(caught.value) == sentence
        assert told == errors
    else:
        assert [each["field"] for each in told] == [each["field"] for each in errors]
        assert told[0]["message"] == str(caught.value)


def test_what_is_left_is_told_in_words_and_figures() -> None:
    with pytest.raises(NothingLeftToRefund, match=r"^7 is asked, 5 is left \(minor units\)\.$"):
        require_refundable(7, 5)


@pytest.mark.parametrize("text", ["0" * 16 + "." + "0" * 17, "9." + "9" * 18])
def test_long_texts_are_read_up_to_their_bound(text: str) -> None:
    assert len(text) <= money.MAX_TEXT
    assert money.to_minor_rounded(text, "EUR").minor in {0, 10_00}


def test_forty_characters_are_read_and_no_more() -> None:
    longest = "-" + "0" * 20 + "." + "0" * 18
    assert len(longest) == money.MAX_TEXT
    assert money.to_minor(longest, "EUR") == 0


@pytest.mark.parametrize(("text", "minor"), [("0.015", 2), ("0.0149", 1), ("0.0050", 1)])
def test_the_first_lost_digit_decides(text: str, minor: int) -> None:
    assert money.to_minor_rounded(text, "EUR") == money.Rounded(minor, exact=False)


@pytest.mark.parametrize("minor", [0, 1, -1])
def test_the_smallest_amounts_have_their_sign(minor: int) -> None:
    sign = "-" if minor < 0 else ""
    assert money.format_minor(minor, "EUR") == f"{sign}0.0{abs(minor)}"
    assert money.cumulative_share(minor, 1, 1) == minor


def test_reminders_follow_their_waits_and_the_last_one_repeats() -> None:
    assert [refunds.remind_in(n) for n in range(6)] == [*REMIND, REMIND[-1], REMIND[-1]]


@pytest.mark.parametrize("given_up", [False, True])
def test_what_is_settled(given_up: bool) -> None:
    settled = {state for state in REFUND_STATES if is_settled(state, given_up=given_up)}
    assert settled == {"succeeded", "canceled"} | ({"partially_succeeded"} if given_up else set())


def test_a_refund_is_not_given_up_unless_somebody_did() -> None:
    assert refund_state([("failed", 5)], 5) == "failed"
    assert refund_state([], 5) == "needs_review"


def test_every_change_without_evidence_names_its_reason() -> None:
    sending = transfer("sending", lookups=2)
    silent = refunds.after_silence(sending, NOW)
    assert (silent.state, silent.failure_code, silent.lookups) == ("unknown", "outcome_unknown", 3)
    tired = refunds.after_silence(replace(sending, lookups=len(ASK_AGAIN)), NOW)
    assert (tired.state, tired.failure_code, tired.due_at) == (
        "needs_review",
        "outcome_unknown",
        None,
    )
    away = refunds.after_refused_connection(sending, NOW, None)
    assert (away.state, away.failure_code, away.unsent) == ("queued", "provider_unavailable", False)
    over = refunds.after_refused_connection(replace(sending, attempt=MAX_SENDS), NOW, None)
    assert (over.state, over.failure_code) == ("needs_review", "provider_unavailable")
    absent = refunds.after_absence(sending, NOW)
    assert (absent.state, absent.failure_code, absent.unsent) == ("queued", None, True)
    assert refunds.still_waiting(transfer("pending"), NOW).state == "pending"


def test_what_the_provider_has_accepted_is_waited_for() -> None:
    sent = NOW - timedelta(days=3)
    for state, then in (("pending", "wait"), ("requires_action", "wait"), ("unknown", "give_up")):
        held = transfer(state, first_sent_at=sent)
        told = refunds.next_try(held, NOW, idempotency_window=None, can_look_up=False)
        assert told == then


def test_a_key_is_trusted_for_four_fifths_of_its_window() -> None:
    held = transfer("sending", first_sent_at=NOW)
    at = NOW + timedelta(hours=8)
    window = timedelta(hours=10)
    assert refunds.next_try(held, at, idempotency_window=window, can_look_up=True) == "send"


def test_disputed_money_counts_against_a_payment() -> None:
    assert overdrawn(100, 10, 20, 30, 40) == 0
    assert overdrawn(100, 10, 20, 30, 41) == 1


def test_a_note_over_a_part_says_which_kind_of_part() -> None:
    arrived = plan_note("partially_succeeded", 40, 0, 100, [], {})
    came_back = plan_note("failed", 0, 40, 100, [], {})
    assert arrived is not None
    assert came_back is not None
    assert (arrived.kind, arrived.lines[0]["kind"], arrived.amount_minor) == (
        "credit_note",
        "part_payment",
        40,
    )
    assert (came_back.kind, came_back.lines[0]["kind"]) == ("cancellation", "reversal")
    assert arrived.lines[0]["quantity"] == 1


def test_equal_amounts_of_two_lines_stay_two_lines() -> None:
    parts = [{"kind": "goods", "line": name, "amount": 50} for name in ("a", "b")]
    note = plan_note("succeeded", 100, 0, 100, parts, {"a": "One", "b": "Two"})
    assert note is not None
    assert note.kind == "credit_note"
    assert [each["title"] for each in note.lines] == ["One", "Two"]


def test_deductions_name_their_unit_their_rule_and_what_was_asked() -> None:
    rules = {PartKind.GRADE_DEDUCTION: "house", PartKind.RESTOCKING_FEE: "light"}
    quoted = QuotedFees(restocking_minor=10, restocking_ppm=100_000, deduction_ppm=PPM_HALF)
    terms = Terms(
        FreightPayer.MERCHANT, restocking_ppm=100_000, quoted=quoted, rules=rules,
        refund_original_shipping=True,
    )  # fmt: skip
    certificate = certify(order([line("a", 1000), shipping(490)], paid=[1490]))
    told = plan_settlement(certificate, [Claim("a", 1, 200_000, "used_worn")], terms, [])
    grade, fee = told.parts[1], told.parts[2]
    assert (grade.amount_minor, grade.because) == (-200, {"rule": "house", "grade": "used_worn"})
    assert (fee.amount_minor, fee.line, fee.unit) == (-10, "a", 1)
    assert fee.because == {"rule": "light", "asked": 100, "cut_to": 10}
    assert told.currency == certificate.currency
    (back,) = [part for part in told.parts if part.kind is PartKind.SHIPPING]
    assert back.of == certificate.unit("shipping", 1)
    assert told.fees.restocking_ppm == 100_000


def test_a_unit_that_was_made_good_elsewhere_is_shown_with_nothing() -> None:
    (part,) = plan_settlement(JACKET, [Claim("a", 2, settled_by="exc_1")], Terms(), []).parts
    assert (part.kind, part.line, part.unit, part.amount_minor) == (PartKind.GOODS, "a", 2, 0)
    assert part.because == {"settled_by": "exc_1"}
    fees = plan_settlement(JACKET, [Claim("a", 1)], Terms(), []).fees
    assert fees.restocking_ppm == 0
