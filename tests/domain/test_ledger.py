"""The books: every fact's postings by its rules, always in balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain import ledger
from returns_api.domain.advances import Kept, apply
from returns_api.domain.ledger import DEBT_OF, OWNER, RULES, Account, Captured, Entry, Moved
from tests.support.booked import (
    CARD,
    FACTS,
    GIFT,
    ORDER,
    PARTS,
    REFUND,
    STAMP,
    TRANSFER,
    a_refund,
    shown,
)


def balances(*entries: Entry | None) -> Counter[tuple[Account, UUID | None, str]]:
    """Debits less credits of every account."""
    found: Counter[tuple[Account, UUID | None, str]] = Counter()
    for entry in entries:
        for posting in entry.postings if entry else ():
            found[posting.debit, posting.debit_of, posting.currency] += posting.amount_minor
            found[posting.credit, posting.credit_of, posting.currency] -= posting.amount_minor
    return found


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
        owners: dict[str | None, set[UUID | None]] = {
            "order": {ORDER}, "payment": {CARD, GIFT}, None: {None},
        }  # fmt: skip
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
