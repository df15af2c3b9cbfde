"""What the caller may do next about an order and a quote, from their lifecycle tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from returns_api.api.actions import Action, Link, links_of, place_of
from returns_api.domain.access import Principal, Scope
from returns_api.domain.lifecycle.orders import ORDER
from returns_api.domain.lifecycle.quotes import QUOTE
from returns_api.domain.order_life import QUOTE_EXPIRED, holds_of, quote_state, state_of
from returns_api.domain.order_record import OrderRecord

ORDER_LINKS: Final[dict[str, Link]] = {
    "quote": Link("/v1/quotes", Scope.QUOTES_CREATE),
    "add_photo": Link("photos", Scope.PHOTOS_ADD),
    "cancel": Link("cancellations", Scope.RETURNS_CREATE),
    "change_address": Link("address-changes", Scope.RETURNS_CREATE),
    "withdraw": Link("withdrawals", Scope.RETURNS_CREATE),
    "give": Link("gift-receipts", Scope.RETURNS_CREATE),
    "complain": Link("/v1/complaints", Scope.RETURNS_ACT),
    "refund": Link("/v1/refunds", Scope.REFUNDS_CREATE),
}
QUOTE_LINKS: Final[dict[str, Link]] = {"open": Link("/v1/returns", Scope.RETURNS_CREATE)}


def order_actions(order: OrderRecord, principal: Principal, now: datetime) -> list[Action]:
    """What the caller may do about an order, in the order of its table."""
    href, holds = place_of("order", order.id), holds_of(order, now)
    return links_of(ORDER, state_of(order), holds, ORDER_LINKS, href, (), principal)


def quote_actions(
    quote_id: UUID,
    return_id: UUID | None,
    expires_at: datetime,
    principal: Principal,
    now: datetime,
) -> list[Action]:
    """What the caller may do with a quote, and until when."""
    state, href = quote_state(return_id, expires_at, now), place_of("quote", quote_id)
    found = links_of(QUOTE, state, (), QUOTE_LINKS, href, (), principal)
    return [replace(each, until=expires_at, on_silence=QUOTE_EXPIRED) for each in found]
