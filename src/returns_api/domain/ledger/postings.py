"""From business facts to entries: which rules apply, with which amounts.

Each function takes what happened and gives the entry, or none where no money moved. Refuses to own
what an entry is (``entries``), when a fact happened (the use cases) and how it is written
(``db.ledger``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.domain.ledger.entries import Entry, Posting, Stamp, by_rule, by_sign, entry_of
from returns_api.domain.ledger.rules import DEBT_OF

PAID_IN_ADVANCE: Final = "paid_in_advance"
"""The kind of a part that was paid before the goods were seen; its amount is below zero."""

DRAWN_BY_GOODS: Final = "exchanged"
"""The kind of a part that new goods were given for; its amount is below zero."""


@dataclass(frozen=True, slots=True)
class Captured:
    """How much more (or, below zero, less) of a payment is captured than was known."""

    payment_id: UUID
    delta_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Moved:
    """How much more (or less) of a payment an outside fact takes than it did before.

    ``kind`` is ``refund`` or ``dispute``.
    """

    fact_id: UUID
    order_id: UUID | None
    payment_id: UUID
    kind: str
    delta_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class RefundRef:
    """The refund that an entry is about."""

    id: UUID
    order_id: UUID
    kind: str
    currency: str


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
    made = [*_owed(rule, refund, parts), *_reserved(refund, reserved)]
    return entry_of(stamp, "refund_requested", ("refund", refund.id), refund.order_id, made)


@dataclass(frozen=True, slots=True)
class RecoveryRef:
    """The recovery that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str


def recovery_moved(stamp: Stamp, recovery: RecoveryRef, rule: str, amount_minor: int) -> Entry:
    """What was advanced came back, was given up, or is counted again, by that rule."""
    made = [by_rule(rule, amount_minor, recovery.currency, order=recovery.order_id)]
    entry = entry_of(stamp, rule, ("recovery", recovery.id), recovery.order_id, made)
    assert entry is not None, "an amount above zero"
    return entry


@dataclass(frozen=True, slots=True)
class ExchangeRef:
    """The exchange that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str


def goods_exchanged(
    stamp: Stamp, exchange: ExchangeRef, parts: Sequence[Mapping[str, Any]]
) -> Entry | None:
    """All that was due for goods that came back was given in new ones: ``parts`` are what was due,
    what was deducted and what the new goods drew; their sum is zero."""
    made = _owed(DEBT_OF["return"][0], exchange, parts)
    return entry_of(stamp, "goods_exchanged", ("exchange", exchange.id), exchange.order_id, made)


def goods_advanced(
    stamp: Stamp, exchange: ExchangeRef, amount_minor: int, *, recalled: bool = False
) -> Entry:
    """New goods of that price were given before the old ones were back, or after all not sent."""
    rule, owners = "goods_recalled" if recalled else "goods_advanced", {"order": exchange.order_id}
    made = [by_rule(rule, amount_minor, exchange.currency, **owners)]
    entry = entry_of(stamp, rule, ("exchange", exchange.id), exchange.order_id, made)
    assert entry is not None, "an amount above zero"
    return entry


def advance_settled(
    stamp: Stamp, advance: RefundRef | ExchangeRef, parts: Sequence[Mapping[str, Any]]
) -> Entry | None:
    """The goods of an advance were judged, and all that is due for them was paid by it, in money
    (its refund) or in goods (its exchange).

    ``parts`` are those of the settlement and what was ``paid_in_advance``: their sum is zero.
    """
    made = _owed(DEBT_OF["return"][0], advance, parts)
    source = ("refund" if isinstance(advance, RefundRef) else "exchange", advance.id)
    return entry_of(stamp, "advance_settled", source, advance.order_id, made)


def difference_paid(stamp: Stamp, exchange: ExchangeRef, amount_minor: int) -> Entry:
    """The buyer paid the shop what the new goods cost more."""
    made = [by_rule("difference_paid", amount_minor, exchange.currency)]
    entry = entry_of(stamp, "difference_paid", ("exchange", exchange.id), exchange.order_id, made)
    assert entry is not None, "an amount above zero"
    return entry


@dataclass(frozen=True, slots=True)
class RepairRef:
    """The repair that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str


def repair_paid(stamp: Stamp, repair: RepairRef, amount_minor: int) -> Entry:
    """The buyer paid the shop for a repair, or for having declined one."""
    made = [by_rule("repair_paid", amount_minor, repair.currency)]
    entry = entry_of(stamp, "repair_paid", ("repair", repair.id), repair.order_id, made)
    assert entry is not None, "an amount above zero"
    return entry


@dataclass(frozen=True, slots=True)
class ClaimRef:
    """The transport claim that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str


def claim_moved(stamp: Stamp, claim: ClaimRef, rule: str, amount_minor: int) -> Entry:
    """A carrier or an insurer owes it, does not after all, or paid it, by that rule."""
    made = [by_rule(rule, amount_minor, claim.currency)]
    entry = entry_of(stamp, rule, ("transport_claim", claim.id), claim.order_id, made)
    assert entry is not None, "an amount above zero"
    return entry


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
    entry = entry_of(stamp, "transfer_moved", ("transfer", transfer_id), refund.order_id, [made])
    assert entry is not None
    return entry


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
    entry = entry_of(stamp, fact, ("store_credit", store_credit), order_id, made)
    assert entry is not None
    return entry


_MOVES: Mapping[tuple[int, int], tuple[str, bool]] = {
    (-1, 1): ("transfer_succeeded", False),
    (-1, 0): ("transfer_released", True),
    (0, -1): ("transfer_reversed", True),
}
"""By the signs of what becomes of ``reserved`` and ``refunded``: the rule, and whether the amount
is the buyer's again."""


def _owed(
    rule: str, refund: RefundRef | ExchangeRef, parts: Sequence[Mapping[str, Any]]
) -> list[Posting | None]:
    owed = sum(part["amount"] for part in parts if part["amount"] > 0)
    applied = -sum(part["amount"] for part in parts if part["kind"] == PAID_IN_ADVANCE)
    drawn = -sum(part["amount"] for part in parts if part["kind"] == DRAWN_BY_GOODS)
    kept = -sum(part["amount"] for part in parts if part["amount"] < 0) - applied - drawn
    return [
        by_rule(rule, owed, refund.currency, order=refund.order_id),
        by_rule("deduction_kept", kept, refund.currency, order=refund.order_id),
        by_rule("advance_applied", applied, refund.currency, order=refund.order_id),
        by_rule("goods_drawn", drawn, refund.currency, order=refund.order_id),
    ]


def _reserved(refund: RefundRef, reserved: Sequence[tuple[UUID, int]]) -> list[Posting | None]:
    return [
        by_rule(
            "transfer_reserved", amount, refund.currency, order=refund.order_id, payment=payment_id
        )
        for payment_id, amount in reserved
    ]


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
