"""Two books side by side: every pair of states, and what a settlement file may say."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.errors import Invalid
from returns_api.domain.lifecycle.refunds import TRANSFER
from returns_api.domain.reconciliations import (
    APPLIED,
    FRESH,
    SETTLES_WITHIN,
    Difference,
    Found,
    Ours,
    Proposal,
    Theirs,
    compare,
    fact_state,
    missing_there,
)
from returns_api.domain.statements import COLUMNS, LINES_MAX, parse_statement
from tests.support.refusals import listed

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
OLD = NOW - timedelta(days=30)
STATES = sorted(TRANSFER.states)
THEIR_STATES = ("pending", "requires_action", "succeeded", "failed", "canceled")
HEADER = ",".join(COLUMNS) + "\n"
ROW = "refund,re_1,pi_1,,500,EUR,succeeded,2026-11-20T10:00:00Z\n"


def theirs(status: str = "succeeded", amount: int = 500, currency: str = "EUR") -> Theirs:
    return Theirs("refund", "re_1", amount, currency, status, NOW)


def ours(state: str = "succeeded", at: datetime = OLD, *, fact: bool = False) -> Ours:
    return Ours(None if fact else UUID(int=1), 500, "EUR", state, at)


def side(state: str) -> str:
    if state == "succeeded":
        return "paid"
    return "dead" if state in TRANSFER.terminal else "open"


@pytest.mark.parametrize("here", STATES)
@pytest.mark.parametrize("there", THEIR_STATES)
def test_two_states_differ_exactly_when_the_money_is_on_different_sides(
    here: str, there: str
) -> None:
    found = compare(theirs(there), ours(here), NOW)
    assert bool(found) == (side(here) != side(there))
    for each in found:
        assert each.kind in {Difference.STATE, Difference.TIMING}
        if here in TRANSFER.terminal:
            assert each.proposal is Proposal.REVIEW, "what ended here stays ended"


@pytest.mark.parametrize(
    ("there", "here", "at", "expected"),
    [
        ("succeeded", "pending", NOW - FRESH, (Difference.TIMING, Proposal.TAKE_PROVIDER_STATE)),
        ("succeeded", "pending", OLD, (Difference.STATE, Proposal.TAKE_PROVIDER_STATE)),
        ("failed", "succeeded", NOW, (Difference.STATE, Proposal.TAKE_PROVIDER_STATE)),
        ("pending", "succeeded", NOW, (Difference.TIMING, Proposal.WAIT)),
        ("pending", "succeeded", OLD, (Difference.STATE, Proposal.REVIEW)),
        ("succeeded", "failed", NOW, (Difference.STATE, Proposal.REVIEW)),
    ],
)
def test_how_fresh_a_difference_is_decides_its_name(
    there: str, here: str, at: datetime, expected: tuple[Difference, Proposal]
) -> None:
    assert compare(theirs(there), ours(here, at), NOW) == (Found(*expected),)


@pytest.mark.parametrize(
    ("there", "known", "expected"),
    [
        (theirs(), None, (Difference.MISSING_HERE, Proposal.RECORD_FACT)),
        (theirs("failed"), None, None),
        (theirs(amount=499), ours(), (Difference.AMOUNT, Proposal.REVIEW)),
        (theirs(amount=499), ours(fact=True), (Difference.AMOUNT, Proposal.RECORD_FACT)),
        (theirs(currency="USD"), ours(), (Difference.CURRENCY, Proposal.REVIEW)),
        (theirs(), ours(fact=True), None),
        (theirs("canceled"), ours(fact=True), (Difference.STATE, Proposal.TAKE_PROVIDER_STATE)),
    ],
)
def test_what_is_missing_or_another_sum(
    there: Theirs, known: Ours | None, expected: tuple[Difference, Proposal] | None
) -> None:
    assert compare(there, known, NOW) == (() if expected is None else (Found(*expected),))


def test_ours_that_is_missing_there_is_given_time_to_appear() -> None:
    late = ours(at=NOW - SETTLES_WITHIN + timedelta(seconds=1))
    assert missing_there(late, NOW, SETTLES_WITHIN).kind is Difference.TIMING
    assert missing_there(ours(), NOW, SETTLES_WITHIN).proposal is Proposal.ASK_PROVIDER
    assert missing_there(ours(fact=True), NOW, FRESH).proposal is Proposal.REVIEW


def test_nothing_that_a_person_has_to_decide_is_done_by_itself() -> None:
    assert {Proposal.RECORD_FACT, Proposal.TAKE_PROVIDER_STATE} == APPLIED
    assert fact_state(active=True) != fact_state(active=False)


def test_a_settlement_file_is_read_whatever_its_columns_order() -> None:
    text = "note,at,status,currency,amount,reference,payment,id,kind\n" + (
        'x,2026-11-20T11:00:00+01:00,lost,eur,500,trf_x,pi_1,dp_1,dispute\n"a,b",'
        "2026-11-20T10:00:00Z,succeeded,EUR,1,,pi_1,re_1,Refund\n"
    )
    dispute, refund = parse_statement(text)
    assert (dispute.kind, dispute.status, dispute.currency) == ("dispute", "succeeded", "EUR")
    assert dispute.at == refund.at
    assert (refund.kind, refund.reference, refund.amount_minor) == ("refund", None, 1)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (ROW.replace("500", "5.00"), "amount"),
        (ROW.replace("500", "0"), "amount"),
        (ROW.replace("500", "-5"), "amount"),
        (ROW.replace("500", "٥"), "amount"),
        (ROW.replace("EUR", "EURO"), "currency"),
        (ROW.replace("succeeded", "won"), "status"),
        (ROW.replace("refund", "payout"), "kind"),
        (ROW.replace("re_1", ""), "id"),
        (ROW.replace("pi_1", "pi 1"), "payment"),
        (ROW.replace("Z", ""), "at"),
        (ROW.replace("2026-11-20T10:00:00Z", "yesterday"), "at"),
        (ROW.replace("2026-11-20T10:00:00Z", "0001-01-01T00:00:00+14:00"), "at"),
        (ROW * 2, "earlier row"),
    ],
)
def test_a_wrong_row_is_named_and_not_quoted(row: str, problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_statement(HEADER + row)
    (error,) = listed(refused, "errors")
    assert error["field"].startswith("statement row")
    assert problem in error["problem"]


@pytest.mark.parametrize("text", ["", HEADER, "kind,id\n", HEADER + '"', HEADER + ROW + '"'])
def test_a_file_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_statement(text)


def test_a_file_that_is_too_long_is_refused() -> None:
    rows = (ROW.replace("re_1", f"re_{number}") for number in range(LINES_MAX + 5))
    with pytest.raises(Invalid) as refused:
        parse_statement(HEADER + "".join(rows))
    assert "more than" in str(refused.value.context)


@given(st.text())
def test_no_text_is_anything_but_read_or_refused(text: str) -> None:
    for whole in (text, HEADER + text, HEADER + ROW + text):
        with suppress(Invalid):
            assert parse_statement(whole)
