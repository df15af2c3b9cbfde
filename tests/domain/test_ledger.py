"""The books: every fact's postings by its rules, always in balance, and the chain over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain import ledger
from returns_api.domain.advances import Kept, apply
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.ledger import DEBT_OF, OWNER, RULES, Account, Captured, Entry, Moved

ORDER, REFUND, TRANSFER, CARD, GIFT = (UUID(int=number) for number in range(1, 6))
STAMP = ledger.Stamp(UUID(int=99), datetime(2026, 11, 22, 10, tzinfo=UTC), By("finance"))


def a_refund(kind: str = "return") -> ledger.RefundRef:
    return ledger.RefundRef(REFUND, ORDER, kind, "EUR")


def shown(entry: Entry | None) -> list[tuple[str, int]]:
    return [] if entry is None else [(p.rule, p.amount_minor) for p in entry.postings]


def balances(*entries: Entry | None) -> Counter[tuple[Account, UUID | None, str]]:
    """Debits less credits of every account."""
    found: Counter[tuple[Account, UUID | None, str]] = Counter()
    for entry in entries:
        for posting in entry.postings if entry else ():
            found[posting.debit, posting.debit_of, posting.currency] += posting.amount_minor
            found[posting.credit, posting.credit_of, posting.currency] -= posting.amount_minor
    return found


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


@pytest.mark.parametrize(
    ("posted", "expected"), [case[1:] for case in FACTS], ids=[c[0] for c in FACTS]
)
def test_a_fact_is_posted_by_its_rules(
    posted: Callable[[], Entry | None], expected: list[tuple[str, int]]
) -> None:
    entry = posted()
    assert shown(entry) == expected
    for posting in entry.postings if entry else ():
        rule = RULES[posting.rule]
        assert (posting.debit, posting.credit) == (rule.debit, rule.credit)
        owners = {"order": {ORDER}, "payment": {CARD, GIFT}, None: {None}}
        assert posting.debit_of in owners[OWNER[posting.debit]]
        assert posting.credit_of in owners[OWNER[posting.credit]]
    assert sum(balances(entry).values()) == 0


NAMED: list[tuple[Callable[[], Entry | None], str, str, UUID, UUID | None]] = [
    (
        lambda: ledger.captures(STAMP, ORDER, [Captured(CARD, 5, "EUR")]),
        *("payment_captured", "order", ORDER, ORDER),
    ),
    (
        lambda: ledger.moves_elsewhere(STAMP, [Moved(TRANSFER, ORDER, CARD, "refund", 9, "EUR")]),
        *("outside_refund", "outside_fact", TRANSFER, ORDER),
    ),
    (
        lambda: ledger.moves_elsewhere(STAMP, [Moved(TRANSFER, None, CARD, "dispute", 9, "EUR")]),
        *("outside_dispute", "outside_fact", TRANSFER, None),
    ),
    (
        lambda: ledger.refund_requested(STAMP, a_refund(), PARTS, []),
        *("refund_requested", "refund", REFUND, ORDER),
    ),
    (
        lambda: ledger.transfers_added(STAMP, a_refund(), [(GIFT, 7)]),
        *("transfers_added", "refund", REFUND, ORDER),
    ),
    (
        lambda: ledger.refund_given_up(STAMP, a_refund(), 40),
        *("refund_given_up", "refund", REFUND, ORDER),
    ),
    (
        lambda: ledger.refund_taken_up(STAMP, a_refund(), 40),
        *("refund_taken_up", "refund", REFUND, ORDER),
    ),
    (
        lambda: ledger.transfer_moved(STAMP, a_refund(), (TRANSFER, CARD), -80, 80),
        *("transfer_moved", "transfer", TRANSFER, ORDER),
    ),
]


@pytest.mark.parametrize(("posted", "fact", "kind", "source", "order"), NAMED)
def test_an_entry_names_its_fact_and_the_row_behind_it(
    posted: Callable[[], Entry | None], fact: str, kind: str, source: UUID, order: UUID | None
) -> None:
    entry = posted()
    assert entry is not None
    assert entry.to_row() == {
        "id": STAMP.id,
        "fact": fact,
        "source_type": kind,
        "source_id": source,
        "order_id": order,
        "at": STAMP.at,
        "actor": "finance",
        "actor_id": None,
    }
    assert {posting.currency for posting in entry.postings} == {"EUR"}
    for posting in entry.postings:
        assert {posting.debit_of, posting.credit_of} <= {None, ORDER, CARD, GIFT}


def test_postings_are_written_as_numbered_rows() -> None:
    entry = ledger.refund_requested(STAMP, a_refund(), PARTS, [(CARD, 8000)])
    assert entry is not None
    first, _, last = entry.posting_rows()
    rule = RULES["refund_owed"]
    assert first == {
        "entry_id": STAMP.id,
        "no": 1,
        "rule": "refund_owed",
        "debit": rule.debit.value,
        "debit_of": None,
        "credit": rule.credit.value,
        "credit_of": ORDER,
        "amount_minor": 10000,
        "currency": "EUR",
    }
    assert (last["no"], last["rule"], last["amount_minor"]) == (3, "transfer_reserved", 8000)
    assert (last["debit_of"], last["credit_of"]) == (ORDER, CARD)


def test_every_rule_is_between_two_accounts_and_has_a_way_back() -> None:
    ways = {(rule.debit, rule.credit) for rule in RULES.values()}
    for name, rule in RULES.items():
        assert rule.debit != rule.credit, name
    for kind, (owed, given_up) in DEBT_OF.items():
        assert (RULES[owed].debit, RULES[owed].credit) == (
            RULES[given_up].credit,
            RULES[given_up].debit,
        ), kind
    assert (Account.CLEARING, Account.MERCHANT) in ways
    assert (Account.MERCHANT, Account.CLEARING) in ways
    assert set(OWNER) == set(Account)


@pytest.mark.parametrize("deltas", [(1, 0), (0, 1), (1, -1), (1, 1), (-1, -1)])
def test_what_no_transfer_can_do_is_not_posted(deltas: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot move"):
        ledger.transfer_moved(STAMP, a_refund(), (TRANSFER, CARD), *deltas)


def test_an_amount_below_zero_has_no_posting() -> None:
    with pytest.raises(ValueError, match="below zero"):
        ledger.refund_given_up(STAMP, a_refund(), -1)


@given(
    amount=st.integers(1, 10**12),
    ends=st.lists(st.sampled_from(["failed", "succeeded", "reversed"]), min_size=1, max_size=8),
    given_up=st.booleans(),
)
def test_what_is_owed_follows_the_transfers_through_every_story(
    amount: int, ends: list[str], given_up: bool
) -> None:
    """A refund whose transfers end in any way, each sent anew: owed plus arrived is the amount."""
    refund, arrived = a_refund(), 0
    entries = [
        ledger.captures(STAMP, ORDER, [Captured(CARD, 10**13, "EUR")]),
        ledger.refund_requested(STAMP, refund, [{"kind": "x", "amount": amount}], []),
    ]
    for end in ends:
        if arrived:
            break
        entries.append(ledger.transfers_added(STAMP, refund, [(CARD, amount)]))
        move = (TRANSFER, CARD)
        if end == "failed":
            entries.append(ledger.transfer_moved(STAMP, refund, move, -amount, 0))
            continue
        entries.append(ledger.transfer_moved(STAMP, refund, move, -amount, amount))
        arrived = amount
        if end == "reversed":
            entries.append(ledger.transfer_moved(STAMP, refund, move, 0, -amount))
            arrived = 0
    owed = amount - arrived
    if given_up:
        entries.append(ledger.refund_given_up(STAMP, refund, owed))
        owed = 0
    found = balances(*entries)
    assert found[Account.BUYER, ORDER, "EUR"] == -owed
    assert found[Account.RESERVED, CARD, "EUR"] == 0
    assert found[Account.CLEARING, CARD, "EUR"] == 10**13 - arrived
    assert sum(found.values()) == 0


ROW: dict[str, Any] = {
    "id": UUID(int=7),
    "fact": "refund_requested",
    "source_type": "refund",
    "source_id": REFUND,
    "order_id": None,
    "at": datetime(2026, 11, 22, 10, tzinfo=UTC),
    "actor": "system",
    "actor_id": None,
}
POSTING: dict[str, Any] = {
    "no": 1,
    "rule": "refund_owed",
    "debit": "merchant",
    "debit_of": None,
    "credit": "buyer",
    "credit_of": ORDER,
    "amount_minor": 5,
    "currency": "EUR",
}


def test_the_written_form_is_fixed() -> None:
    """Whoever kept a seal must be able to make it again in ten years."""
    written = ledger.canonical(1, ROW, [POSTING])
    assert written == (
        b'{"actor":"system","actor_id":null,"at":"2026-11-22T10:00:00.000000+00:00",'
        b'"fact":"refund_requested","id":"00000000-0000-0000-0000-000000000007","order_id":null,'
        b'"position":1,"postings":[{"amount_minor":5,"credit":"buyer",'
        b'"credit_of":"00000000-0000-0000-0000-000000000001","currency":"EUR","debit":"merchant",'
        b'"debit_of":null,"no":1,"rule":"refund_owed"}],'
        b'"source_id":"00000000-0000-0000-0000-000000000002","source_type":"refund"}'
    )
    seal = ledger.digest_of(ledger.genesis(UUID(int=1)), written)
    assert seal.hex() == ("cc21f94f90265909c3efbf9153ed07125b54e48a6fe2c3bd484ad427bb24b085")


CHANGES: list[tuple[str, Any]] = [
    ("id", UUID(int=8)),
    ("fact", "another"),
    ("source_type", "another"),
    ("source_id", ORDER),
    ("order_id", ORDER),
    ("at", datetime(2026, 11, 22, 10, 0, 0, 1, tzinfo=UTC)),
    ("actor", "admin"),
    ("actor_id", ORDER),
]


@pytest.mark.parametrize(("name", "value"), CHANGES, ids=[name for name, _ in CHANGES])
def test_every_column_of_an_entry_is_sealed(name: str, value: Any) -> None:
    assert ledger.canonical(1, ROW, []) != ledger.canonical(1, {**ROW, name: value}, [])


@pytest.mark.parametrize("name", POSTING)
def test_every_column_of_a_posting_is_sealed(name: str) -> None:
    changed = {**POSTING, name: 2 if isinstance(POSTING[name], int) else "another"}
    assert ledger.canonical(1, ROW, [POSTING]) != ledger.canonical(1, ROW, [changed])


def test_the_order_of_reading_does_not_matter_and_the_place_does() -> None:
    second = {**POSTING, "no": 2, "amount_minor": 6}
    both = ledger.canonical(1, ROW, [POSTING, second])
    assert both == ledger.canonical(1, ROW, [second, POSTING])
    assert both != ledger.canonical(2, ROW, [POSTING, second])
    assert ledger.genesis(ORDER) != ledger.genesis(REFUND)
    assert STAMP.by != SYSTEM


def test_the_guide_names_every_rule() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    for name, rule in RULES.items():
        assert f"| `{name}` | `{rule.debit}` | `{rule.credit}` | {rule.meaning} |" in guide
    assert guide.count("| `") >= len(RULES) + len(Account) - 1


@given(price=st.integers(1, 100_000), worth=st.integers(0, 100_000), kept=st.integers(0, 9_000))
def test_goods_that_went_first_are_covered_refunded_or_owed(
    price: int, worth: int, kept: int
) -> None:
    """Whatever the old goods turn out to be worth, nothing of both is lost or counted twice."""
    exchange, done = ledger.ExchangeRef(REFUND, ORDER, "EUR"), apply(Kept(price), worth)
    parts = [
        {"kind": "goods", "amount": worth + kept},
        {"kind": "grade_deduction", "amount": -kept},
    ]
    parts.append({"kind": ledger.PAID_IN_ADVANCE, "amount": -done.total_minor})
    settled = ledger.advance_settled(STAMP, exchange, parts) if done.total_minor else None
    if done.rest_minor:
        settled = ledger.refund_requested(STAMP, a_refund(), parts, [])
    found = balances(ledger.goods_advanced(STAMP, exchange, price), settled)
    assert found[Account.ADVANCE, ORDER, "EUR"] == done.short_minor == max(price - worth, 0)
    assert -found[Account.BUYER, ORDER, "EUR"] == done.rest_minor == max(worth - price, 0)
    assert found[Account.MERCHANT, None, "EUR"] == worth - price
