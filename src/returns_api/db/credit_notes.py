"""Credit notes and the counter that numbers them without gaps, shop by shop.

A refund whose money came to rest says in its own row since when a note is due. Numbers
are drawn and used by one statement for many notes, so a transaction that ends otherwise gives them
back, and no refund waits for another one's number. The database refuses on its own account: a
counter that goes back, a number that is drawn and not used, a note whose number nobody drew, and
any change of a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    Integer,
    Text,
    Uuid,
    any_,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.gifts import pays_gift
from returns_api.db.query import SHOP, Query, given, here, json_rows
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

_UNNOTED: Final = Query(
    select(
        refunds.c.id,
        refunds.c.order_id,
        refunds.c.state,
        refunds.c.amount_minor,
        refunds.c.arrived_minor,
        refunds.c.noted_minor,
        refunds.c.currency,
        refunds.c.parts,
    )
    .where(here(refunds), refunds.c.note_at <= given("now"))
    .order_by(refunds.c.note_at)
    .limit(given("limit"))
    .with_for_update(skip_locked=True)
)
UNNOTED_SHOPS: Final = Query(
    select(refunds.c.shop_id)
    .distinct()
    .where(refunds.c.note_at <= given("now"))
    .limit(given("limit"))
)


def _drawn() -> CTE:
    """The counter, moved by as many numbers as there are notes."""
    count = given("count", BigInteger)
    return (
        insert(number_series)
        .values(shop_id=SHOP, name=SERIES, last_number=count)
        .on_conflict_do_update(
            index_elements=[number_series.c.shop_id, number_series.c.name],
            set_={"last_number": number_series.c.last_number + count},
        )
        .returning((number_series.c.last_number - count).label("before"))
        .cte("drawn")
    )


def _issue() -> Query:
    told = json_rows(
        "notes",
        no=Integer,
        id=Uuid,
        refund_id=Uuid,
        order_id=Uuid,
        kind=Text,
        amount_minor=BigInteger,
        currency=Text,
        body=JSONB,
        noted_minor=BigInteger,
    )
    noted = (
        update(refunds)
        .where(here(refunds), refunds.c.id == told.c.refund_id)
        .values(noted_minor=told.c.noted_minor, note_at=null())
        .cte("noted")
    )
    drawn = _drawn()
    seller = func.jsonb_build_object("name", shops.c.name, "address", shops.c.return_address)
    frozen = func.jsonb_build_object("seller", seller, "order", orders.c.number)
    columns = {
        "shop_id": SHOP,
        **{name: told.c[name] for name in ("id", "refund_id", "order_id", "kind")},
        **{name: told.c[name] for name in ("amount_minor", "currency")},
        "number": drawn.c.before + told.c.no,
        "issued_at": given("issued_at", credit_notes.c.issued_at.type),
        "body": told.c.body.concat(frozen),
    }
    rows = (
        select(*columns.values())
        .select_from(drawn)
        .join(shops, here(shops))
        .join(orders, here(orders))
        .join(told, told.c.order_id == orders.c.id)
    )
    return Query(plain_insert(credit_notes).from_select([*columns], rows).add_cte(noted))


_ISSUE: Final = _issue()
_TITLES: Final = Query(
    select(order_lines.c.order_id, order_lines.c.external_id, order_lines.c.title).where(
        here(order_lines), order_lines.c.order_id == any_(given("order_ids", ARRAY(Uuid)))
    )
)
_of_gift: Final = pays_gift(credit_notes.c.refund_id)
_ONE: Final = Query(
    select(credit_notes, _of_gift.label("of_gift")).where(
        here(credit_notes), credit_notes.c.id == given("id")
    )
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
        or_(given("gifts", Boolean), ~_of_gift),
    )
    .order_by(credit_notes.c.id.desc())
    .limit(given("limit"))
)
_PERSON: Final = Query(
    select(order_people).where(here(order_people), order_people.c.order_id == given("order_id"))
)


async def unnoted(tx: Transaction, now: datetime, limit: int) -> list[Row]:
    """Refunds at rest whose notes do not sum to what arrived; locked, but for those that somebody
    else holds right now."""
    return await tx.all(_UNNOTED, now=now, limit=limit)


async def issue(tx: Transaction, notes: Sequence[dict[str, Any]], **values: Any) -> None:
    """Draw the next numbers, store the notes with them in their order, and count each on its
    refund. The refunds must be locked."""
    numbered = [{**note, "no": no} for no, note in enumerate(notes, start=1)]
    done = await tx.run(_ISSUE, notes=numbered, count=len(notes), **values)
    assert done == len(notes), "a note without its order"


async def titles(tx: Transaction, order_ids: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
    """The names of each order's lines by their external ids."""
    found: dict[UUID, dict[str, str]] = {order_id: {} for order_id in order_ids}
    for row in await tx.all(_TITLES, order_ids=[*found]) if found else ():
        found[row["order_id"]][row["external_id"]] = row["title"]
    return found


async def one(tx: Transaction, note_id: UUID) -> Row | None:
    """With ``of_gift``: whether it is over the credit of a gift's recipient."""
    return await tx.first(_ONE, id=note_id)


async def page(tx: Transaction, **filters: Any) -> list[Row]:
    """Newest first; ``before``, ``limit`` and the optional filters order_id, refund_id; ``gifts``:
    those over credit of gifts' recipients too."""
    return await tx.all(_PAGE, **filters)


async def person(tx: Transaction, order_id: UUID) -> Row | None:
    """Who bought, as far as it is still known."""
    return await tx.first(_PERSON, order_id=order_id)
