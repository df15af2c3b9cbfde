"""Everything that a Shopify order charges, as lines: goods, tips, duties, fees, shipping.

Owns the lines' external ids: goods and tips keep the platform's id; other lines come from other
number ranges and carry a prefix (``shipping:``, ``duty:``, ``fee:``, ``tip:``). Refuses to own
arithmetic: totals that do not match are for the certificate.

**Discounts.** An allocation whose application was spread ``across`` the order is the line's share
of an order discount, any other is its own. ``total_discount`` is read only when no allocation is
there: the platform fills it for old drafts only and deprecates it.

**Removed units.** ``current_quantity`` is what an order edit *or a refund* left of ``quantity``.
Units of a refund stay on the line (they are claimed by the refund, see ``shopify_refunds``); the
rest of the difference was removed by an edit.
"""

from __future__ import annotations

from collections.abc import Mapping

from returns_api.adapters.shops.reading import Node
from returns_api.adapters.shops.shopify_money import (
    Currencies,
    amount,
    exact_id,
    in_order_currency,
)
from returns_api.domain.orders import LineFacts, LineKind, TaxFacts

GIFT_CARD = "gift_card"
"""The category of gift cards, the only one that the platform tells with an order."""

_ACROSS = "across"


def read_lines(
    order: Node, currencies: Currencies, refunded: Mapping[str, int]
) -> tuple[LineFacts, ...]:
    """All lines, goods first. ``refunded`` has the units of each line that refunds claimed.

    Raises ``Unreadable`` naming the JSON path.
    """
    shared = [app["allocation_method"].text() == _ACROSS for app in order["discount_applications"]]
    lines: list[LineFacts] = []
    duties: list[LineFacts] = []
    for item in order["line_items"]:
        line = _item(item, currencies, shared, refunded)
        lines.append(line)
        if not order["duties_included"].flag():
            duties += [_duty(duty, line, currencies) for duty in item["duties"]]
    shipping = [_shipping(item, currencies, shared) for item in order["shipping_lines"]]
    return (*lines, *duties, *_order_charges(order, currencies, lines, duties), *shipping)


def _item(
    item: Node, currencies: Currencies, shared: list[bool], refunded: Mapping[str, int]
) -> LineFacts:
    line_id = exact_id(item)
    quantity = item["quantity"].count()
    left = quantity if item["current_quantity"].value is None else item["current_quantity"].count()
    own, order_share = _discounts(item, currencies, shared)
    if not item["discount_allocations"]:
        own = amount(item, "total_discount", currencies)
    is_tip = bool(item["tip_payment_gateway"])
    return LineFacts(
        external_id=line_id,
        kind=LineKind.TIP if is_tip else LineKind.GOODS,
        title=item["name"].text() or item["title"].text() or line_id,
        quantity=quantity,
        unit_price_minor=amount(item, "price", currencies),
        line_discount_minor=own,
        order_discount_minor=order_share,
        taxes=_taxes(item, currencies),
        sku=item["sku"].text(),
        product_id=item["product_id"].optional_identifier(),
        variant_id=item["variant_id"].optional_identifier(),
        vendor=item["vendor"].text(),
        category=GIFT_CARD if item["gift_card"].flag() else None,
        weight_grams=item["grams"].count() or None,
        shippable=item["requires_shipping"].flag(),
        removed=max(quantity - left - refunded.get(line_id, 0), 0),
        options=_options(item),
    )


def _options(item: Node) -> tuple[tuple[str, str], ...]:
    """The variant's options by their places: an order tells the values and not their names.

    ``variant_title`` is "M / Red"; that of a product without variants is empty.
    Source: the platform's order resource, ``line_items``.
    """
    values = (item["variant_title"].text() or "").split(" / ")
    return tuple((f"option{place}", value) for place, value in enumerate(values, 1) if value)


def _shipping(item: Node, currencies: Currencies, shared: list[bool]) -> LineFacts:
    """A shipping charge; its discount is told by allocations, or by the discounted price alone."""
    price = amount(item, "price", currencies)
    own, order_share = _discounts(item, currencies, shared)
    told = item["discounted_price_set"] or item["discounted_price"]
    if not item["discount_allocations"] and told:
        own = max(price - amount(item, "discounted_price", currencies), 0)
    return LineFacts(
        external_id=f"shipping:{exact_id(item)}",
        kind=LineKind.SHIPPING,
        title=item["title"].text() or "Shipping",
        quantity=1,
        unit_price_minor=price,
        line_discount_minor=own,
        order_discount_minor=order_share,
        taxes=_taxes(item, currencies),
        shippable=False,
        removed=1 if item["is_removed"].flag() else 0,
    )


def _duty(duty: Node, line: LineFacts, currencies: Currencies) -> LineFacts:
    """A duty over a line's whole quantity: one unit of its own."""
    return LineFacts(
        external_id=f"duty:{exact_id(duty)}",
        kind=LineKind.DUTY,
        title=f"Duty on {line.title}",
        quantity=1,
        unit_price_minor=in_order_currency(duty, currencies),
        taxes=_taxes(duty, currencies),
        shippable=False,
    )


def _order_charges(
    order: Node, currencies: Currencies, lines: list[LineFacts], duties: list[LineFacts]
) -> list[LineFacts]:
    """Charges that the order tells as sums only, when no line told them before."""
    charges = [("fee:all", LineKind.FEE, "Additional fees", "original_total_additional_fees")]
    if not duties and not order["duties_included"].flag():
        charges.append(("duty:all", LineKind.DUTY, "Duties", "original_total_duties"))
    # The sum of tips has no presentment form; in another currency the residue carries it.
    if currencies.same and all(line.kind is not LineKind.TIP for line in lines):
        charges.append(("tip:all", LineKind.TIP, "Tip", "total_tip_received"))
    found = [(charge, amount(order, charge[3], currencies)) for charge in charges]
    return [
        LineFacts(line_id, kind, title, 1, minor, shippable=False)
        for (line_id, kind, title, _), minor in found
        if minor
    ]


def _discounts(item: Node, currencies: Currencies, shared: list[bool]) -> tuple[int, int]:
    """What allocations take off: the line's own discounts, and its share of the order's."""
    own = order_share = 0
    for allocation in item["discount_allocations"]:
        index = allocation["discount_application_index"].count()
        minor = amount(allocation, "amount", currencies)
        if index < len(shared) and shared[index]:
            order_share += minor
        else:
            own += minor
    return own, order_share


def _taxes(item: Node, currencies: Currencies) -> tuple[TaxFacts, ...]:
    return tuple(
        TaxFacts(
            title=tax["title"].text() or "Tax",
            amount_minor=amount(tax, "price", currencies),
            rate=None if tax["rate"].value is None else str(tax["rate"].value)[:20],
        )
        for tax in item["tax_lines"]
    )
