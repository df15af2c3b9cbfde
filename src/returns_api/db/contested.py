"""Units of rejected lines while what was decided is contested: nobody else can have them then.

They are claimed again when the dispute opens, and free again when it ends without an award; what
was awarded stays used up, so that no goods are paid for twice. Any free numbers of the line do:
those that the return had may be another return's by now. Refuses to own disputes (``db.disputes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Integer, Uuid, any_, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db.engine import Transaction
from returns_api.db.order_counts import ROOM, claimable
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import order_lines, return_lines, unit_claims
from returns_api.domain.returns import ReturnLineRecord

_left = order_lines.c.ordered - order_lines.c.removed
_ROOM: Final = Query(
    select(ROOM).where(here(order_lines), order_lines.c.id == given("line_id")).with_for_update()
)
_COUNT: Final = Query(
    update(order_lines)
    .where(
        here(order_lines),
        order_lines.c.id == given("line_id"),
        claimable(given("count", Integer)),
    )
    .values(claimed=order_lines.c.claimed + given("count", Integer))
)
_no = func.generate_series(1, _left).table_valued("no").render_derived(name="unit").lateral()
_taken = exists().where(
    here(unit_claims), unit_claims.c.line_id == order_lines.c.id, unit_claims.c.unit_no == _no.c.no
)
_HOLD: Final = Query(
    insert(unit_claims)
    .from_select(
        ["shop_id", "line_id", "unit_no", "return_line_id"],
        select(SHOP, order_lines.c.id, _no.c.no, given("id", Uuid))
        .select_from(order_lines.join(_no, literal(True)))
        .where(here(order_lines), order_lines.c.id == given("line_id"), ~_taken)
        .order_by((_no.c.no == any_(given("units", ARRAY(Integer)))).desc(), _no.c.no)
        .limit(given("count", Integer)),
    )
    .on_conflict_do_nothing()
)
_gone = (
    delete(unit_claims)
    .where(
        here(unit_claims),
        unit_claims.c.return_line_id.in_(
            select(return_lines.c.id).where(
                here(return_lines),
                return_lines.c.return_id == given("return_id"),
                return_lines.c.state == "rejected",
            )
        ),
    )
    .returning(unit_claims.c.line_id)
    .cte("gone")
)
_freed = (
    select(_gone.c.line_id, func.count().label("units")).group_by(_gone.c.line_id).subquery("freed")
)
_FREE: Final = Query(
    update(order_lines)
    .where(here(order_lines), order_lines.c.id == _freed.c.line_id)
    .values(claimed=order_lines.c.claimed - _freed.c.units)
)


async def hold(tx: Transaction, lines: Sequence[ReturnLineRecord]) -> bool:
    """Claim as many units as these rejected lines have, as far as they are free; False where some
    are not."""
    whole = True
    for line in sorted(lines, key=lambda each: each.order_line_id):
        room = await tx.value(_ROOM, line_id=line.order_line_id)
        wanted = {"line_id": line.order_line_id, "count": min(line.quantity, max(room or 0, 0))}
        held = await tx.run(_HOLD, **wanted, id=line.id, units=list(line.units))
        if held:
            await tx.run(_COUNT, line_id=line.order_line_id, count=held)
        whole = whole and held == line.quantity
    return whole


async def free(tx: Transaction, return_id: UUID) -> None:
    """Let the units of rejected lines be returned again; nothing where none is held."""
    await tx.run(_FREE, return_id=return_id)
