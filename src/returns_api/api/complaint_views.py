"""From the record of a complaint to its shape, with the ways that its reader may go."""

from __future__ import annotations

from typing import Final

from returns_api.api.actions import Link, links_of, place_of
from returns_api.api.schemas.complaints import ComplaintOut, SatisfactionOut
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain.access import Principal, Scope
from returns_api.domain.complaints import ComplaintRecord
from returns_api.domain.lifecycle.complaints import COMPLAINT

LINKS: Final[dict[str, Link]] = {
    **{name: Link(name, Scope.RETURNS_REVIEW) for name in ("progress", "ask", "resolve")},
    **{name: Link(name, Scope.RETURNS_ACT) for name in ("answer", "withdraw", "reopen", "rate")},
}
_AS_THEY_ARE: Final = (
    "category",
    "state",
    "promised_by",
    "escalated_at",
    "resolved_at",
    "reopened",
    "sequence",
    "created_at",
    "updated_at",
)


def complaint_out(complaint: ComplaintRecord, principal: Principal) -> ComplaintOut:
    state, deadlines = complaint.state, complaint.deadlines
    href = place_of("complaint", complaint.id)
    actions = links_of(COMPLAINT, state, (), LINKS, href, deadlines, principal)
    satisfaction = None
    if complaint.score is not None:
        satisfaction = SatisfactionOut(score=complaint.score, text=complaint.comment)
    return ComplaintOut(
        complaint=complaint.id,
        order=complaint.order_id,
        return_=complaint.return_id,
        text=complaint.statement,
        answer=complaint.resolution,
        satisfaction=satisfaction,
        **{name: getattr(complaint, name) for name in _AS_THEY_ARE},
        deadlines=deadlines_out(COMPLAINT, state, deadlines, href),
        actions=[action_out(action) for action in actions],
        waiting_for=waiting_out(COMPLAINT, state),
    )
