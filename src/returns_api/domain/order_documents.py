"""The order document: our own form of an order, for shops whose platform we have no adapter for.

One JSON object an order, with its lines, payments, buyer and outbound parcels; the same by ``PUT``,
in a file that is imported and in one that was exported. Owns its fields, their bounds and how it
becomes facts. Refuses to own what follows from the facts: they go the way of every platform's.

Amounts are integer minor units of ``currency``; times carry an offset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from returns_api.domain.errors import DoesNotFit, Invalid
from returns_api.domain.money import exponent
from returns_api.domain.orders import (
    BuyerFacts,
    LineFacts,
    LineKind,
    OrderFacts,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
    TaxFacts,
)
from returns_api.domain.shops import LOCALE
from returns_api.domain.wire import (
    Minor,
    MomentIn,
    NoBool,
    Quantity,
    ShortText,
    Storable,
    TextFormat,
)

LINES_MAX: Final = 500
PAYMENTS_MAX: Final = 20
PARCELS_MAX: Final = 100
TAGS_MAX: Final = 50
OPTIONS_MAX: Final = 10
PROBLEMS_MAX: Final = 20
"""Named of one document; the rest would be found by sending it again."""
LINE_BYTES_MAX: Final = 1_000_000
"""One document in a file."""

EXTERNAL_ID: Final = r"^[!-.0-~]{1,100}$"
"""Visible ASCII without a slash, so that it can stand in an address."""

ExternalId = Annotated[str, StringConstraints(pattern=EXTERNAL_ID)]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$"), TextFormat("iso-4217")]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
Count = Annotated[int, Field(ge=0, le=100_000), NoBool]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100), Storable]
Flag = Annotated[bool, Field(strict=True)]
OptionName = Annotated[str, StringConstraints(min_length=1, max_length=60), Storable]


class Part(BaseModel):
    """A part of the document: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TaxDocument(Part):
    """One tax over a line's whole quantity."""

    title: ShortText
    amount: Minor
    rate: ShortText | None = Field(None, description="As printed; never computed with.")


class LineDocument(Part):
    """One line; shipping, duties, tips and fees are lines too."""

    external_id: ExternalId = Field(description="Unique within the order.")
    kind: LineKind = LineKind.GOODS
    title: ShortText
    quantity: Quantity
    unit_price: Minor
    line_discount: Minor = Field(0, description="Over the whole quantity.")
    order_discount: Minor = Field(0, description="This line's share of discounts on the order.")
    taxes: list[TaxDocument] = Field(default=[], max_length=20)
    sku: ShortText | None = None
    product_id: ShortText | None = None
    variant_id: ShortText | None = None
    vendor: ShortText | None = None
    category: ShortText | None = None
    tags: list[Tag] = Field(default=[], max_length=TAGS_MAX)
    options: dict[OptionName, Tag] = Field(
        default={},
        max_length=OPTIONS_MAX,
        description="What sets the variant apart: size, colour … Reports count by them.",
    )
    weight_grams: Annotated[int, Field(ge=0, le=10_000_000), NoBool] | None = None
    shippable: Flag = True
    removed: Count = Field(0, description="Units taken out before they were shipped.")


class PaymentDocument(Part):
    """Money that was captured, one per tender."""

    external_id: ExternalId
    gateway: ShortText = Field(description="The connection whose gateways name it refunds it.")
    captured: Minor
    currency: Currency
    provider_payment_id: ShortText | None = Field(
        None, description="The payment's id at the provider; without it nobody can refund it there."
    )


class BuyerDocument(Part):
    """Who bought; kept where it can be erased."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=320), Storable] | None = None
    phone: ShortText | None = None
    name: ShortText | None = None
    customer_id: ShortText | None = None
    locale: Annotated[str, StringConstraints(pattern=f"^{LOCALE.pattern}$")] | None = None
    street1: ShortText | None = None
    street2: ShortText | None = None
    city: ShortText | None = None
    region: ShortText | None = None
    postcode: ShortText | None = None
    country: Country | None = Field(None, description="ISO 3166-1 alpha-2.")


class ParcelLineDocument(Part):
    line: ExternalId
    quantity: Quantity


class ParcelDocument(Part):
    """An outbound parcel. One that is left out of a later document stays as it was."""

    external_id: ExternalId
    lines: list[ParcelLineDocument] = Field(max_length=LINES_MAX)
    shipped_at: MomentIn | None = None
    delivered_at: MomentIn | None = None
    cancelled: Flag = False
    carrier: ShortText | None = None
    tracking: list[ShortText] = Field(default=[], max_length=20)
    missed: Literal["refused", "lost"] | None = Field(
        None,
        description="By its tracking it does not reach its buyer: a cancellation follows.",
    )


EXAMPLE: Final[dict[str, Any]] = {
    "external_id": "A-1001",
    "number": "#1001",
    "placed_at": "2026-11-01T09:00:00Z",
    "updated_at": "2026-11-06T13:04:10Z",
    "currency": "EUR",
    "taxes_included": True,
    "total": 10390,
    "lines": [
        {
            "external_id": "1",
            "title": "Field jacket, M",
            "sku": "JKT-M-OLIVE",
            "options": {"colour": "olive", "size": "M"},
            "quantity": 1,
            "unit_price": 9900,
            "taxes": [{"title": "VAT 19%", "amount": 1581, "rate": "0.19"}],
        },
        {
            "external_id": "shipping",
            "kind": "shipping",
            "title": "Standard",
            "quantity": 1,
            "unit_price": 490,
            "shippable": False,
        },
    ],
    "payments": [
        {
            "external_id": "p1",
            "gateway": "stripe",
            "captured": 10390,
            "currency": "EUR",
            "provider_payment_id": "pi_3Q0aXkLkdIwHu7ix",
        }
    ],
    "buyer": {"email": "anna@example.com", "name": "Anna Beispiel", "country": "DE"},
    "parcels": [
        {
            "external_id": "1",
            "lines": [{"line": "1", "quantity": 1}],
            "shipped_at": "2026-11-03T08:00:00Z",
            "delivered_at": "2026-11-06T13:03:00Z",
            "carrier": "DHL",
            "tracking": ["00340434161094000000"],
        }
    ],
}


class OrderDocument(Part):
    """One order as the shop has it. A later ``updated_at`` takes the place of what was known."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    external_id: ExternalId = Field(description="The shop's own id of the order.")
    number: Annotated[str, StringConstraints(min_length=1, max_length=64), Storable] = Field(
        description="What the buyer knows it by."
    )
    placed_at: MomentIn
    updated_at: MomentIn = Field(description="The document's version: later ones win.")
    currency: Currency
    taxes_included: Flag = Field(True, description="Whether prices hold the taxes.")
    total: Minor = Field(description="What the buyer owes for the order in all.")
    lines: list[LineDocument] = Field(min_length=1, max_length=LINES_MAX)
    payments: list[PaymentDocument] = Field(default=[], max_length=PAYMENTS_MAX)
    buyer: BuyerDocument = Field(default_factory=BuyerDocument)
    parcels: list[ParcelDocument] = Field(default=[], max_length=PARCELS_MAX)
    tags: list[Tag] = Field(default=[], max_length=TAGS_MAX)
    channel: ShortText | None = None
    financial_status: ShortText | None = None
    cancelled_at: MomentIn | None = None
    test: Flag = False


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
