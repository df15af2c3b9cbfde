"""What is due for units of a return, by its accepted quote and the certificate that priced it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from returns_api.db import orders as order_rows
from returns_api.db import refunds as refund_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.allocation import from_json
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import tenders
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.settlement import Claim, Settlement, plan_settlement
from returns_api.domain.settlement_terms import claim, settlement_terms


async def what_is_due(
    tx: Transaction,
    ret: ReturnRecord,
    payments: Sequence[PaymentRecord],
    claims: Sequence[Claim],
    *,
    in_goods: bool = False,
) -> Settlement:
    """The parts and their sum, never more than the quote announced; ``in_goods``: without the
    outbound shipping. The payments must be locked."""
    stored = await order_rows.certificate(tx, ret.order_id, ret.terms.certificate_version)
    shipping = await refund_rows.shipping_refunded(tx, ret.order_id, ret.id)
    terms = settlement_terms(ret.terms, shipping, quoting=False)
    if in_goods:
        terms = replace(terms, refund_original_shipping=False)
    certificate = from_json(stored)
    return plan_settlement(certificate, claims, terms, tenders(payments, certificate.currency))


def came_back(ret: ReturnRecord, graded: Sequence[Row]) -> list[Claim]:
    """The units that came back, with their grades where they have any.

    Money that is due at receipt may come before the inspection of some or all of them.
    """
    grades = {(unit["return_line_id"], unit["unit_no"]): unit["grade"] for unit in graded}
    return [
        claim(
            line.external_id,
            unit,
            ret.terms.of_line(line.order_line_id),
            grades.get((line.id, unit)),
        )
        for line in ret.open_lines()
        for unit in line.units[: line.received]
    ]
