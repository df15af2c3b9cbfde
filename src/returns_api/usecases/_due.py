"""What is due for units of a return, by its accepted quote and the certificate that priced it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from returns_api.db import made_good
from returns_api.db import orders as order_rows
from returns_api.db import refunds as refund_rows
from returns_api.db import warehouse as warehouse_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.allocation import from_json
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.domain.made_good import Unit, less_elsewhere
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


async def claims_of(
    tx: Transaction, ret: ReturnRecord, exchanges: Sequence[ExchangeRecord] = ()
) -> list[Claim]:
    """The units that came back; those that were made good elsewhere meanwhile count zero, but for
    those for which ``exchanges`` gave new goods before. The payments must be locked."""
    claims = came_back(ret, await warehouse_rows.graded_units(tx, ret.id))
    given = {
        (each.line_external, unit)
        for each in exchanges
        if each.given and not each.in_advance
        for unit in each.units or ()
    }
    return await not_elsewhere(tx, ret, claims, given)


async def not_elsewhere(
    tx: Transaction, ret: ReturnRecord, claims: list[Claim], given: Collection[Unit] = ()
) -> list[Claim]:
    """The same units, of which those count zero that somebody gave back in a dashboard meanwhile:
    the platform named them, and nothing is paid for twice. ``given`` are made good here already."""
    return less_elsewhere(claims, await made_good.elsewhere(tx, ret.id), given)


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
