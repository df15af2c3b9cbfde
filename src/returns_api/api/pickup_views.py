"""From the record of a pickup to its shape."""

from __future__ import annotations

from returns_api.api.actions import pickup_actions, place_of
from returns_api.api.schemas.pickups import PickupOut
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain.access import Principal
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.pickups import PickupRecord


def pickup_out(pickup: PickupRecord, principal: Principal) -> PickupOut:
    return PickupOut(
        pickup=pickup.id,
        return_=pickup.return_id,
        order=pickup.order_id,
        state=pickup.state,
        from_=pickup.starts_at,
        until=pickup.ends_at,
        carrier=pickup.carrier,
        confirmation=pickup.confirmation,
        sequence=pickup.sequence,
        created_at=pickup.created_at,
        updated_at=pickup.updated_at,
        deadlines=deadlines_out(
            PICKUP, pickup.state, pickup.deadlines, place_of("pickup", pickup.id)
        ),
        actions=[action_out(action) for action in pickup_actions(pickup, principal)],
        waiting_for=waiting_out(PICKUP, pickup.state),
    )
