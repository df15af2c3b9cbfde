"""From the record of an address change to its shape, and what its reader may do about it."""

from __future__ import annotations

from typing import Final

from returns_api.api.actions import Link, links_of, place_of
from returns_api.api.schemas.address_changes import AddressChangeOut, DeliveryAddress
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain.access import Principal, Scope
from returns_api.domain.address_changes import AddressChangeRecord
from returns_api.domain.lifecycle.address_changes import ADDRESS_CHANGE

LINKS: Final[dict[str, Link]] = {
    "apply": Link("apply", Scope.RETURNS_REVIEW),
    "decline": Link("decline", Scope.RETURNS_REVIEW),
    "withdraw": Link("withdraw", Scope.RETURNS_ACT),
}


def address_change_out(
    found: AddressChangeRecord, principal: Principal, *, whole: bool = False
) -> AddressChangeOut:
    """With the address only where it is read by itself (``whole``): answers to writes are kept for
    their keys."""
    href = place_of("address_change", found.id)
    actions = links_of(ADDRESS_CHANGE, found.state, (), LINKS, href, found.deadlines, principal)
    shown = whole and found.address is not None
    return AddressChangeOut(
        address_change=found.id,
        order=found.order_id,
        state=found.state,
        asked_by=found.asked_by,
        reason=found.reason,
        address=DeliveryAddress.model_validate(found.address) if shown else None,
        sequence=found.sequence,
        created_at=found.created_at,
        updated_at=found.updated_at,
        deadlines=deadlines_out(ADDRESS_CHANGE, found.state, found.deadlines, href),
        actions=[action_out(action) for action in actions],
        waiting_for=waiting_out(ADDRESS_CHANGE, found.state),
    )
