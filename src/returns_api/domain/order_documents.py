"""The order document: our own form of an order, for shops whose platform we have no adapter for.

One JSON object an order, with its lines, payments, buyer and outbound parcels; the same by ``PUT``,
in a file that is imported and in one that was exported. Owns its fields and their bounds. Refuses
to own how it is read and becomes facts (``order_document_reading``).

Amounts are integer minor units of ``currency``; times carry an offset.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from returns_api.domain.orders import LineKind
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
