"""Units that a return holds and that were given back elsewhere meanwhile.

Refuses to own the counters that it reads (``order_counts``) and which of the units it means.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, and_, func, select

from returns_api.db.claims import claims_of_cancellations, claims_of_returns
from returns_api.db.engine import Transaction
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import (
    cancellation_lines,
    cancellations,
    order_lines,
    return_lines,
    returns,
    unit_claims,
)

_mine: Final = select(return_lines.c.order_line_id).where(
    here(return_lines), return_lines.c.return_id == given("return_id", Uuid)
)
# What others hold and were not paid for yet is not counted, so that a unit made good elsewhere is
# taken off once: off the last of them that is settled.
_in_returns: Final = (
    claims_of_returns()
    .where(
        unit_claims.c.line_id == order_lines.c.id,
        returns.c.id != given("return_id", Uuid),
        returns.c.settled_at.is_(None),
        returns.c.closed_at.is_(None),
    )
    .correlate(order_lines)
    .scalar_subquery()
)
_in_cancellations: Final = (
    claims_of_cancellations()
    .join(
        cancellations,
        and_(
            cancellations.c.shop_id == cancellation_lines.c.shop_id,
            cancellations.c.id == cancellation_lines.c.cancellation_id,
        ),
    )
    .where(
        unit_claims.c.line_id == order_lines.c.id,
        cancellation_lines.c.dispatched,
        among(cancellations.c.state, ("requested", "coming_back")),
    )
    .correlate(order_lines)
    .scalar_subquery()
)
_over: Final = (
    order_lines.c.claimed
    - _in_returns
    - _in_cancellations
    + order_lines.c.outside_returned
    - func.least(order_lines.c.ordered - order_lines.c.outside_cancelled, order_lines.c.shipped)
)
_elsewhere: Final = order_lines.c.outside_returned + order_lines.c.outside_cancelled
_ELSEWHERE: Final = Query(
    select(
        order_lines.c.external_id,
        func.least(_over, _elsewhere).label("units"),
    ).where(
        here(order_lines),
        order_lines.c.id.in_(_mine),
        _elsewhere > 0,
    )
)


async def elsewhere(tx: Transaction, return_id: UUID) -> dict[str, int]:
    """By line, how many units more were given back, here and elsewhere, than were ever sent, or
    than were to be."""
    rows = await tx.all(_ELSEWHERE, return_id=return_id)
    return {row["external_id"]: row["units"] for row in rows if row["units"] > 0}
