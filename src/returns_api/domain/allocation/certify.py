"""How a certificate comes to be: facts of an order in, one exact share per unit out.

The rules, in the order in which they are applied; all cuts are by largest remainder.

1. A line's price is its unit price for each unit. Its line discount is cut over its units by
   price, its order discount by what is left, its taxes by what is left after that. Amounts of the
   facts are over the whole quantity, so removed units take part up to here.
2. The last ``removed`` units of a line were taken out by an edit before they were shipped. They
   get nothing of what is still paid. When the money was captured before the edit (that is: to the
   extent that it exceeds what the other units cost) their cost is *released*: the platform gives it
   back with the edit, so it is not for returns to refund, and no other unit inherits it.
3. What was paid is the sum of the captured payments in the order's currency; while no payment is
   known, the order's total. What the parts do not explain of it (rounding per line or per order,
   cash rounding, totals that do not add up) is the *residue*. It is spread over the goods by what
   they cost, over the other lines only when there are no goods or not enough, and never takes a
   unit below zero.
4. Nothing is refused for its arithmetic: each contradiction is flagged with its amount.

Refuses to own rounding of platform amounts to minor units: adapters do that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

from returns_api.domain.allocation.certificate import (
    Basis,
    Certificate,
    CertifiedLine,
    CertifiedTax,
    Flag,
    FlagCode,
    UnitParts,
    UnitRun,
)
from returns_api.domain.errors import Invalid
from returns_api.domain.money import MAX_MINOR, Run, allocate_runs, exponent
from returns_api.domain.orders import LineFacts, LineKind, OrderFacts

MAX_LINES: Final = 5_000
MAX_QUANTITY: Final = 1_000_000

Units = tuple[UnitRun, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line between rule 2 and rule 3: its live units cost what the parts say."""

    facts: LineFacts
    units: Units
    removed_minor: int


def certify(order: OrderFacts) -> Certificate:
    """Cut ``order`` into its units: the one place where shares are computed.

    Raises ``Invalid`` for what no arithmetic can repair: an unknown currency, two lines with one
    id, quantities or amounts out of bounds.
    """
    _check(order)
    flags: list[Flag] = []
    lines = [_cut_line(facts, order.taxes_included, flags) for facts in order.lines]
    basis, captured = _captured(order, flags)
    cost = sum(_cost(line.units) for line in lines)
    removed = sum(line.removed_minor for line in lines)
    released = min(max(captured - cost, 0), removed)
    residue = captured - released - cost
    shares, unallocated = _spread_residue(lines, residue)
    flags += _order_flags(order.total_minor, captured - released, cost, removed)
    flags += _sum_flags(released, residue, unallocated)
    return Certificate(
        order_external_id=order.external_id,
        currency=order.currency,
        taxes_included=order.taxes_included,
        basis=basis,
        total_minor=order.total_minor,
        captured_minor=captured,
        released_minor=released,
        residue_minor=residue,
        unallocated_minor=unallocated,
        lines=tuple(_seal(line, units) for line, units in zip(lines, shares, strict=True)),
        flags=tuple(flags),
    )


def _check(order: OrderFacts) -> None:
    exponent(order.currency)
    problems = [f"more than {MAX_LINES} lines"] if len(order.lines) > MAX_LINES else []
    if len({line.external_id for line in order.lines}) != len(order.lines):
        problems.append("two lines with the same id")
    for line in order.lines:
        if not 0 <= line.quantity <= MAX_QUANTITY:
            problems.append(f"line {line.external_id}: quantity out of bounds")
        amounts = [line.unit_price_minor, line.line_discount_minor, line.order_discount_minor]
        if any(abs(a) > MAX_MINOR for a in amounts + [t.amount_minor for t in line.taxes]):
            problems.append(f"line {line.external_id}: amount out of bounds")
    paid = [order.total_minor] + [payment.captured_minor for payment in order.payments]
    if any(abs(amount) > MAX_MINOR for amount in paid):
        problems.append("total or payment out of bounds")
    if problems:
        errors = [{"field": "lines", "message": problem} for problem in problems]
        raise Invalid(f"The order cannot be certified: {problems[0]}.", errors=errors)


def _cut_line(facts: LineFacts, taxes_included: bool, flags: list[Flag]) -> _Line:
    """Rules 1 and 2 for one line."""
    price = _floor(facts.unit_price_minor, facts, flags)
    gross = price * facts.quantity
    line_discount = _floor(facts.line_discount_minor, facts, flags)
    order_discount = _floor(facts.order_discount_minor, facts, flags)
    excess = line_discount + order_discount - gross
    if excess > 0:
        flags.append(Flag(FlagCode.DISCOUNT_ABOVE_PRICE, excess, facts.external_id))
    line_discount = min(line_discount, gross)
    order_discount = min(order_discount, gross - line_discount)
    units: Units = (UnitRun(facts.quantity, UnitParts(price=price)),) if facts.quantity else ()
    if line_discount:
        units = _spread(units, -line_discount, lambda p, share: replace(p, line_discount=share))
    if order_discount:
        units = _spread(units, -order_discount, lambda p, share: replace(p, order_discount=share))
    units = _spread_taxes(facts, units, taxes_included, flags)
    live = facts.quantity - min(max(facts.removed, 0), facts.quantity)
    kept, removed = _split(units, live)
    return _Line(facts, kept, _cost(removed))


def _spread_taxes(facts: LineFacts, units: Units, taxes_included: bool, flags: list[Flag]) -> Units:
    """Every tax on its own, by the price after discounts; none when there is no unit."""

    def put(parts: UnitParts, share: int) -> UnitParts:
        taxes = (*parts.taxes, share)
        if taxes_included:
            return replace(parts, taxes=taxes, tax_included=parts.tax_included + share)
        return replace(parts, taxes=taxes, tax_added=parts.tax_added + share)

    if not units:
        return units
    net = sum(run.count * run.parts.net for run in units)
    amounts = [_floor(tax.amount_minor, facts, flags) for tax in facts.taxes]
    if taxes_included and sum(amounts) > net:
        flags.append(Flag(FlagCode.TAX_ABOVE_PRICE, sum(amounts) - net, facts.external_id))
    for amount in amounts:
        units = _spread(units, amount, put)
    return units


def _captured(order: OrderFacts, flags: list[Flag]) -> tuple[Basis, int]:
    """What was paid, removed units included, and on what evidence."""
    for payment in order.payments:
        if payment.currency != order.currency:
            flags.append(Flag(FlagCode.FOREIGN_PAYMENT, payment.captured_minor))
    ours = [p.captured_minor for p in order.payments if p.currency == order.currency]
    if ours:
        basis, captured = Basis.PAYMENTS, sum(ours)
    else:
        basis, captured = Basis.TOTAL, order.total_minor
        flags.append(Flag(FlagCode.NO_PAYMENT, captured))
    if captured < 0:
        flags.append(Flag(FlagCode.NEGATIVE_AMOUNT, captured))
    return basis, max(captured, 0)


def _spread_residue(lines: Sequence[_Line], residue: int) -> tuple[list[Units], int]:
    """Rule 3: the lines' units with their adjustments, and what found no unit."""
    goods = [line.facts.kind is LineKind.GOODS and bool(line.units) for line in lines]
    others = [
        bool(line.units) and not is_goods for line, is_goods in zip(lines, goods, strict=True)
    ]
    shares = [line.units for line in lines]
    for chosen in (goods, others):
        if residue and any(chosen):
            cost = sum(_cost(units) for units, yes in zip(shares, chosen, strict=True) if yes)
            part = max(residue, -cost)
            shares = _adjust(shares, chosen, part)
            residue -= part
    return shares, residue


def _adjust(shares: list[Units], chosen: Sequence[bool], total: int) -> list[Units]:
    """Spread ``total`` over the units of the chosen lines, by what each unit costs."""
    pool = tuple(run for units, yes in zip(shares, chosen, strict=True) if yes for run in units)
    spread = _spread(pool, total, _add_adjustment, by=attrgetter("paid"))
    adjusted = []
    for units, yes in zip(shares, chosen, strict=True):
        if yes:
            mine, spread = _split(spread, sum(run.count for run in units))
            adjusted.append(mine)
        else:
            adjusted.append(units)
    return adjusted


def _add_adjustment(parts: UnitParts, share: int) -> UnitParts:
    return replace(parts, adjustment=parts.adjustment + share)


def _spread(
    units: Units,
    total: int,
    put: Callable[[UnitParts, int], UnitParts],
    by: Callable[[UnitParts], int] = attrgetter("net"),
) -> Units:
    """Cut ``total`` over ``units`` in proportion to ``by``; ``put`` adds a share to its parts."""
    if not units:
        return units
    pieces = iter(allocate_runs(total, [Run(run.count, by(run.parts)) for run in units]))
    spread = []
    for run in units:
        left = run.count
        while left:
            piece = next(pieces)
            spread.append(UnitRun(piece.count, put(run.parts, piece.each)))
            left -= piece.count
    return tuple(spread)


def _split(units: Units, count: int) -> tuple[Units, Units]:
    """The first ``count`` units and the rest."""
    head: list[UnitRun] = []
    tail: list[UnitRun] = []
    for run in units:
        taken = min(run.count, count)
        count -= taken
        head += [UnitRun(taken, run.parts)] if taken else []
        tail += [UnitRun(run.count - taken, run.parts)] if taken < run.count else []
    return tuple(head), tuple(tail)


def _cost(units: Units) -> int:
    return sum(run.count * run.parts.paid for run in units)


def _floor(amount: int, facts: LineFacts, flags: list[Flag]) -> int:
    """``amount``, or zero and a flag when it is negative."""
    if amount >= 0:
        return amount
    flags.append(Flag(FlagCode.NEGATIVE_AMOUNT, amount, facts.external_id))
    return 0


def _order_flags(total: int, paid: int, cost: int, removed: int) -> list[Flag]:
    """Contradictions between the parts, the stated total and the payments.

    Platforms state the total before or after an edit: both agree with the parts.
    """
    flags = []
    if total not in {cost, cost + removed}:
        flags.append(Flag(FlagCode.TOTAL_DIFFERS, total - cost))
    if paid not in {total, total - removed}:
        flags.append(Flag(FlagCode.PAID_DIFFERS, paid - total))
    return flags


def _sum_flags(released: int, residue: int, unallocated: int) -> list[Flag]:
    """What rule 2 and 3 had to do."""
    amounts = {
        FlagCode.REMOVED_PAID: released,
        FlagCode.RESIDUE: residue,
        FlagCode.UNALLOCATED: unallocated,
    }
    return [Flag(code, amount) for code, amount in amounts.items() if amount]


def _seal(line: _Line, units: Units) -> CertifiedLine:
    """The finished line. Neighbouring runs differ already: each cut splits by what it gives."""
    facts = line.facts
    return CertifiedLine(
        external_id=facts.external_id,
        kind=facts.kind,
        quantity=facts.quantity,
        removed=facts.quantity - sum(run.count for run in units),
        removed_minor=line.removed_minor,
        taxes=tuple(CertifiedTax(t.title, t.rate, t.amount_minor) for t in facts.taxes),
        runs=units,
    )
