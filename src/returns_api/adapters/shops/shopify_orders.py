"""A Shopify order as facts: the snapshot, its parcels and its refunds.

Owns the mapping of the order's head. Refuses to own lines, payments, parcels and refunds (their own
modules) and the arithmetic between them.

``total_minor`` is ``total_price`` (after edits, before returns; ``current_total_price`` also falls
by refunds and would count them twice) with the cash rounding of its payment.
"""

from __future__ import annotations

from returns_api.adapters.shops.reading import Node
from returns_api.adapters.shops.shopify_lines import read_lines
from returns_api.adapters.shops.shopify_money import Currencies, amount, exact_id, read_currencies
from returns_api.adapters.shops.shopify_parcels import read_parcel
from returns_api.adapters.shops.shopify_payments import read_payments
from returns_api.adapters.shops.shopify_refunds import read_refunds, refunded_units
from returns_api.domain.orders import BuyerFacts, Observation, OrderFacts, OrderSeen

MAX_TAGS = 250
"""The platform's own limit."""


def parse_order(order: Node) -> tuple[Observation, ...]:
    """The order, then each of its parcels and refunds. Raises ``Unreadable`` naming the path."""
    order_id = exact_id(order)
    currencies = read_currencies(order)
    refunds = read_refunds(order["refunds"], order_id, currencies.order)
    facts = _facts(order, order_id, currencies, refunded_units(refunds))
    parcels = tuple(read_parcel(each, order_id) for each in order["fulfillments"])
    return (OrderSeen(facts), *parcels, *refunds)


def _facts(
    order: Node, order_id: str, currencies: Currencies, refunded: dict[str, int]
) -> OrderFacts:
    placed = order["processed_at"] if order["processed_at"] else order["created_at"]
    updated = order["updated_at"] if order["updated_at"] else placed
    return OrderFacts(
        external_id=order_id,
        number=order["name"].text() or f"#{order_id}",
        placed_at=placed.time(),
        updated_at=updated.time(),
        currency=currencies.order,
        taxes_included=order["taxes_included"].flag(),
        total_minor=_total(order, currencies),
        lines=read_lines(order, currencies, refunded),
        payments=read_payments(order["transactions"], currencies.order),
        buyer=_buyer(order),
        tags=_tags(order),
        channel=order["source_name"].text(),
        cancelled_at=order["cancelled_at"].optional_time(),
        financial_status=order["financial_status"].text(),
        test=order["test"].flag(),
    )


def _total(order: Node, currencies: Currencies) -> int:
    rounding = amount(order, "total_cash_rounding_payment_adjustment", currencies)
    return amount(order, "total_price", currencies) + rounding


def _tags(order: Node) -> tuple[str, ...]:
    tags = (tag.strip() for tag in (order["tags"].text() or "").split(","))
    return tuple(tag for tag in tags if tag)[:MAX_TAGS]


def _buyer(order: Node) -> BuyerFacts:
    """Whom the goods went to; the bill's address stands in where nothing was shipped."""
    customer = order["customer"]
    address = next(
        (
            found
            for found in (
                order["shipping_address"],
                order["billing_address"],
                customer["default_address"],
            )
            if found
        ),
        Node(None, "$"),
    )
    names = [address["first_name"].text(), address["last_name"].text()]
    country = address["country_code"].text()
    return BuyerFacts(
        email=order["email"].text() or order["contact_email"].text() or customer["email"].text(),
        phone=order["phone"].text() or customer["phone"].text() or address["phone"].text(),
        name=address["name"].text() or " ".join(filter(None, names)) or None,
        customer_id=exact_id(customer) if customer else None,
        locale=order["customer_locale"].text(),
        street1=address["address1"].text(),
        street2=address["address2"].text(),
        city=address["city"].text(),
        region=address["province_code"].text() or address["province"].text(),
        postcode=address["zip"].text(),
        country=country.upper() if country and len(country) == 2 else None,
    )
