"""The allocation certificate: what each unit of an order cost, cut once, to the minor unit.

Owns the cut (``certify``), the frozen result and its JSON form, and its explanation. Refuses to own
what is refunded, when, and what is deducted: ``settlement`` reads a certificate for that. Nothing
else may compute a unit's share again.
"""

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
from returns_api.domain.allocation.certify import MAX_LINES, MAX_QUANTITY, certify
from returns_api.domain.allocation.codec import digest, digest_of, from_json, paid_for, to_json
from returns_api.domain.allocation.explain import PartExplained, explain_unit

__all__ = [
    "MAX_LINES",
    "MAX_QUANTITY",
    "Basis",
    "Certificate",
    "CertifiedLine",
    "CertifiedTax",
    "Flag",
    "FlagCode",
    "PartExplained",
    "UnitParts",
    "UnitRun",
    "certify",
    "digest",
    "digest_of",
    "explain_unit",
    "from_json",
    "paid_for",
    "to_json",
]
