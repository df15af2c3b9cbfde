"""Amounts and ids as Shopify writes them.

**Which currency.** Shopify tells each amount in the shop's currency and in the *presentment*
currency, the one in which the buyer saw prices and paid; transactions are in the latter. A refund
goes back along the payment, so an order is read in the presentment currency throughout:
``*_set.presentment_money`` first, ``*_set.shop_money`` or the plain member only where the two
currencies are the same. Refuses to own exchange rates: nothing is ever converted.

**Which id.** ``id`` and ``*_id`` are JSON numbers that senders may have rounded beyond 2^53;
``admin_graphql_api_id`` is text and exact, so it comes first wherever it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from returns_api.adapters.shops.reading import Node


@dataclass(frozen=True, slots=True)
class Currencies:
    """The order's own currency (presentment) and the shop's."""

    order: str
    shop: str

    @property
    def same(self) -> bool:
        return self.order == self.shop


def read_currencies(order: Node) -> Currencies:
    """Raises ``Unreadable`` when the order names no currency."""
    shop = order["currency"].currency()
    presentment = order["presentment_currency"]
    return Currencies(presentment.currency() if presentment else shop, shop)


def exact_id(node: Node) -> str:
    """The node's own id. Raises ``Unreadable`` when it has none."""
    return node["admin_graphql_api_id"].optional_identifier() or node["id"].identifier()


def amount(node: Node, name: str, currencies: Currencies) -> int:
    """``name`` or ``name_set`` of ``node`` in the order's currency, in minor units.

    Zero when it is absent. Raises ``Unreadable`` when it is there, but not in that currency.
    """
    bag, plain = node[f"{name}_set"], node[name]
    if bag:
        return in_order_currency(bag, currencies)
    if not plain:
        return 0
    if currencies.same:
        return plain.amount(currencies.order)
    return plain.refuse("is not told in the currency of the order")


def in_order_currency(bag: Node, currencies: Currencies) -> int:
    """The one amount of a ``{shop_money, presentment_money}`` bag that is in the order's currency.

    Raises ``Unreadable`` when neither is.
    """
    for name in ("presentment_money", "shop_money"):
        money = bag[name]
        if money and money["currency_code"].value == currencies.order:
            return money["amount"].amount(currencies.order)
    return bag.refuse("is not told in the currency of the order")
