"""Credit notes and the counter that numbers them without gaps, shop by shop.

A number is drawn and used by one statement, so a transaction that ends otherwise gives it back. The
database refuses on its own account: a counter that moves by other than one, a number that is drawn
and not used, a note with another number, and any change of a note.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, func, or_, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import JSONB, insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import (
    credit_notes,
    number_series,
    order_lines,
    order_people,
    orders,
    refunds,
    shops,
)

SERIES: Final = "credit_notes"

_drawn = (
    insert(number_series)
    .values(shop_id=SHOP, name=SERIES, last_number=1)
    .on_conflict_do_update(
        index_elements=[number_series.c.shop_id, number_series.c.name],
        set_={"last_number": number_series.c.last_number + 1},
    )
    .returning(number_series.c.last_number)
    .cte("drawn")
)
_noted = (
    update(refunds)
    .where(here(refunds), refunds.c.id == given("refund_id", Uuid))
    .values(noted_minor=given("noted_minor", BigInteger))
    .cte("noted")
)
_seller = func.jsonb_build_object("name", shops.c.name, "address", shops.c.return_address)
_frozen = func.jsonb_build_object("seller", _seller, "order", orders.c.number)
_ISSUE: Final = Query(
    plain_insert(credit_notes)
    .from_select(
        [
            "shop_id",
            "id",
            "refund_id",
            "order_id",
            "number",
            "kind",
            "amount_minor",
            "currency",
            "issued_at",
            "body",
        ],
        select(
            SHOP,
            given("id", Uuid),
            given("refund_id", Uuid),
            orders.c.id,
            _drawn.c.last_number,
            given("kind", credit_notes.c.kind.type),
            given("amount_minor", BigInteger),
            given("currency", credit_notes.c.currency.type),
            given("issued_at", credit_notes.c.issued_at.type),
            given("body", JSONB).concat(_frozen),
        )
        .select_from(_drawn)
        .join(shops, here(shops))
        .join(orders, here(orders) & (orders.c.id == given("order_id", Uuid))),
    )
    .add_cte(_noted)
)
_TITLES: Final = Query(
    select(order_lines.c.external_id, order_lines.c.title).where(
        here(order_lines), order_lines.c.order_id == given("order_id")
    )
)
_ONE: Final = Query(
    select(credit_notes).where(here(credit_notes), credit_notes.c.id == given("id"))
)
_PAGE: Final = Query(
    select(credit_notes)
    .where(
        here(credit_notes),
        credit_notes.c.id < given("before"),
        or_(given("order_id", Uuid).is_(None), credit_notes.c.order_id == given("order_id", Uuid)),
        or_(
            given("refund_id", Uuid).is_(None), credit_notes.c.refund_id == given("refund_id", Uuid)
        ),
    )
    .order_by(credit_notes.c.id.desc())
    .limit(given("limit"))
)
_PERSON: Final = Query(
    select(order_people).where(here(order_people), order_people.c.order_id == given("order_id"))
)


async def issue(tx: Transaction, **values: Any) -> None:
    """Draw the next number, store the note with it, and count it on the refund.

    Locks the shop's counter until the transaction ends: the last lock that it may take.
    """
    await tx.run(_ISSUE, **values)


async def titles(tx: Transaction, order_id: UUID) -> dict[str, str]:
    """The names of the order's lines by their external ids."""
    return {row["external_id"]: row["title"] for row in await tx.all(_TITLES, order_id=order_id)}


async def one(tx: Transaction, note_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=note_id)


async def page(tx: Transaction, **filters: Any) -> list[Row]:
    """Newest first; ``before``, ``limit`` and the optional filters order_id, refund_id."""
    return await tx.all(_PAGE, **filters)


async def person(tx: Transaction, order_id: UUID) -> Row | None:
    """Who bought, as far as it is still known."""
    return await tx.first(_PERSON, order_id=order_id)
