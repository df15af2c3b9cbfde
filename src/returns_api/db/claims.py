"""How many claims of units stand behind a condition: those of returns, and those of cancellations.

Refuses to own which claims a caller means; it names the conditions and correlates the count.
"""

from __future__ import annotations

from sqlalchemy import Select, and_, func, select

from returns_api.db.query import here
from returns_api.db.tables import cancellation_lines, return_lines, returns, unit_claims


def claims_of_returns() -> Select[int]:
    """Counts claims, joined with the line and the return that hold each."""
    return (
        select(func.count())
        .select_from(unit_claims)
        .join(
            return_lines,
            and_(
                return_lines.c.shop_id == unit_claims.c.shop_id,
                return_lines.c.id == unit_claims.c.return_line_id,
            ),
        )
        .join(
            returns,
            and_(
                returns.c.shop_id == return_lines.c.shop_id,
                returns.c.id == return_lines.c.return_id,
            ),
        )
        .where(here(unit_claims))
    )


def claims_of_cancellations() -> Select[int]:
    """Counts claims, joined with the line of a cancellation that holds each."""
    return (
        select(func.count())
        .select_from(unit_claims)
        .join(
            cancellation_lines,
            and_(
                cancellation_lines.c.shop_id == unit_claims.c.shop_id,
                cancellation_lines.c.id == unit_claims.c.cancellation_line_id,
            ),
        )
        .where(here(unit_claims))
    )
