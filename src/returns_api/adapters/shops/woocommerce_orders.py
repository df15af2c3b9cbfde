"""A WooCommerce order as facts: the snapshot, its one parcel, and what it tells of refunds.

**Amounts.** ``subtotal`` is a line before coupons, ``total`` after them, both without tax whatever
``prices_include_tax`` says; taxes stand beside. So a certificate is made without taxes in prices.
The platform knows no unit price: it is the subtotal cut by the quantity, rounded up, and what that
is too much counts as the line's own discount, so that every line costs exactly its ``total``.

**Payment.** One per order: it counts as captured from ``date_paid`` on, over the order's total,
through the gateway ``payment_method``, and is ``transaction_id`` at the provider.

**Parcel.** The core knows no parcels: an order that was completed has left, whole.

**Times** without an offset are told twice; the one in GMT is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from returns_api.adapters.shops.reading import Node
from returns_api.adapters.shops.woocommerce_refunds import read_refund_totals
from returns_api.domain.orders import (
    BuyerFacts,
    LineFacts,
    LineKind,
    Observation,
    OrderFacts,
    OrderSeen,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
    TaxFacts,
)

PAYMENT: Final = "payment"
"""The outside name of an order's one payment."""
PARCEL: Final = "completed"
_ATTRIBUTE: Final = "pa_"
_UNBOUGHT: Final = frozenset({"auto-draft", "checkout-draft", "draft"})
_CANCELLED: Final = frozenset({"cancelled", "trash"})


def parse_order(order: Node) -> tuple[Observation, ...]:
    """The order, its parcel once it was completed, and its refunds.

    A draft of the check-out is no order yet. Raises ``Unreadable`` naming the JSON path.
    """
    if order["status"].text() in _UNBOUGHT:
        return ()
    order_id, currency = order["id"].identifier(), order["currency"].currency()
    facts = _facts(order, order_id, currency)
    refunds = read_refund_totals(order, order_id, currency, PAYMENT)
    return (OrderSeen(facts), *_parcels(order, order_id, facts), *refunds)


def _facts(order: Node, order_id: str, currency: str) -> OrderFacts:
    placed = order["date_created_gmt"].gmt() or order["date_created_gmt"].refuse("is missing")
    updated = order["date_modified_gmt"].gmt() or placed
    status = order["status"].text()
    return OrderFacts(
        external_id=order_id,
        number=_number(order, order_id),
        placed_at=placed,
        updated_at=updated,
        currency=currency,
        taxes_included=False,
        total_minor=order["total"].amount(currency),
        lines=_lines(order, currency),
        payments=_payments(order, currency),
        buyer=_buyer(order),
        channel=order["created_via"].text(),
        cancelled_at=updated if status in _CANCELLED else None,
        financial_status=status,
    )


def _number(order: Node, order_id: str) -> str:
    """A plug-in may number orders in its own way, with letters or as a number."""
    told = order["number"].value
    return f"#{told if isinstance(told, int) else order['number'].text() or order_id}"


def _lines(order: Node, currency: str) -> tuple[LineFacts, ...]:
    titles = {
        rate["rate_id"].optional_identifier(): rate["label"].text() or "Tax"
        for rate in order["tax_lines"]
    }
    goods = [_item(item, currency, titles) for item in order["line_items"]]
    shipping = [
        _charge(item, currency, titles, "shipping", LineKind.SHIPPING, "method_title")
        for item in order["shipping_lines"]
    ]
    fees = [
        _charge(item, currency, titles, "fee", LineKind.FEE, "name") for item in order["fee_lines"]
    ]
    return (*goods, *fees, *shipping)


def _item(item: Node, currency: str, titles: dict[str | None, str]) -> LineFacts:
    line_id, quantity = item["id"].identifier(), item["quantity"].count()
    total = item["total"].amount(currency)
    before = max(item["subtotal"].amount(currency) if item["subtotal"] else total, total)
    price = -(-before // quantity) if quantity else 0
    product, variant = item["product_id"].optional_identifier(), _nonzero(item["variation_id"])
    return LineFacts(
        external_id=line_id,
        kind=LineKind.GOODS,
        title=item["name"].text() or line_id,
        quantity=quantity,
        unit_price_minor=price,
        line_discount_minor=price * quantity - before if quantity else 0,
        order_discount_minor=before - total,
        taxes=_taxes(item, currency, titles),
        sku=item["sku"].text(),
        product_id=product,
        variant_id=variant,
        options=tuple(_options(item)),
    )


def _options(item: Node) -> Iterator[tuple[str, str]]:
    """The attributes of a variation; the platform names those of the whole shop ``pa_…``.

    Plugins put anything beside them, which is none of ours.
    """
    for meta in item["meta_data"]:
        key, value = meta["key"], meta["value"]
        if isinstance(key.value, str) and isinstance(value.value, str):
            name, chosen = key.text() or "", value.text()
            if name.startswith(_ATTRIBUTE) and chosen:
                yield name.removeprefix(_ATTRIBUTE), chosen


def _charge(
    item: Node,
    currency: str,
    titles: dict[str | None, str],
    prefix: str,
    kind: LineKind,
    name: str,
) -> LineFacts:
    line_id = f"{prefix}:{item['id'].identifier()}"
    return LineFacts(
        external_id=line_id,
        kind=kind,
        title=item[name].text() or prefix.capitalize(),
        quantity=1,
        unit_price_minor=item["total"].amount(currency),
        taxes=_taxes(item, currency, titles),
        shippable=False,
    )


def _taxes(item: Node, currency: str, titles: dict[str | None, str]) -> tuple[TaxFacts, ...]:
    """Each rate's share; the line's sum where the rates are not told."""
    each = [
        TaxFacts(titles.get(tax["id"].optional_identifier(), "Tax"), tax["total"].amount(currency))
        for tax in item["taxes"]
        if tax["total"]
    ]
    whole = item["total_tax"].amount(currency) if item["total_tax"] else 0
    return tuple(each) or ((TaxFacts("Tax", whole),) if whole else ())


def _payments(order: Node, currency: str) -> tuple[PaymentFacts, ...]:
    if order["date_paid_gmt"].gmt() is None:
        return ()
    return (
        PaymentFacts(
            external_id=PAYMENT,
            gateway=order["payment_method"].text() or "unknown",
            captured_minor=order["total"].amount(currency),
            currency=currency,
            provider_payment_id=order["transaction_id"].text(),
        ),
    )


def _parcels(order: Node, order_id: str, facts: OrderFacts) -> tuple[ParcelSeen, ...]:
    completed = order["date_completed_gmt"].gmt()
    if completed is None:
        return ()
    inside = [
        ParcelLine(line.external_id, line.quantity)
        for line in facts.lines
        if line.shippable and line.quantity
    ]
    return (
        ParcelSeen(
            order_external_id=order_id,
            external_id=PARCEL,
            lines=tuple(inside),
            shipped_at=completed,
            updated_at=facts.updated_at,
        ),
    )


def _buyer(order: Node) -> BuyerFacts:
    """Whom the goods went to; the bill's address stands in where nothing was shipped."""
    bill, ship = order["billing"], order["shipping"]
    address = ship if ship["address_1"] else bill
    names = [address["first_name"].text(), address["last_name"].text()]
    country = address["country"].text()
    return BuyerFacts(
        email=bill["email"].text(),
        phone=bill["phone"].text(),
        name=" ".join(filter(None, names)) or None,
        customer_id=_nonzero(order["customer_id"]),
        street1=address["address_1"].text(),
        street2=address["address_2"].text(),
        city=address["city"].text(),
        region=address["state"].text(),
        postcode=address["postcode"].text(),
        country=country.upper() if country and len(country) == 2 else None,
    )


def _nonzero(node: Node) -> str | None:
    """Nobody and nothing are told as 0."""
    found = node.optional_identifier()
    return None if found == "0" else found
