"""The money side of accepted terms: what each unit claims, and under which rules it is settled.

A quote and the final settlement of a return read them alike. Refuses to own the terms (``terms``)
and how a settlement is worked out (``settlement``).
"""

from __future__ import annotations

from collections.abc import Mapping

from returns_api.domain.settlement import Claim, FreightPayer, PartKind, QuotedFees, Terms
from returns_api.domain.terms import NOTHING_CAME, LineTerms, ReturnTerms


def claim(line: str, unit: int, terms: LineTerms, grade: str | None = None) -> Claim:
    """One unit under the terms of its line; ``grade`` is what the warehouse found."""
    return Claim(
        line=line,
        unit=unit,
        deduction_ppm=0 if grade is None else terms.deduction_ppm(grade),
        because=grade,
        restocking_ppm=terms.restocking_ppm,
        came=grade not in NOTHING_CAME,
    )


def settlement_terms(
    terms: ReturnTerms, shipping_refunded: Mapping[str, int], *, quoting: bool
) -> Terms:
    """The money side of the accepted terms; after the quote, its fees are caps.

    What belongs to one line (grades, restocking) comes with its claims, see ``claim``.
    """
    worst = max((line.worst_ppm for line in terms.lines.values()), default=0)
    restocking = max((line.restocking_ppm for line in terms.lines.values()), default=0)
    return Terms(
        freight_payer=FreightPayer(terms.freight_payer),
        return_freight_minor=terms.freight_fee_minor,
        max_deduction_ppm=worst,
        refund_original_shipping=terms.refund_original_shipping,
        shipping_refunded=shipping_refunded,
        quoted=None
        if quoting
        else QuotedFees(
            return_freight_minor=terms.quoted_freight_minor,
            restocking_minor=terms.quoted_restocking_minor,
            restocking_ppm=restocking,
            deduction_ppm=worst,
        ),
        rules={PartKind.RETURN_FREIGHT: "return_shipping", PartKind.RESTOCKING_FEE: "restocking"},
    )
