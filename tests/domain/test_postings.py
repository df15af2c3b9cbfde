"""Each fact's whole entry: what it is called, which row it is about, whose accounts it moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from returns_api.domain import ledger
from returns_api.domain.events import By
from returns_api.domain.ledger import Captured, Entry, Moved
from returns_api.domain.ledger.entries import certain_entry, entry_of

ORDER, REFUND, TRANSFER, CARD, GIFT, CREDIT, OTHER = (UUID(int=number) for number in range(1, 8))
STAMP = ledger.Stamp(UUID(int=99), datetime(2026, 11, 22, 10, tzinfo=UTC), By("finance"))
RETURN = ledger.RefundRef(REFUND, ORDER, "return", "EUR")
ADVANCE = ledger.RefundRef(REFUND, ORDER, "advance", "EUR")
GOODWILL = ledger.RefundRef(REFUND, ORDER, "goodwill", "EUR")
EXCHANGE = ledger.ExchangeRef(OTHER, ORDER, "EUR")
DUE = [
    {"kind": "goods", "amount": 10000},
    {"kind": "grade_deduction", "amount": -1000},
    {"kind": "return_freight", "amount": 0},
]
GIVEN = [*DUE, {"kind": ledger.PAID_IN_ADVANCE, "amount": -4000}]
DRAWN = [*DUE, {"kind": ledger.DRAWN_BY_GOODS, "amount": -5000}]
MOVED = (TRANSFER, CARD)

Row = tuple[str, UUID | None, UUID | None, int]
"""Rule, whose account is debited, whose is credited, amount."""
CASES: dict[str, tuple[Callable[[], Entry | None], tuple[str, str, UUID], list[Row]]] = {
    "captured": (
        lambda: ledger.captures(STAMP, ORDER, [Captured(CARD, 5, "EUR"), Captured(GIFT, 0, "EUR")]),
        ("payment_captured", "order", ORDER),
        [("payment_captured", CARD, None, 5)],
    ),
    "a refund made elsewhere, of the other payment": (
        lambda: ledger.moves_elsewhere(
            STAMP,
            [
                Moved(TRANSFER, ORDER, CARD, "refund", -9, "EUR"),
                Moved(TRANSFER, ORDER, GIFT, "refund", 8, "EUR"),
            ],
        ),
        ("outside_refund", "outside_fact", TRANSFER),
        [("refund_elsewhere_undone", CARD, None, 9), ("refunded_elsewhere", None, GIFT, 8)],
    ),
    "requested": (
        lambda: ledger.refund_requested(STAMP, RETURN, GIVEN, [(CARD, 3000), (GIFT, 2000)]),
        ("refund_requested", "refund", REFUND),
        [
            ("refund_owed", None, ORDER, 10000),
            ("deduction_kept", ORDER, None, 1000),
            ("advance_applied", ORDER, ORDER, 4000),
            ("transfer_reserved", ORDER, CARD, 3000),
            ("transfer_reserved", ORDER, GIFT, 2000),
        ],
    ),
    "requested in advance, where nothing is kept yet": (
        lambda: ledger.refund_requested(STAMP, ADVANCE, DUE, []),
        ("refund_requested", "refund", REFUND),
        [("advance_owed", ORDER, ORDER, 9000)],
    ),
    "more transfers": (
        lambda: ledger.transfers_added(STAMP, RETURN, [(GIFT, 7)]),
        ("transfers_added", "refund", REFUND),
        [("transfer_reserved", ORDER, GIFT, 7)],
    ),
    "given up": (
        lambda: ledger.refund_given_up(STAMP, GOODWILL, 40),
        ("refund_given_up", "refund", REFUND),
        [("goodwill_given_up", ORDER, None, 40)],
    ),
    "taken up": (
        lambda: ledger.refund_taken_up(STAMP, GOODWILL, 40),
        ("refund_taken_up", "refund", REFUND),
        [("goodwill_owed", None, ORDER, 40)],
    ),
    "arrived": (
        lambda: ledger.transfer_moved(STAMP, RETURN, MOVED, -80, 80, given_up=True),
        ("transfer_moved", "transfer", TRANSFER),
        [("transfer_succeeded", CARD, CARD, 80)],
    ),
    "came back after it was given up": (
        lambda: ledger.transfer_moved(STAMP, GOODWILL, MOVED, 0, -80, given_up=True),
        ("transfer_moved", "transfer", TRANSFER),
        [("transfer_reversed", CARD, ORDER, 80), ("goodwill_given_up", ORDER, None, 80)],
    ),
    "failed": (
        lambda: ledger.transfer_moved(STAMP, RETURN, MOVED, -80, 0),
        ("transfer_moved", "transfer", TRANSFER),
        [("transfer_released", CARD, ORDER, 80)],
    ),
    "became store credit": (
        lambda: ledger.transfer_credited(STAMP, RETURN, (TRANSFER, GIFT), CREDIT, 80),
        ("transfer_moved", "transfer", TRANSFER),
        [("transfer_credited", GIFT, CREDIT, 80)],
    ),
    "a present became store credit": (
        lambda: ledger.transfer_credited(STAMP, GOODWILL, (TRANSFER, None), CREDIT, 80),
        ("transfer_moved", "transfer", TRANSFER),
        [("goodwill_credited", ORDER, CREDIT, 80)],
    ),
    "recovered from store credit": (
        lambda: ledger.credit_moved(
            STAMP,
            "recovered",
            CREDIT,
            "EUR",
            [("advance_recovered", 5), ("credit_spent", 0)],
            ORDER,
        ),
        ("recovered", "store_credit", CREDIT),
        [("advance_recovered", CREDIT, ORDER, 5)],
    ),
    "goods given": (
        lambda: ledger.goods_exchanged(STAMP, EXCHANGE, 5000),
        ("goods_exchanged", "exchange", OTHER),
        [("refund_owed", None, ORDER, 5000), ("goods_drawn", ORDER, None, 5000)],
    ),
    "requested beside goods that were given": (
        lambda: ledger.refund_requested(STAMP, RETURN, DRAWN, []),
        ("refund_requested", "refund", REFUND),
        [("refund_owed", None, ORDER, 5000), ("deduction_kept", ORDER, None, 1000)],
    ),
    "settled in goods alone": (
        lambda: ledger.return_settled(
            STAMP,
            ledger.ReturnRef(OTHER, ORDER, "EUR"),
            [*DUE, {"kind": ledger.DRAWN_BY_GOODS, "amount": -9000}],
        ),
        ("return_settled", "return", OTHER),
        [("refund_owed", None, ORDER, 1000), ("deduction_kept", ORDER, None, 1000)],
    ),
    "goods given first": (
        lambda: ledger.goods_advanced(STAMP, EXCHANGE, 50),
        ("goods_advanced", "exchange", OTHER),
        [("goods_advanced", ORDER, None, 50)],
    ),
    "goods not sent after all": (
        lambda: ledger.goods_advanced(STAMP, EXCHANGE, 50, recalled=True),
        ("goods_recalled", "exchange", OTHER),
        [("goods_recalled", None, ORDER, 50)],
    ),
    "an advance in money is covered": (
        lambda: ledger.advance_settled(STAMP, ADVANCE, GIVEN[2:]),
        ("advance_settled", "refund", REFUND),
        [("advance_applied", ORDER, ORDER, 4000)],
    ),
    "an advance in goods is covered": (
        lambda: ledger.advance_settled(STAMP, EXCHANGE, GIVEN[2:]),
        ("advance_settled", "exchange", OTHER),
        [("advance_applied", ORDER, ORDER, 4000)],
    ),
    "the difference was paid": (
        lambda: ledger.difference_paid(STAMP, EXCHANGE, 5),
        ("difference_paid", "exchange", OTHER),
        [("difference_paid", None, None, 5)],
    ),
    "a repair was paid": (
        lambda: ledger.repair_paid(STAMP, ledger.RepairRef(OTHER, ORDER, "EUR"), 5),
        ("repair_paid", "repair", OTHER),
        [("repair_paid", None, None, 5)],
    ),
    "an advance was written off": (
        lambda: ledger.recovery_moved(
            STAMP, ledger.RecoveryRef(OTHER, ORDER, "EUR"), "advance_written_off", 5
        ),
        ("advance_written_off", "recovery", OTHER),
        [("advance_written_off", None, ORDER, 5)],
    ),
    "a carrier answers": (
        lambda: ledger.claim_moved(
            STAMP, ledger.ClaimRef(OTHER, ORDER, "EUR"), "claim_accepted", 5
        ),
        ("claim_accepted", "transport_claim", OTHER),
        [("claim_accepted", None, None, 5)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fact_is_this_entry_and_no_other(name: str) -> None:
    posted, (fact, kind, source), rows = CASES[name]
    postings = tuple(
        ledger.Posting(
            rule, ledger.RULES[rule].debit, debit_of, ledger.RULES[rule].credit, credit_of, amount,
            "EUR",
        )
        for rule, debit_of, credit_of, amount in rows
    )  # fmt: skip
    assert posted() == Entry(STAMP, fact, kind, source, ORDER, postings)


def test_store_credit_that_no_order_earned_names_none() -> None:
    entry = ledger.credit_moved(STAMP, "expired", CREDIT, "EUR", [("credit_expired", 5)])
    assert entry.order_id is None
    assert [posting.debit_of for posting in entry.postings] == [CREDIT]


def test_nothing_is_no_entry() -> None:
    assert ledger.captures(STAMP, ORDER, [Captured(CARD, 0, "EUR")]) is None
    assert ledger.transfer_moved(STAMP, RETURN, MOVED, 0, 0, given_up=True) is None
    assert ledger.refund_given_up(STAMP, RETURN, 0) is None
    assert ledger.goods_exchanged(STAMP, EXCHANGE, 0) is None
    assert entry_of(STAMP, "nothing", ("order", ORDER), ORDER, [None]) is None
    with pytest.raises(ValueError, match=r"^nothing: nothing moved$"):
        certain_entry(STAMP, "nothing", ("order", ORDER), ORDER, [None])
