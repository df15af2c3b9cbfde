"""From the record of a transport claim to its shape."""

from __future__ import annotations

from returns_api.api.actions import claim_actions, place_of
from returns_api.api.schemas.transport_claims import TransportClaimOut
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain.access import Principal
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.transport_claims import ClaimRecord


def claim_out(claim: ClaimRecord, principal: Principal) -> TransportClaimOut:
    return TransportClaimOut(
        claim=claim.id,
        return_=claim.return_id,
        order=claim.order_id,
        against=claim.against,
        cause=claim.cause,
        state=claim.state,
        claimed=claim.claimed_minor,
        accepted=claim.accepted_minor,
        currency=claim.currency,
        reference=claim.reference,
        payment_reference=claim.payment_reference,
        note=claim.note,
        refund=claim.refund_id,
        sequence=claim.sequence,
        created_at=claim.created_at,
        updated_at=claim.updated_at,
        deadlines=deadlines_out(
            TRANSPORT_CLAIM, claim.state, claim.deadlines, place_of("transport_claim", claim.id)
        ),
        actions=[action_out(action) for action in claim_actions(claim, principal)],
        waiting_for=waiting_out(TRANSPORT_CLAIM, claim.state),
    )
