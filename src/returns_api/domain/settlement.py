"""What a return pays: units and terms in, parts and transfers out.

The same pure call makes the binding quote and, after the inspection, the final settlement. Owns
which deductions apply and in which order they are cut. Refuses to own the units' shares
(``allocation``), what the policy or the law allows (the terms come capped by law), what is left of
a payment (``refundable``), how a sum is drained over the payments (``tenders``), reservations and
provider calls.

Deductions are taken in this order, each from what the ones before left over, so that the last
ones are cut first when there is not enough: (1) the grade deduction of a unit and (2) its
restocking fee, both out of that unit's own refund; (3) the return freight, out of the whole.
Nothing ever falls below zero. Rates are parts per million of what the unit refunds, rounded in the
buyer's favour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from returns_api.domain.allocation import Certificate, UnitParts
from returns_api.domain.errors import Invalid
from returns_api.domain.orders import LineKind
from returns_api.domain.tenders import Tender, Transfer, drain

PPM: Final = 1_000_000
MAX_CLAIMS: Final = 10_000
"""Most units in one settlement."""


class FreightPayer(StrEnum):
    BUYER = "buyer"
    MERCHANT = "merchant"


class PartKind(StrEnum):
    """What a part of a settlement is. The first five are the kinds of order lines."""

    GOODS = "goods"
    SHIPPING = "shipping"
    DUTY = "duty"
    TIP = "tip"
    FEE = "fee"
    GRADE_DEDUCTION = "grade_deduction"
    RESTOCKING_FEE = "restocking_fee"
    RETURN_FREIGHT = "return_freight"


@dataclass(frozen=True, slots=True)
class Claim:
    """One unit that comes back: a line's external id and a unit number of the certificate."""

    line: str
    unit: int
    deduction_ppm: int = 0
    """What the grade takes off, of what the unit refunds."""
    because: str | None = None
    """The grade or rule behind the deduction."""
    restocking_ppm: int | None = None
    """The unit's own restocking fee; None takes the one of the terms."""
    came: bool = True
    """False when an empty box or something else came instead: the unit earns no shipping."""
    settled_by: str | None = None
    """Set when the unit was made good elsewhere (an exchange): nothing is due for it."""

    @property
    def earns(self) -> bool:
        """Whether the unit is worth anything: new goods are given for such ones alone."""
        return self.came and self.deduction_ppm < PPM and self.settled_by is None


@dataclass(frozen=True, slots=True)
class QuotedFees:
    """The most that may be deducted: what the accepted quote showed. All zero means no fee."""

    return_freight_minor: int = 0
    restocking_minor: int = 0
    restocking_ppm: int = 0
    deduction_ppm: int = 0
    """The largest grade deduction that the quote announced as possible later."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policy decided, already capped by law. ``quoted`` is None while quoting."""

    freight_payer: FreightPayer = FreightPayer.MERCHANT
    return_freight_minor: int = 0
    restocking_ppm: int = 0
    max_deduction_ppm: int = 0
    """The worst grade's deduction, announced in a quote; not applied by itself."""
    refund_original_shipping: bool = False
    shipping_refunded: Mapping[str, int] = field(default_factory=dict)
    """What was refunded of each shipping line before, by whatever way, in minor units."""
    quoted: QuotedFees | None = None
    rules: Mapping[PartKind, str] = field(default_factory=dict)
    """The rule or law that set each fee, for the explanation."""


@dataclass(frozen=True, slots=True)
class Part:
    """One summand of the total; deductions are negative."""

    kind: PartKind
    amount_minor: int
    line: str | None = None
    unit: int | None = None
    of: UnitParts | None = None
    because: Mapping[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """JSON-ready, in the shape of a quote's part; what does not apply is left out."""
        shown = {
            "kind": self.kind.value,
            "line": self.line,
            "unit": self.unit,
            "amount": self.amount_minor,
            "of": self.of and self.of.as_dict(),
            "because": dict(self.because) or None,
        }
        return {name: value for name, value in shown.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is due and which way it goes. ``total`` = sum of parts = transfers + uncovered."""

    currency: str
    total_minor: int
    parts: tuple[Part, ...]
    transfers: tuple[Transfer, ...]
    uncovered_minor: int
    """Due, but no tender has it left: store credit or another way, where the policy allows."""
    fees: QuotedFees
    """The caps that this quote, once accepted, puts on the final settlement."""

    def as_dict(self) -> dict[str, object]:
        """JSON-ready, in the shape of a quote's ``refund``."""
        return {"total": self.total_minor, "parts": [part.as_dict() for part in self.parts]}


def plan_settlement(
    certificate: Certificate, claims: Sequence[Claim], terms: Terms, tenders: Sequence[Tender]
) -> Settlement:
    """What the claimed units refund under ``terms``, drained over ``tenders`` in their order.

    The order of the claims does not matter. Original shipping is refunded once, net of its own
    discount, when at least one unit is due and came back; where the way back would eat all of it,
    it stays due to a later return. Raises ``Invalid`` for a unit that the certificate does not have
    or that was removed, a unit claimed twice, a shipping line claimed as a unit, and rates or
    amounts out of bounds.
    """
    ordered = _checked(certificate, claims, terms)
    charge = _Charge(terms)
    parts = [part for claim in ordered for part in charge.unit(certificate, claim)]
    due = [claim for claim in ordered if claim.settled_by is None]
    shipping = _shipping(certificate, terms) if any(claim.came for claim in due) else []
    if due:
        parts += charge.ways(_sum(parts), shipping)
    total = _sum(parts)
    transfers, uncovered = drain(total, tenders)
    return Settlement(
        currency=certificate.currency,
        total_minor=total,
        parts=tuple(parts),
        transfers=transfers,
        uncovered_minor=uncovered,
        fees=_caps(parts, ordered, terms),
    )


class _Charge:
    """The deductions of one settlement; keeps what is left of the quoted restocking fee."""

    def __init__(self, terms: Terms) -> None:
        quoted = terms.quoted
        self._rules = terms.rules
        self._freight = terms.return_freight_minor
        self._restocking_ppm = terms.restocking_ppm
        self._deduction_ppm = PPM
        self._restocking_cap = PPM
        self._restocking_left: int | None = None
        if terms.freight_payer is FreightPayer.MERCHANT:
            self._freight = 0
        if quoted is not None:
            self._freight = min(self._freight, quoted.return_freight_minor)
            self._restocking_cap = quoted.restocking_ppm
            self._restocking_left = quoted.restocking_minor
            self._deduction_ppm = quoted.deduction_ppm

    def unit(self, certificate: Certificate, claim: Claim) -> list[Part]:
        """A unit's refund and what is taken off it."""
        kind = PartKind(certificate.line(claim.line).kind.value)
        parts = certificate.unit(claim.line, claim.unit)
        if claim.settled_by is not None:
            because = {"settled_by": claim.settled_by}
            return [Part(kind, 0, claim.line, claim.unit, parts, because)]
        refund = Part(kind, parts.paid, claim.line, claim.unit, parts)
        if kind is not PartKind.GOODS:
            return [refund]
        grade = self._grade(claim, parts.paid)
        return [refund, *grade, *self._restocking(claim, parts.paid, grade)]

    def ways(self, left: int, shipping: list[Part]) -> list[Part]:
        """The way out, which is refunded, and the way back, which is charged. What pays nothing in
        the end leaves no refund that would tell that the way out was paid: it is none then."""
        both = shipping + self._return_freight(left + _sum(shipping))
        return both if left + _sum(both) else self._return_freight(left)

    def _return_freight(self, left: int) -> list[Part]:
        asked, taken = self._freight, min(self._freight, left)
        because = self._because(PartKind.RETURN_FREIGHT, asked, taken)
        part = Part(PartKind.RETURN_FREIGHT, -taken, because={**because, "payer": "buyer"})
        return [part] if asked else []

    def _grade(self, claim: Claim, paid: int) -> list[Part]:
        asked = paid * claim.deduction_ppm // PPM
        taken = paid * min(claim.deduction_ppm, self._deduction_ppm) // PPM
        because = self._because(PartKind.GRADE_DEDUCTION, asked, taken)
        if claim.because is not None:
            because["grade"] = claim.because
        part = Part(PartKind.GRADE_DEDUCTION, -taken, claim.line, claim.unit, because=because)
        return [part] if asked else []

    def _restocking(self, claim: Claim, paid: int, grade: list[Part]) -> list[Part]:
        rate = self._restocking_ppm if claim.restocking_ppm is None else claim.restocking_ppm
        asked = paid * rate // PPM
        capped = paid * min(rate, self._restocking_cap) // PPM
        taken = min(capped, paid + sum(part.amount_minor for part in grade))
        if self._restocking_left is not None:
            taken = min(taken, self._restocking_left)
            self._restocking_left -= taken
        because = self._because(PartKind.RESTOCKING_FEE, asked, taken)
        part = Part(PartKind.RESTOCKING_FEE, -taken, claim.line, claim.unit, because=because)
        return [part] if asked else []

    def _because(self, kind: PartKind, asked: int, taken: int) -> dict[str, object]:
        because: dict[str, object] = {"rule": self._rules[kind]} if kind in self._rules else {}
        return because if asked == taken else {**because, "asked": asked, "cut_to": taken}


def _sum(parts: Sequence[Part]) -> int:
    return sum(part.amount_minor for part in parts)


def _shipping(certificate: Certificate, terms: Terms) -> list[Part]:
    """What is left to refund of each shipping line."""
    if not terms.refund_original_shipping:
        return []
    parts = []
    for line in certificate.lines:
        if line.kind is LineKind.SHIPPING:
            before = max(terms.shipping_refunded.get(line.external_id, 0), 0)
            for number, unit in line.units():
                amount = max(unit.paid - before, 0)
                before -= unit.paid - amount
                parts.append(Part(PartKind.SHIPPING, amount, line.external_id, number, unit))
    return parts


def _caps(parts: Sequence[Part], claims: Sequence[Claim], terms: Terms) -> QuotedFees:
    """What the buyer was shown, and so the most that may be deducted later."""

    def shown(kind: PartKind) -> int:
        return -sum(part.amount_minor for part in parts if part.kind is kind)

    return QuotedFees(
        return_freight_minor=shown(PartKind.RETURN_FREIGHT),
        restocking_minor=shown(PartKind.RESTOCKING_FEE),
        restocking_ppm=max([terms.restocking_ppm, *(c.restocking_ppm or 0 for c in claims)]),
        deduction_ppm=terms.max_deduction_ppm,
    )


def _checked(certificate: Certificate, claims: Sequence[Claim], terms: Terms) -> list[Claim]:
    """The claims in the certificate's order, or ``Invalid``."""
    if len(claims) > MAX_CLAIMS or len({(c.line, c.unit) for c in claims}) != len(claims):
        raise _invalid("A unit is claimed twice, or there are too many units.", "claims")
    for claim in claims:
        line = certificate.line(claim.line)
        if line.kind is LineKind.SHIPPING:
            raise _invalid("Shipping is refunded by the terms, not as a unit.", "line")
        if not 1 <= claim.unit <= line.live:
            raise _invalid(f"Line {claim.line} has no unit {claim.unit} to return.", "unit")
    rates = [claim.deduction_ppm for claim in claims]
    rates += [claim.restocking_ppm for claim in claims if claim.restocking_ppm is not None]
    rates += [terms.restocking_ppm, terms.max_deduction_ppm]
    if not all(0 <= rate <= PPM for rate in rates) or terms.return_freight_minor < 0:
        raise _invalid("A rate or fee is out of bounds.", "terms")
    order = {line.external_id: index for index, line in enumerate(certificate.lines)}
    return sorted(claims, key=lambda claim: (order[claim.line], claim.unit))


def _invalid(detail: str, name: str) -> Invalid:
    return Invalid(detail, errors=[{"field": name, "message": detail}])
