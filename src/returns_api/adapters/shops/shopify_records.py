"""Shopify's small messages: disputes, returns made in the platform, privacy, the app's removal.

Owns their mapping to facts. Refuses to own what follows from them.
"""

from __future__ import annotations

from typing import Final

from returns_api.adapters.shops.reading import Node
from returns_api.adapters.shops.shopify_money import exact_id
from returns_api.domain.orders import (
    DisputeSeen,
    Observation,
    PersonDataRequested,
    PersonErased,
    PlatformReturnSeen,
)

# Every status that is not known to be an end keeps the money blocked.
_DISPUTE_ENDS: Final = frozenset({"won", "lost", "accepted", "prevented", "charge_refunded"})


def parse_dispute(dispute: Node) -> tuple[Observation, ...]:
    """A chargeback or inquiry; ``at`` is the latest time that it tells of itself.

    Raises ``Unreadable`` naming the JSON path.
    """
    currency = dispute["currency"].currency()
    status = dispute["status"].text() or "unknown"
    times = [dispute[name].optional_time() for name in ("evidence_sent_on", "finalized_on")]
    return (
        DisputeSeen(
            order_external_id=dispute["order_id"].optional_identifier(),
            external_id=exact_id(dispute),
            amount_minor=dispute["amount"].amount(currency),
            currency=currency,
            status=status,
            open=status not in _DISPUTE_ENDS,
            at=max([dispute["initiated_at"].time(), *filter(None, times)]),
        ),
    )


def parse_return(found: Node) -> tuple[Observation, ...]:
    """A return of the platform's own; nothing when the message names none (they may be empty).

    Raises ``Unreadable`` naming the JSON path.
    """
    if not found["admin_graphql_api_id"] and not found["id"]:
        return ()
    order = found["order"]
    order_id = exact_id(order) if order else found["order_id"].optional_identifier()
    return (PlatformReturnSeen(order_id, exact_id(found), found["status"].text()),)


def parse_reverse_delivery(delivery: Node) -> tuple[Observation, ...]:
    """The return that a label was attached to; its state is told by other messages."""
    found = delivery["return"]
    return (PlatformReturnSeen(None, exact_id(found), None),) if found else ()


def parse_redaction(message: Node) -> tuple[Observation, ...]:
    """Raises ``Unreadable`` naming the JSON path."""
    return (PersonErased(*_person(message, "orders_to_redact")),)


def parse_data_request(message: Node) -> tuple[Observation, ...]:
    """Raises ``Unreadable`` naming the JSON path."""
    return (PersonDataRequested(*_person(message, "orders_requested")),)


def _person(message: Node, orders: str) -> tuple[str | None, str | None, tuple[str, ...]]:
    customer = message["customer"]
    order_ids = tuple(order.identifier() for order in message[orders])
    return customer["id"].optional_identifier(), customer["email"].text(), order_ids
