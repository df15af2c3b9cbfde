"""The certificate as data: frozen, looked up by line and unit, checked to add up whenever built.

Owns the facts of the cut and its invariant: the units' ``paid`` plus ``unallocated_minor`` is
``paid_minor``, exactly. Refuses to own how the shares came to be (``certify``) and how they are
stored as JSON (``codec``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from returns_api.domain.errors import Invalid
from returns_api.domain.orders import LineKind


class Basis(StrEnum):
    """What the units' shares sum to."""

    PAYMENTS = "payments"
    """The captured payments in the order's currency."""
    TOTAL = "total"
    """The order's total: no payment is known yet."""


class FlagCode(StrEnum):
    """Contradictions that were reconciled, never refused. A person may want to look."""

    RESIDUE = "residue"
    """The parts do not sum to what was paid; the difference was spread over the units."""
    TOTAL_DIFFERS = "total_differs_from_parts"
    """The platform's total is neither the sum of all units nor of those that were not removed."""
    PAID_DIFFERS = "paid_differs_from_total"
    """The captured payments are not the platform's total."""
    NO_PAYMENT = "no_payment_facts"
    """No payment is known yet: the order's total stands for what was paid."""
    REMOVED_PAID = "removed_units_were_paid"
    """Units that an edit took out were paid; that money is not shared among the rest."""
    DISCOUNT_ABOVE_PRICE = "discount_above_price"
    """A line's discounts exceed its price; the excess was dropped."""
    TAX_ABOVE_PRICE = "tax_above_price"
    """A line's included taxes exceed what the line costs."""
    NEGATIVE_AMOUNT = "negative_amount"
    """An amount that cannot be negative was; it was taken as zero."""
    FOREIGN_PAYMENT = "payment_in_other_currency"
    """A payment in another currency was left out of the sum."""
    UNALLOCATED = "nothing_to_refund_against"
    """Money was paid, but no unit is left to carry it."""


@dataclass(frozen=True, slots=True)
class Flag:
    code: FlagCode
    amount_minor: int
    line: str | None = None
    """The line's external id; None when the flag concerns the whole order."""


@dataclass(frozen=True, slots=True)
class UnitParts:
    """One unit's share of everything, in minor units. ``paid`` is what this unit refunds.

    ``line_discount`` and ``order_discount`` are zero or less. ``tax_included`` is informational: it
    is inside the price. ``adjustment`` is the unit's share of the residue and may have any sign.
    ``taxes`` lines up with the line's ``taxes`` and sums to the one of the two that applies.
    """

    price: int = 0
    line_discount: int = 0
    order_discount: int = 0
    tax_included: int = 0
    tax_added: int = 0
    adjustment: int = 0
    taxes: tuple[int, ...] = ()

    @property
    def net(self) -> int:
        """The price after discounts: what taxes are spread by."""
        return self.price + self.line_discount + self.order_discount

    @property
    def paid(self) -> int:
        return self.net + self.tax_added + self.adjustment

    def as_dict(self) -> dict[str, int]:
        """The parts as the quote's ``of``: all that add up to ``paid``, and the included tax."""
        names = ("price", "line_discount", "order_discount", "tax_added", "adjustment")
        parts = {name: getattr(self, name) for name in names}
        return {**parts, "tax_included": self.tax_included}


@dataclass(frozen=True, slots=True)
class UnitRun:
    """``count`` consecutive units with the same parts."""

    count: int
    parts: UnitParts


@dataclass(frozen=True, slots=True)
class CertifiedTax:
    title: str
    rate: str | None
    amount_minor: int
    """The tax over the whole quantity, as the platform stated it."""


@dataclass(frozen=True, slots=True)
class CertifiedLine:
    """One line. Its units are numbered from 1; the last ``removed`` ones were edited out."""

    external_id: str
    kind: LineKind
    quantity: int
    removed: int
    removed_minor: int
    """What the removed units would have cost; no other unit carries it."""
    taxes: tuple[CertifiedTax, ...]
    runs: tuple[UnitRun, ...]
    """The units that were not removed, in order."""

    @property
    def live(self) -> int:
        """Units that were not removed."""
        return self.quantity - self.removed

    @property
    def paid_minor(self) -> int:
        return sum(run.count * run.parts.paid for run in self.runs)

    def unit(self, unit_no: int) -> UnitParts:
        """The parts of one unit; all zero for a removed one.

        Raises ``Invalid`` for a number that is not a unit of this line.
        """
        if not 1 <= unit_no <= self.quantity:
            detail = f"Line {self.external_id} has no unit {unit_no}."
            raise Invalid(detail, errors=[{"field": "unit", "message": detail}])
        passed = 0
        for run in self.runs:
            passed += run.count
            if unit_no <= passed:
                return run.parts
        return UnitParts(taxes=(0,) * len(self.taxes))

    def units(self) -> Iterator[tuple[int, UnitParts]]:
        """Each unit that was not removed, with its number."""
        parts = (run.parts for run in self.runs for _ in range(run.count))
        return enumerate(parts, start=1)


@dataclass(frozen=True)
class Certificate:
    """What each unit of one version of an order cost. Amounts in minor units of ``currency``."""

    order_external_id: str
    currency: str
    taxes_included: bool
    basis: Basis
    total_minor: int
    """The order's total as the platform stated it."""
    captured_minor: int
    """What the basis says was paid, removed units included."""
    released_minor: int
    """The part of it that belongs to removed units: the platform gives it back, returns do not."""
    residue_minor: int
    """``paid_minor`` less the sum of the parts; spread over the units as ``adjustment``."""
    unallocated_minor: int
    """Paid, but there is no unit to carry it."""
    lines: tuple[CertifiedLine, ...]
    flags: tuple[Flag, ...] = ()

    def __post_init__(self) -> None:
        shared = sum(line.paid_minor for line in self.lines) + self.unallocated_minor
        counted = all(sum(r.count for r in line.runs) == line.live for line in self.lines)
        if shared != self.paid_minor or not counted:
            raise ValueError("the certificate does not add up")

    @property
    def paid_minor(self) -> int:
        """What all units together refund."""
        return self.captured_minor - self.released_minor

    @cached_property
    def _by_id(self) -> Mapping[str, CertifiedLine]:
        return {line.external_id: line for line in self.lines}

    def line(self, line_id: str) -> CertifiedLine:
        """Raises ``Invalid`` for a line that the order does not have."""
        found = self._by_id.get(line_id)
        if found is None:
            detail = f"The order has no line {line_id}."
            raise Invalid(detail, errors=[{"field": "line", "message": detail}])
        return found

    def has_line(self, line_id: str) -> bool:
        return line_id in self._by_id

    def line_units(self, line_id: str) -> int:
        """How many units of the line were not removed. Raises ``Invalid`` like ``line``."""
        return self.line(line_id).live

    def unit(self, line_id: str, unit_no: int) -> UnitParts:
        """The parts of one unit. Raises ``Invalid`` for an unknown line or unit."""
        return self.line(line_id).unit(unit_no)

    def unit_paid(self, line_id: str, unit_no: int) -> int:
        """What one unit refunds. Raises ``Invalid`` for an unknown line or unit."""
        return self.unit(line_id, unit_no).paid

    def units(self) -> Iterator[tuple[str, int, UnitParts]]:
        """Every unit that was not removed: line id, unit number, parts."""
        for line in self.lines:
            for number, parts in line.units():
                yield line.external_id, number, parts
