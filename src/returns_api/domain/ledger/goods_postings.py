"""From facts about goods to entries: given in exchange or in advance, repaired, never come back.

Each function takes what happened and gives the entry. What goes back as money is ``postings``'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from returns_api.domain.ledger.debts import owed
from returns_api.domain.ledger.entries import Entry, Stamp, by_rule, certain_entry, entry_of
from returns_api.domain.ledger.rules import DEBT_OF
from returns_api.domain.ledger.subjects import (
    ClaimRef,
    ExchangeRef,
    RecoveryRef,
    RefundRef,
    RepairRef,
    ReturnRef,
)


def goods_exchanged(stamp: Stamp, exchange: ExchangeRef, drawn_minor: int) -> Entry | None:
    """So much of what is due for goods that came back was given in new ones; none for nothing."""
    made = [
        by_rule(rule, drawn_minor, exchange.currency, order=exchange.order_id)
        for rule in (DEBT_OF["return"][0], "goods_drawn")
    ]
    return entry_of(stamp, "goods_exchanged", ("exchange", exchange.id), exchange.order_id, made)


def return_settled(
    stamp: Stamp, ret: ReturnRef, parts: Sequence[Mapping[str, Any]]
) -> Entry | None:
    """Nothing is left to refund of what is due for goods that came back: ``parts`` are what was
    due, what was deducted and what new goods drew; their sum is zero."""
    made = owed(DEBT_OF["return"][0], ret, parts)
    return entry_of(stamp, "return_settled", ("return", ret.id), ret.order_id, made)


def goods_advanced(
    stamp: Stamp, exchange: ExchangeRef, amount_minor: int, *, recalled: bool = False
) -> Entry:
    """New goods of that price were given before the old ones were back, or after all not sent."""
    rule, owners = "goods_recalled" if recalled else "goods_advanced", {"order": exchange.order_id}
    made = [by_rule(rule, amount_minor, exchange.currency, **owners)]
    return certain_entry(stamp, rule, ("exchange", exchange.id), exchange.order_id, made)


def advance_settled(
    stamp: Stamp, advance: RefundRef | ExchangeRef, parts: Sequence[Mapping[str, Any]]
) -> Entry | None:
    """The goods of an advance were judged, and all that is due for them was paid by it, in money
    (its refund) or in goods (its exchange).

    ``parts`` are those of the settlement and what was ``paid_in_advance``: their sum is zero.
    """
    made = owed(DEBT_OF["return"][0], advance, parts)
    source = ("refund" if isinstance(advance, RefundRef) else "exchange", advance.id)
    return entry_of(stamp, "advance_settled", source, advance.order_id, made)


def difference_paid(stamp: Stamp, exchange: ExchangeRef, amount_minor: int) -> Entry:
    """The buyer paid the shop what the new goods cost more."""
    made = [by_rule("difference_paid", amount_minor, exchange.currency)]
    return certain_entry(
        stamp, "difference_paid", ("exchange", exchange.id), exchange.order_id, made
    )


def repair_paid(stamp: Stamp, repair: RepairRef, amount_minor: int) -> Entry:
    """The buyer paid the shop for a repair, or for having declined one."""
    made = [by_rule("repair_paid", amount_minor, repair.currency)]
    return certain_entry(stamp, "repair_paid", ("repair", repair.id), repair.order_id, made)


def recovery_moved(stamp: Stamp, recovery: RecoveryRef, rule: str, amount_minor: int) -> Entry:
    """What was advanced came back, was given up, or is counted again, by that rule."""
    made = [by_rule(rule, amount_minor, recovery.currency, order=recovery.order_id)]
    return certain_entry(stamp, rule, ("recovery", recovery.id), recovery.order_id, made)


def claim_moved(stamp: Stamp, claim: ClaimRef, rule: str, amount_minor: int) -> Entry:
    """A carrier or an insurer owes it, does not after all, or paid it, by that rule."""
    made = [by_rule(rule, amount_minor, claim.currency)]
    return certain_entry(stamp, rule, ("transport_claim", claim.id), claim.order_id, made)
