"""Statements compiled once: every parameter is given by its name, or the call is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Integer, Text, bindparam, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SAWarning

from returns_api.db import (
    attempts,
    deliveries,
    refunds,
    reservations,
    returns,
    shipments,
    transfer_changes,
)
from returns_api.db import transfers as transfer_rows
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import orders, transfers

SHOP_ID = UUID(int=1)


def test_parameters_come_in_the_statements_order() -> None:
    query = Query(
        select(orders.c.id).where(
            orders.c.number == given("number"), here(orders), orders.c.id == given("id")
        )
    )
    bound = query.bind({"id": UUID(int=2), "shop": SHOP_ID, "number": "1"})
    assert bound == ["1", SHOP_ID, UUID(int=2)]
    assert [query.sql.index(f"${n}") for n in (1, 2, 3)] == sorted(
        query.sql.index(f"${n}") for n in (1, 2, 3)
    )
    assert query.of_shop


@pytest.mark.parametrize(
    "params", [{}, {"number": "1", "more": 1}, {"nmuber": "1"}], ids=["missing", "unknown", "typo"]
)
def test_a_missing_or_misspelt_parameter_is_an_error_at_the_call(params: dict[str, str]) -> None:
    query = Query(select(orders.c.id).where(orders.c.number == given("number")))
    with pytest.raises(TypeError, match=r"missing|unknown"):
        query.bind(params)


def test_constants_are_kept_and_none_is_a_value() -> None:
    query = Query(
        select(literal("fixed"), given("free", Text)).where(orders.c.version == literal(3, Integer))
    )
    assert not query.of_shop
    assert query.bind({"free": None}) == ["fixed", None, 3]
    assert query.bind({"free": "x"}) == ["fixed", "x", 3]


def test_a_parameter_used_twice_is_given_once() -> None:
    query = Query(
        select(orders.c.id).where(
            (orders.c.number == given("text")) | (orders.c.external_id == given("text"))
        )
    )
    assert query.bind({"text": "a"}) == ["a"]


def test_among_is_one_plan_for_any_number() -> None:
    one = Query(select(transfers.c.id).where(among(transfers.c.state, ("queued",))))
    two = Query(select(transfers.c.id).where(among(transfers.c.state, ("queued", "sending"))))
    assert one.sql == two.sql
    assert one.bind({}) == [["queued"]]
    assert two.bind({}) == [["queued", "sending"]]


def test_tables_that_nothing_joins_are_an_error() -> None:
    names = func.unnest(given("names", ARRAY(Text))).table_valued(column("name", Text))
    for both in (select(orders.c.id, transfers.c.id), select(names.c.name, names.render_derived())):
        with pytest.raises(SAWarning, match="cartesian product"):
            Query(both)


def test_the_shop_is_a_required_parameter() -> None:
    query = Query(select(bindparam("x", 1)).where(here(orders)))
    with pytest.raises(TypeError):
        query.bind({})
    assert SHOP.required


def _swept(module: Any) -> list[Query]:
    """The statements over all shops, run as the role that reads nothing but keys and due times."""
    return [getattr(module, name) for name in ("DUE", "TO_ASK") if hasattr(module, name)]


@pytest.mark.parametrize(
    "query",
    [
        found
        for module in (
            refunds,
            reservations,
            transfer_changes,
            transfer_rows,
            attempts,
            returns,
            shipments,
            deliveries,
        )
        for found in vars(module).values()
        if isinstance(found, Query) and found not in _swept(module)
    ],
    ids=lambda q: q.sql.split("\n")[0][:60],
)
def test_every_statement_names_its_shop(query: Query) -> None:
    """The belt: row-level security is the braces."""
    assert query.of_shop


def test_a_time_stays_what_it_is() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    query = Query(select(orders.c.id).where(orders.c.placed_at < given("now")))
    assert query.bind({"now": now}) == [now]
