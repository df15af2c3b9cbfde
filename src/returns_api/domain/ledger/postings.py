"""From facts about money to entries: payments, refunds, their transfers, store credit.

Each function takes what happened and gives the entry, or none where no money moved. Refuses to own
what an entry is (``entries``), what goods do (``goods_postings``), when a fact happened (the use
cases) and how it is written (``db.ledger``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from returns_api.domain.ledger.debts import owed
from returns_api.domain.ledger.entries import (
    Entry,
    Posting,
    Stamp,
    by_rule,
    by_sign,
    certain_entry,
    entry_of,
)
from returns_api.domain.ledger.rules import DEBT_OF
from returns_api.domain.ledger.subjects import Captured, Moved, RefundRef


def captures(stamp: Stamp, order_id: UUID, found: Iterable[Captured]) -> Entry | None:
    """An intake told captured money, or corrected it."""
    made = [
        by_sign(
            ("payment_captured", "capture_reduced"),
            one.delta_minor,
            one.currency,
            payment=one.payment_id,
        )
        for one in found
    ]
    return entry_of(stamp, "payment_captured", ("order", order_id), order_id, made)


def moves_elsewhere(stamp: Stamp, moved: Sequence[Moved]) -> Entry | None:
    """An outside refund or a dispute counts from now on, counts otherwise or no longer."""
    pairs = {
        "refund": ("refunded_elsewhere", "refund_elsewhere_undone"),
        "dispute": ("dispute_withdrew", "dispute_returned"),
    }
    made = [
        by_sign(pairs[one.kind], one.delta_minor, one.currency, payment=one.payment_id)
        for one in moved
    ]
    if not moved:
        return None
    first = moved[0]
    source = ("outside_fact", first.fact_id)
    return entry_of(stamp, f"outside_{first.kind}", source, first.order_id, made)


def refund_requested(
    stamp: Stamp,
    refund: RefundRef,
    parts: Sequence[Mapping[str, Any]],
    reserved: Sequence[tuple[UUID, int]],
) -> Entry | None:
    """A refund is owed, with what was deducted from it, and reserved along payments.

    ``parts`` are the refund's own: amounts above zero are owed, amounts below were deducted or paid
    in advance. ``reserved`` is payment and amount of each transfer; they may cover less than is
    owed.
    """
    rule = DEBT_OF[refund.kind][0]
    if rule == "advance_owed":  # no deduction is the shop's before the goods were judged
        parts = [{"kind": "advance", "amount": sum(part["amount"] for part in parts)}]
    made = [*owed(rule, refund, parts), *_reserved(refund, reserved)]
    return entry_of(stamp, "refund_requested", ("refund", refund.id), refund.order_id, made)


def transfers_added(
    stamp: Stamp, refund: RefundRef, reserved: Sequence[tuple[UUID, int]]
) -> Entry | None:
    """Further transfers for what a refund still owes."""
    made = _reserved(refund, reserved)
    return entry_of(stamp, "transfers_added", ("refund", refund.id), refund.order_id, made)


def refund_given_up(stamp: Stamp, refund: RefundRef, missing_minor: int) -> Entry | None:
    """Nobody is going to pay what is missing."""
    rule = DEBT_OF[refund.kind][1]
    made = [by_rule(rule, missing_minor, refund.currency, order=refund.order_id)]
    return entry_of(stamp, "refund_given_up", ("refund", refund.id), refund.order_id, made)


def refund_taken_up(stamp: Stamp, refund: RefundRef, missing_minor: int) -> Entry | None:
    """What was given up is owed again."""
    rule = DEBT_OF[refund.kind][0]
    made = [by_rule(rule, missing_minor, refund.currency, order=refund.order_id)]
    return entry_of(stamp, "refund_taken_up", ("refund", refund.id), refund.order_id, made)


def transfer_moved(
    stamp: Stamp,
    refund: RefundRef,
    transfer: tuple[UUID, UUID],
    reserved_delta: int,
    refunded_delta: int,
    *,
    given_up: bool = False,
) -> Entry | None:
    """A transfer ended, or came back after its end; its payment's counters moved by the deltas.

    ``transfer`` is its id and its payment's. What comes free of a refund that was ``given_up`` is
    not owed again.

    Raises:
        ValueError: no change of a transfer moves the counters like this.
    """
    transfer_id, payment_id = transfer
    rule, free = _MOVES.get((_sign(reserved_delta), _sign(refunded_delta)), (None, False))
    amount = max(abs(reserved_delta), abs(refunded_delta))
    if rule is None:
        if amount:
            raise ValueError(f"a transfer cannot move {reserved_delta} and {refunded_delta}")
        return None
    made = [
        by_rule(rule, amount, refund.currency, order=refund.order_id, payment=payment_id),
        by_rule(
            DEBT_OF[refund.kind][1],
            amount if free and given_up else 0,
            refund.currency,
            order=refund.order_id,
        ),
    ]
    return entry_of(stamp, "transfer_moved", ("transfer", transfer_id), refund.order_id, made)


def transfer_credited(
    stamp: Stamp,
    refund: RefundRef,
    transfer: tuple[UUID, UUID | None],
    store_credit: UUID,
    amount_minor: int,
) -> Entry:
    """A transfer became store credit: out of what was reserved on its payment or, for a present,
    which draws on none, out of what is owed."""
    transfer_id, payment_id = transfer
    owners = {"order": refund.order_id, "store_credit": store_credit}
    if payment_id is None:
        made = by_rule("goodwill_credited", amount_minor, refund.currency, **owners)
    else:
        owners["payment"] = payment_id
        made = by_rule("transfer_credited", amount_minor, refund.currency, **owners)
    return certain_entry(
        stamp, "transfer_moved", ("transfer", transfer_id), refund.order_id, [made]
    )


def credit_moved(
    stamp: Stamp,
    fact: str,
    store_credit: UUID,
    currency: str,
    amounts: Iterable[tuple[str, int]],
    order_id: UUID | None = None,
) -> Entry:
    """What happened to store credit apart from refunds: rule and amount of each posting.

    ``order_id`` is the order of an advance that is recovered, or of the refund that earned a bonus.
    """
    owners = {"store_credit": store_credit, **({"order": order_id} if order_id else {})}
    made = [by_rule(rule, amount, currency, **owners) for rule, amount in amounts]
    return certain_entry(stamp, fact, ("store_credit", store_credit), order_id, made)


_MOVES: Mapping[tuple[int, int], tuple[str, bool]] = {
    (-1, 1): ("transfer_succeeded", False),
    (-1, 0): ("transfer_released", True),
    (0, -1): ("transfer_reversed", True),
}
"""By the signs of what becomes of ``reserved`` and ``refunded``: the rule, and whether the amount
is the buyer's again."""


def _reserved(refund: RefundRef, reserved: Sequence[tuple[UUID, int]]) -> list[Posting | None]:
    return [
        by_rule(
            "transfer_reserved", amount, refund.currency, order=refund.order_id, payment=payment_id
        )
        for payment_id, amount in reserved
    ]


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
