"""Why a unit costs what it costs: each part with its source, its whole and its rule.

Owns the sentences for auditors and agents (English; the buyer's texts are made elsewhere). Refuses
to own numbers: it only reads a certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from returns_api.domain.allocation.certificate import Certificate, CertifiedLine, UnitParts

_SPREAD: Final = "largest remainder over the line's units, ties to the earlier unit"

_RULES: Final = {
    "price": ("the line's unit price", "the same for each unit"),
    "line_discount": ("discounts on the line", f"{_SPREAD}, by price"),
    "order_discount": (
        "the line's share of discounts on the order, as the platform spread them",
        f"{_SPREAD}, by price less line discount",
    ),
    "tax_included": ("taxes inside the price, informational", f"{_SPREAD}, by net price, each tax"),
    "tax_added": ("taxes on top of the price", f"{_SPREAD}, by net price, each tax on its own"),
    "adjustment": (
        "what was paid less the sum of all parts of the order (rounding, contradictions)",
        "largest remainder over the order's goods by cost, then over its other lines",
    ),
}


@dataclass(frozen=True, slots=True)
class PartExplained:
    """One part of one unit. ``whole_minor`` is its sum over the line's remaining units, for
    ``adjustment`` the order's residue."""

    part: str
    amount_minor: int
    whole_minor: int
    source: str
    rule: str


def explain_unit(certificate: Certificate, line_id: str, unit_no: int) -> tuple[PartExplained, ...]:
    """Every non-zero part of one unit, and how it was cut. Amounts in minor units.

    Empty for a removed unit: it has no part in what is still paid. Raises ``Invalid`` for an
    unknown line or unit.
    """
    line = certificate.line(line_id)
    parts = line.unit(unit_no)
    wholes = {part: _whole(line, part) for part in _RULES}
    wholes["adjustment"] = certificate.residue_minor
    return tuple(
        PartExplained(part, amount, wholes[part], source, rule)
        for part, (source, rule) in _RULES.items()
        if (amount := _amount(parts, part))
    )


def _whole(line: CertifiedLine, part: str) -> int:
    return sum(run.count * _amount(run.parts, part) for run in line.runs)


def _amount(parts: UnitParts, part: str) -> int:
    return parts.as_dict()[part]
