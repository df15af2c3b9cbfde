"""From the record of a dispute to its shape."""

from __future__ import annotations

from returns_api.api.actions import dispute_actions, place_of
from returns_api.api.schemas.disputes import DisputeOut, StatementOut
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain.access import Principal
from returns_api.domain.disputes import DisputeRecord
from returns_api.domain.lifecycle.disputes import DISPUTE


def dispute_out(dispute: DisputeRecord, principal: Principal) -> DisputeOut:
    return DisputeOut(
        dispute=dispute.id,
        return_=dispute.return_id,
        order=dispute.order_id,
        state=dispute.state,
        claim=dispute.claimed_minor,
        award=dispute.award_minor,
        currency=dispute.currency,
        ruling=dispute.ruling,
        appealed_by=dispute.appealed_by,
        refund=dispute.refund_id,
        statements=[
            StatementOut(party=each.party, text=each.text, at=each.at)
            for each in dispute.statements
        ],
        sequence=dispute.sequence,
        created_at=dispute.created_at,
        updated_at=dispute.updated_at,
        deadlines=deadlines_out(
            DISPUTE, dispute.state, dispute.deadlines, place_of("dispute", dispute.id)
        ),
        actions=[action_out(action) for action in dispute_actions(dispute, principal)],
        waiting_for=waiting_out(DISPUTE, dispute.state),
    )
