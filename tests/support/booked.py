"""Facts that move money, and what each has to post: the books' rules, written a second time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from returns_api.domain import ledger
from returns_api.domain.events import By
from returns_api.domain.ledger import Captured, Entry, Moved

ORDER, REFUND, TRANSFER, CARD, GIFT = (UUID(int=number) for number in range(1, 6))
STAMP = ledger.Stamp(UUID(int=99), datetime(2026, 11, 22, 10, tzinfo=UTC), By("finance"))


def a_refund(kind: str = "return") -> ledger.RefundRef:
    return ledger.RefundRef(REFUND, ORDER, kind, "EUR")


def shown(entry: Entry | None) -> list[tuple[str, int]]:
    return [] if entry is None else [(p.rule, p.amount_minor) for p in entry.postings]


PARTS = [
    {"kind": "goods", "amount": 10000},
    {"kind": "grade_deduction", "amount": -1000},
    {"kind": "return_freight", "amount": -490},
]


FACTS: list[tuple[str, Callable[[], Entry | None], list[tuple[str, int]]]] = [
    (
        "captured on two payments",
        lambda: ledger.captures(
            STAMP, ORDER, [Captured(CARD, 5000, "EUR"), Captured(GIFT, 300, "EUR")]
        ),
        [("payment_captured", 5000), ("payment_captured", 300)],
    ),
    (
        "captured less than told before",
        lambda: ledger.captures(
            STAMP, ORDER, [Captured(CARD, -200, "EUR"), Captured(GIFT, 0, "EUR")]
        ),
        [("capture_reduced", 200)],
    ),
    ("nothing new captured", lambda: ledger.captures(STAMP, ORDER, [Captured(CARD, 0, "EUR")]), []),
    (
        "a return is settled with deductions",
        lambda: ledger.refund_requested(STAMP, a_refund(), PARTS, [(CARD, 8000), (GIFT, 510)]),
        [
            ("refund_owed", 10000),
            ("deduction_kept", 1490),
            ("transfer_reserved", 8000),
            ("transfer_reserved", 510),
        ],
    ),
    (
        "goodwill",
        lambda: ledger.refund_requested(
            STAMP, a_refund("goodwill"), [{"kind": "goodwill", "amount": 500}], [(CARD, 500)]
        ),
        [("goodwill_owed", 500), ("transfer_reserved", 500)],
    ),
    (
        "an advance that no payment covers",
        lambda: ledger.refund_requested(
            STAMP, a_refund("advance"), [{"kind": "advance", "amount": 5}], []
        ),
        [("advance_owed", 5)],
    ),
    (
        "more transfers",
        lambda: ledger.transfers_added(STAMP, a_refund(), [(GIFT, 7)]),
        [("transfer_reserved", 7)],
    ),
    ("no more transfers", lambda: ledger.transfers_added(STAMP, a_refund(), []), []),
    (
        "it arrived",
        lambda: ledger.transfer_moved(STAMP, a_refund(), (TRANSFER, CARD), -80, 80),
        [("transfer_succeeded", 80)],
    ),
    (
        "it failed",
        lambda: ledger.transfer_moved(STAMP, a_refund(), (TRANSFER, CARD), -80, 0),
        [("transfer_released", 80)],
    ),
    (
        "it came back later",
        lambda: ledger.transfer_moved(STAMP, a_refund(), (TRANSFER, CARD), 0, -80),
        [("transfer_reversed", 80)],
    ),
    (
        "it came back after the refund was given up",
        lambda: ledger.transfer_moved(
            STAMP, a_refund("goodwill"), (TRANSFER, CARD), 0, -80, given_up=True
        ),
        [("transfer_reversed", 80), ("goodwill_given_up", 80)],
    ),
    (
        "it arrived after the refund was given up",
        lambda: ledger.transfer_moved(STAMP, a_refund(), (TRANSFER, CARD), -80, 80, given_up=True),
        [("transfer_succeeded", 80)],
    ),
    (
        "it only waits",
        lambda: ledger.transfer_moved(STAMP, a_refund(), (TRANSFER, CARD), 0, 0),
        [],
    ),
    ("given up", lambda: ledger.refund_given_up(STAMP, a_refund(), 40), [("refund_given_up", 40)]),
    ("nothing to give up", lambda: ledger.refund_given_up(STAMP, a_refund(), 0), []),
    (
        "taken up",
        lambda: ledger.refund_taken_up(STAMP, a_refund("advance"), 40),
        [("advance_owed", 40)],
    ),
    (
        "refunded elsewhere",
        lambda: ledger.moves_elsewhere(STAMP, [Moved(TRANSFER, ORDER, CARD, "refund", 90, "EUR")]),
        [("refunded_elsewhere", 90)],
    ),
    (
        "it was of the other payment",
        lambda: ledger.moves_elsewhere(
            STAMP,
            [
                Moved(TRANSFER, ORDER, CARD, "refund", -90, "EUR"),
                Moved(TRANSFER, ORDER, GIFT, "refund", 90, "EUR"),
            ],
        ),
        [("refund_elsewhere_undone", 90), ("refunded_elsewhere", 90)],
    ),
    (
        "a chargeback",
        lambda: ledger.moves_elsewhere(STAMP, [Moved(TRANSFER, ORDER, CARD, "dispute", 90, "EUR")]),
        [("dispute_withdrew", 90)],
    ),
    (
        "a chargeback was won",
        lambda: ledger.moves_elsewhere(
            STAMP, [Moved(TRANSFER, ORDER, CARD, "dispute", -90, "EUR")]
        ),
        [("dispute_returned", 90)],
    ),
    ("a fact that moves nothing", lambda: ledger.moves_elsewhere(STAMP, []), []),
]
