"""Where the figures of reports come from: one day's rows of each source, from the tables they are
about.

Owns what goods, states and deadlines tell, and the pieces of such statements; what money tells is
in ``report_costs``. ``since`` and ``until`` bound the day. What a statement gives is a function of
the rows that stand there now, so running it again after they changed sets it right. Refuses to own
which figures there are (``domain.report_sources``) and when a day is counted (``report_days``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array

from returns_api.db.quality import of_quality
from returns_api.db.query import among, given, here
from returns_api.db.tables import (
    complaints,
    deadlines,
    events,
    order_lines,
    orders,
    return_lines,
    returns,
)
from returns_api.domain.complaints import SATISFIED, UNDER_WAY
from returns_api.domain.orders import LineKind
from returns_api.domain.reasons import BY_CODE, category_of

Columns = Sequence[ColumnElement[Any]]

_MOMENT: Final = DateTime(timezone=True)
SINCE: Final = given("since", _MOMENT)
UNTIL: Final = given("until", _MOMENT)
_NOT_COMING: Final = ("canceled", "expired", "rejected")
_DAY: Final = 86_400

OPENED: Final = (
    select(returns.c.id, returns.c.order_id, returns.c.currency, returns.c.state)
    .where(here(returns), returns.c.created_at >= SINCE, returns.c.created_at < UNTIL)
    .cte("opened")
)


def texts(values: Columns) -> array[Any]:
    """Keys as one array."""
    made: array[Any] = array(list(values), type_=Text)
    return made


def numbers(values: Columns) -> array[Any]:
    """Figures as one array."""
    made: array[Any] = array(list(values), type_=BigInteger)
    return made


def same(one: FromClause, other: FromClause, *pairs: tuple[str, str]) -> ColumnElement[bool]:
    """Rows of this shop that belong together: each pair names a column of either."""
    return and_(here(other), *(one.c[mine] == other.c[theirs] for mine, theirs in pairs))


def total(value: Any, only: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    found = func.sum(value)
    return cast(func.coalesce(found if only is None else found.filter(only), 0), BigInteger)


def number(only: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    found = func.count()
    return found if only is None else found.filter(only)


def added_up(
    rows: FromClause, keys: Columns, figures: Columns, currency: ColumnElement[Any] | None = None
) -> Select[Any]:
    """Rows added up by their keys and currency."""
    money: ColumnElement[Any] = literal("", Text) if currency is None else currency
    return (
        select(
            texts(keys).label("keys"),
            money.label("currency"),
            numbers(figures).label("figures"),
        )
        .select_from(rows)
        .group_by(*keys, *([] if currency is None else [currency]))
    )


def or_else(value: ColumnElement[Any], other: str) -> ColumnElement[Any]:
    return func.coalesce(value, literal(other, Text))


ASKED: Final = OPENED.join(return_lines, same(OPENED, return_lines, ("id", "return_id")))


def _reasons() -> Select[Any]:
    line = return_lines.c
    categories = {code: category_of(code) for code in BY_CODE}
    category = case(categories, value=line.reason, else_="custom")
    figures = (
        number(),
        total(line.quantity),
        total(line.quantity, line.state == "rejected"),
        total(line.received),
        total(line.quantity, line.state == "kept"),
    )
    return added_up(ASKED, (line.reason, line.fault, category), figures)


SOLD: Final = ASKED.join(order_lines, same(return_lines, order_lines, ("order_line_id", "id")))


def _variants() -> Select[Any]:
    option = func.jsonb_each_text(order_lines.c.options).table_valued("key", "value")
    option = option.render_derived()
    sold = order_lines.c
    product = func.coalesce(sold.product_id, sold.sku, literal("", Text))
    keys = (product, option.c.key, option.c.value, return_lines.c.reason)
    figures = (number(), total(return_lines.c.quantity))
    return added_up(SOLD.join(option, true()), keys, figures)


def _items() -> Select[Any]:
    placed = (
        select(orders.c.id)
        .where(here(orders), orders.c.placed_at >= SINCE, orders.c.placed_at < UNTIL)
        .cte("placed")
    )
    line, sold = return_lines.c, order_lines.c
    back = (
        select(
            line.order_line_id,
            total(line.quantity).label("units"),
            total(line.quantity, of_quality()).label("quality"),
        )
        .select_from(
            placed.join(returns, same(placed, returns, ("id", "order_id"))).join(
                return_lines, same(returns, return_lines, ("id", "return_id"))
            )
        )
        .where(~among(line.state, _NOT_COMING))
        .group_by(line.order_line_id)
        .cte("back")
    )
    rows = placed.join(
        order_lines,
        and_(
            same(placed, order_lines, ("id", "order_id")),
            sold.kind == LineKind.GOODS.value,
        ),
    ).outerjoin(back, back.c.order_line_id == sold.id)
    figures = (total(sold.ordered - sold.removed), total(back.c.units), total(back.c.quality))
    return added_up(rows, (or_else(sold.sku, ""), or_else(sold.vendor, "")), figures)


def _steps() -> Select[Any]:
    state = events.c.data["state"].astext
    following = func.lead(events.c.at).over(
        partition_by=events.c.resource_id, order_by=events.c.sequence
    )
    stay = (
        select(
            events.c.resource_id,
            state.label("step"),
            OPENED.c.state.label("now"),
            (following - events.c.at).label("took"),
        )
        .join_from(OPENED, events, same(OPENED, events, ("id", "resource_id")))
        .where(events.c.resource_type == "return")
        .subquery("stay")
    )
    spent = (
        select(stay.c.step, func.sum(func.extract("epoch", stay.c.took)).label("seconds"))
        .where(stay.c.took.is_not(None), stay.c.step != stay.c.now)
        .group_by(stay.c.resource_id, stay.c.step)
        .subquery("spent")
    )
    within = [number(spent.c.seconds <= days * _DAY) for days in (1, 3, 7)]
    return added_up(spent, (spent.c.step,), (number(), total(func.floor(spent.c.seconds)), *within))


def _deadlines() -> Select[Any]:
    due = deadlines.c
    rows = OPENED.join(
        deadlines,
        and_(same(OPENED, deadlines, ("id", "return_id")), due.kind != "dispute_window"),
    )
    states = (("kept",), ("passed",), ("open", "paused"), ("dropped",))
    figures = (number(), *(number(among(due.state, each)) for each in states))
    return added_up(rows, (due.object, due.kind, due.owner), figures)


def _complaints() -> Select[Any]:
    opened_at = complaints.c.created_at
    rows = (
        select(complaints)
        .where(here(complaints), opened_at >= SINCE, opened_at < UNTIL)
        .cte("complained")
    )
    found = rows.c
    took = func.floor(func.extract("epoch", found.resolved_at - found.created_at))
    figures = (
        number(),
        number(among(found.state, UNDER_WAY)),
        number(found.escalated_at.is_not(None)),
        number(found.reopened > 0),
        number(found.resolved_at.is_not(None)),
        total(took),
        number(found.score.is_not(None)),
        total(found.score),
        number(found.score >= SATISFIED),
    )
    return added_up(rows, (found.category,), figures)


OF: Final[Mapping[str, Select[Any]]] = {
    "reasons": _reasons(),
    "variants": _variants(),
    "items": _items(),
    "steps": _steps(),
    "deadlines": _deadlines(),
    "complaints": _complaints(),
}
"""By source: rows with ``keys``, ``currency`` and ``figures``."""
