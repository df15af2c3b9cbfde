"""How an order document is read: its bytes, what holds between its fields, and the facts it tells.

Refuses to own the fields themselves (``order_documents``) and what follows from the facts: they go
the way of every platform's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import ValidationError

from returns_api.domain.errors import DoesNotFit, Invalid
from returns_api.domain.money import exponent
from returns_api.domain.order_documents import (
    LineDocument,
    OrderDocument,
    ParcelDocument,
    PaymentDocument,
)
from returns_api.domain.orders import (
    BuyerFacts,
    LineFacts,
    OrderFacts,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
    TaxFacts,
)

PROBLEMS_MAX: Final = 20
"""Named of one document; the rest would be found by sending it again."""
LINE_BYTES_MAX: Final = 1_000_000
"""One document in a file."""


def read_document(raw: bytes) -> OrderDocument:
    """One document from its bytes, its fields consistent with each other.

    Raises:
        Invalid: it cannot be read; names each field and what would be right.
        DoesNotFit: its parts contradict each other; names them.
    """
    if len(raw) > LINE_BYTES_MAX:
        problem = f"should have at most {LINE_BYTES_MAX} bytes"
        raise Invalid("The document is too long.", errors=[{"field": "", "problem": problem}])
    try:
        document = OrderDocument.model_validate_json(raw)
    except ValidationError as error:
        found = [
            {"field": _place(each["loc"]), "problem": each["msg"][:300]}
            for each in error.errors(include_input=False, include_url=False)[:PROBLEMS_MAX]
        ]
        raise Invalid("The document cannot be read.", errors=found) from None
    check(document)
    return document


def check(document: OrderDocument) -> None:
    """What holds between fields. Raises ``DoesNotFit`` naming each that does not."""
    found = list(_contradictions(document))[:PROBLEMS_MAX]
    if found:
        errors = [{"field": field, "problem": problem} for field, problem in found]
        raise DoesNotFit("The parts of the document contradict each other.", errors=errors)


def order_facts(document: OrderDocument) -> OrderFacts:
    """The order in our words."""
    return OrderFacts(
        external_id=document.external_id,
        number=document.number,
        placed_at=document.placed_at,
        updated_at=document.updated_at,
        currency=document.currency,
        taxes_included=document.taxes_included,
        total_minor=document.total,
        lines=tuple([_line_facts(line) for line in document.lines]),
        payments=tuple(
            [
                PaymentFacts(
                    each.external_id,
                    each.gateway,
                    each.captured,
                    each.currency,
                    each.provider_payment_id,
                )
                for each in document.payments
            ]
        ),
        buyer=BuyerFacts(**document.buyer.__dict__),
        tags=tuple(document.tags),
        channel=document.channel,
        cancelled_at=document.cancelled_at,
        financial_status=document.financial_status,
        test=document.test,
    )


def parcel_facts(document: OrderDocument) -> tuple[ParcelSeen, ...]:
    """Its parcels, as they stood when the document was written."""
    return tuple(
        [
            ParcelSeen(
                order_external_id=document.external_id,
                external_id=parcel.external_id,
                lines=tuple([ParcelLine(each.line, each.quantity) for each in parcel.lines]),
                shipped_at=parcel.shipped_at,
                updated_at=document.updated_at,
                delivered_at=parcel.delivered_at,
                cancelled=parcel.cancelled,
                carrier=parcel.carrier,
                tracking_codes=tuple(parcel.tracking),
                missed=parcel.missed,
            )
            for parcel in document.parcels
        ]
    )


def _line_facts(line: LineDocument) -> LineFacts:
    return LineFacts(
        external_id=line.external_id,
        kind=line.kind,
        title=line.title,
        quantity=line.quantity,
        unit_price_minor=line.unit_price,
        line_discount_minor=line.line_discount,
        order_discount_minor=line.order_discount,
        taxes=tuple([TaxFacts(tax.title, tax.amount, tax.rate) for tax in line.taxes]),
        sku=line.sku,
        product_id=line.product_id,
        variant_id=line.variant_id,
        vendor=line.vendor,
        category=line.category,
        tags=tuple(line.tags),
        weight_grams=line.weight_grams,
        shippable=line.shippable,
        removed=line.removed,
        options=tuple(sorted(line.options.items())),
    )


def _contradictions(document: OrderDocument) -> Iterator[tuple[str, str]]:
    for field, code in (
        ("currency", document.currency),
        *((f"payments[{n}].currency", each.currency) for n, each in enumerate(document.payments)),
    ):
        try:
            exponent(code)
        except Invalid:
            yield field, "should be an ISO 4217 currency with a minor unit"
    yield from _repeated("lines", document.lines)
    yield from _repeated("payments", document.payments)
    yield from _repeated("parcels", document.parcels)
    lines = {line.external_id: line for line in document.lines}
    for n, line in enumerate(document.lines):
        if line.removed > line.quantity:
            yield f"lines[{n}].removed", f"should be at most the quantity, {line.quantity}"
    sent = dict.fromkeys(lines, 0)
    for n, parcel in enumerate(document.parcels):
        for m, inside in enumerate(parcel.lines):
            place = f"parcels[{n}].lines[{m}]"
            if inside.line not in lines:
                yield f"{place}.line", "should be the external_id of a line of this order"
                continue
            sent[inside.line] += 0 if parcel.cancelled else inside.quantity
            if sent[inside.line] > lines[inside.line].quantity:
                most = lines[inside.line].quantity
                yield f"{place}.quantity", f"should leave all parcels with at most {most} units"


def _repeated(
    name: str, parts: Sequence[LineDocument | PaymentDocument | ParcelDocument]
) -> Iterator[tuple[str, str]]:
    seen = set()
    for n, part in enumerate(parts):
        if part.external_id in seen:
            yield f"{name}[{n}].external_id", f"should be unique among {name}"
        seen.add(part.external_id)


def _place(steps: Sequence[int | str]) -> str:
    """``lines[0].quantity``."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
