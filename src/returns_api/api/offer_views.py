"""From the record of an offer to its shape."""

from __future__ import annotations

from returns_api.api.actions import offer_actions, place_of
from returns_api.api.schemas.offers import OfferOut
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain.access import Principal
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.offers import OfferRecord


def offer_out(offer: OfferRecord, principal: Principal) -> OfferOut:
    return OfferOut(
        offer=offer.id,
        return_=offer.return_id,
        order=offer.order_id,
        party=offer.party,
        state=offer.state,
        amount=offer.amount_minor,
        currency=offer.currency,
        note=offer.note,
        answers=offer.answers,
        refund=offer.refund_id,
        sequence=offer.sequence,
        created_at=offer.created_at,
        updated_at=offer.updated_at,
        deadlines=deadlines_out(OFFER, offer.state, offer.deadlines, place_of("offer", offer.id)),
        actions=[action_out(action) for action in offer_actions(offer, principal)],
        waiting_for=waiting_out(OFFER, offer.state),
    )
