"""What each unit of an order refunds, a second time: unit by unit, in exact fractions.

Written from the rules alone (the certificate's docstring) and sharing no arithmetic with the
service: it imports only the facts of an order. Slow and plain on purpose. Owns, for each unit, the
amount and the lowest and highest amount that any fair rounding of the same cuts could give.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from returns_api.domain.orders import LineFacts, LineKind, OrderFacts


@dataclass(slots=True)
class Unit:
    """One unit; ``low`` and ``high`` round every cut down and up."""

    amount: int
    low: int
    high: int

    def add(self, share: Fraction, part: int) -> None:
        self.amount += part
        self.low += floor(share)
        self.high += ceil(share)


@dataclass(slots=True)
class Reference:
    """The order's live units by line, and what found no unit."""

    paid: int
    unallocated: int
    units: dict[str, list[Unit]] = field(default_factory=dict)


def reference(order: OrderFacts) -> Reference:
    """The rules of the certificate in their own order."""
    live: dict[str, list[Unit]] = {}
    removed_cost = 0
    for line in order.lines:
        units = _line(line, order.taxes_included)
        keep = line.quantity - line.removed
        live[line.external_id] = units[:keep]
        removed_cost += sum(unit.amount for unit in units[keep:])
    cost = sum(unit.amount for units in live.values() for unit in units)
    own = [each.captured_minor for each in order.payments if each.currency == order.currency]
    captured = sum(own) if own else order.total_minor
    over = captured - cost
    paid = captured - (min(over, removed_cost) if over > 0 else 0)
    left = _residue(order, live, paid - cost)
    return Reference(paid, left, live)


def _line(line: LineFacts, taxes_included: bool) -> list[Unit]:
    price = line.unit_price_minor
    units = [Unit(price, price, price) for _ in range(line.quantity)]
    for discount in (line.line_discount_minor, line.order_discount_minor):
        _cut(-discount, units, [unit.amount for unit in units])
    weights = [unit.amount for unit in units]
    for tax in line.taxes:
        if not taxes_included:
            _cut(tax.amount_minor, units, weights)
    return units


def _residue(order: OrderFacts, live: dict[str, list[Unit]], residue: int) -> int:
    """Goods first; what they cannot bear, the rest; what nobody can, is returned."""
    is_goods = {line.external_id: line.kind is LineKind.GOODS for line in order.lines}
    for wanted in (True, False):
        pool = [unit for name, units in live.items() if is_goods[name] is wanted for unit in units]
        if pool:
            part = max(residue, -sum(unit.amount for unit in pool))
            _cut(part, pool, [unit.amount for unit in pool])
            residue -= part
    return residue


def _cut(total: int, units: list[Unit], weights: list[int]) -> None:
    """Hamilton's method on the size of ``total``; its sign is put back at the end."""
    if not units:
        return
    if sum(weights) == 0:
        weights = [1] * len(units)
    whole = sum(weights)
    shares = [Fraction(abs(total) * weight, whole) for weight in weights]
    parts = [floor(share) for share in shares]
    missing = abs(total) - sum(parts)
    by_remainder = sorted(range(len(units)), key=lambda at: (parts[at] - shares[at], at))
    for at in by_remainder[:missing]:
        parts[at] += 1
    sign = 1 if total >= 0 else -1
    for unit, share, part in zip(units, shares, parts, strict=True):
        unit.add(sign * share, sign * part)
