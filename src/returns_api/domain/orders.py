"""Orders as facts: what a shop platform told us, in our words, before anything is stored.

An *observation* is order-tolerant: it says how one thing stood at one moment, never "add one". The
same observation twice, or an older one after a newer one, changes nothing. Amounts are integer
minor units of ``currency``; times are aware UTC datetimes. A platform's own contradictions are kept
as they came: nothing here is refused for its arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class LineKind(StrEnum):
    """What was sold. Everything that was charged is a line, so that everything is refunded once."""

    GOODS = "goods"
    SHIPPING = "shipping"
    DUTY = "duty"
    TIP = "tip"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class TaxFacts:
    """One tax on one line, over the whole quantity."""

    title: str
    amount_minor: int
    rate: str | None = None
    """The rate as the platform printed it, for explanation only; never used to compute."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line of an order. Discounts and taxes are over the whole quantity."""

    external_id: str
    kind: LineKind
    title: str
    quantity: int
    unit_price_minor: int
    line_discount_minor: int = 0
    order_discount_minor: int = 0
    """This line's share of discounts on the whole order, as the platform spread them."""
    taxes: tuple[TaxFacts, ...] = ()
    sku: str | None = None
    product_id: str | None = None
    variant_id: str | None = None
    vendor: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    weight_grams: int | None = None
    shippable: bool = True
    removed: int = 0
    """Units taken out by an order edit before they were shipped."""
    options: tuple[tuple[str, str], ...] = ()
    """What sets the variant apart from its product's others, by name: size, colour …"""


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """Money that was captured for the order, one per tender."""

    external_id: str
    gateway: str
    captured_minor: int
    currency: str
    provider_payment_id: str | None = None
    """The payment's id at the provider; None when the platform does not tell it."""


@dataclass(frozen=True, slots=True)
class BuyerFacts:
    """Personal data of the buyer; lives only where it can be erased."""

    email: str | None = None
    phone: str | None = None
    name: str | None = None
    customer_id: str | None = None
    locale: str | None = None
    street1: str | None = None
    street2: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2, upper case."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order as it stood at ``updated_at``."""

    external_id: str
    number: str
    placed_at: datetime
    updated_at: datetime
    currency: str
    taxes_included: bool
    total_minor: int
    """What the buyer owes for the order in all, as the platform states it."""
    lines: tuple[LineFacts, ...]
    payments: tuple[PaymentFacts, ...] = ()
    buyer: BuyerFacts = field(default_factory=BuyerFacts)
    tags: tuple[str, ...] = ()
    channel: str | None = None
    cancelled_at: datetime | None = None
    financial_status: str | None = None
    test: bool = False


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    """Money that was captured for an order, told apart from any snapshot of it.

    Some platforms never put payments into the order's own message.
    """

    order_external_id: str
    payment: PaymentFacts


@dataclass(frozen=True, slots=True)
class ParcelLine:
    line_external_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """A snapshot of the whole order; the newest ``updated_at`` wins."""

    order: OrderFacts


@dataclass(frozen=True, slots=True)
class ParcelSeen:
    """A snapshot of one outbound parcel (a platform's *fulfillment*)."""

    order_external_id: str
    external_id: str
    lines: tuple[ParcelLine, ...]
    shipped_at: datetime | None
    updated_at: datetime
    delivered_at: datetime | None = None
    cancelled: bool = False
    carrier: str | None = None
    tracking_codes: tuple[str, ...] = ()
    missed: str | None = None
    """``refused`` or ``lost``: why it does not reach its buyer, by its tracking."""


@dataclass(frozen=True, slots=True)
class ParcelDelivered:
    """A delivery scan of an outbound parcel; the earliest scan counts."""

    order_external_id: str
    parcel_external_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OutsideRefundLine:
    line_external_id: str
    quantity: int
    unsent: bool = False
    """The platform says that these units were not sent, and are not to be any more."""


@dataclass(frozen=True, slots=True)
class OutsideShipping:
    """What such a refund gave back of a shipping line; ``tax_minor`` comes on top where prices are
    without tax."""

    line_external_id: str
    amount_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class OutsideRefundMoney:
    """One movement of a refund that was made in the platform's dashboard."""

    external_id: str
    payment_external_id: str | None
    amount_minor: int
    currency: str
    succeeded: bool
    provider_refund_id: str | None = None


@dataclass(frozen=True, slots=True)
class OutsideRefundSeen:
    """A refund made elsewhere: always recorded, even above what was captured."""

    order_external_id: str
    external_id: str
    at: datetime
    lines: tuple[OutsideRefundLine, ...]
    money: tuple[OutsideRefundMoney, ...]
    shipping: tuple[OutsideShipping, ...] = ()


@dataclass(frozen=True, slots=True)
class DisputeSeen:
    """A chargeback or inquiry told by the shop platform."""

    order_external_id: str | None
    external_id: str
    amount_minor: int
    currency: str
    status: str
    open: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class PlatformReturnSeen:
    """A return that was opened or moved in the shop platform itself; kept for the record."""

    order_external_id: str | None
    external_id: str
    status: str | None


@dataclass(frozen=True, slots=True)
class PersonErased:
    """The platform passes on a person's wish to be erased."""

    customer_id: str | None
    email: str | None
    order_external_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonDataRequested:
    customer_id: str | None
    email: str | None
    order_external_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShopErased:
    """The shop's data is to be erased (48 hours after the app was removed)."""


@dataclass(frozen=True, slots=True)
class AppRemoved:
    """The merchant removed the app: stop acting for the shop, keep its books."""


Observation = (
    OrderSeen
    | PaymentSeen
    | ParcelSeen
    | ParcelDelivered
    | OutsideRefundSeen
    | DisputeSeen
    | PlatformReturnSeen
    | PersonErased
    | PersonDataRequested
    | ShopErased
    | AppRemoved
)
