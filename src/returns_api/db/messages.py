"""Messages and notes: written once, read in their order, their words forgotten on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, any_, delete, exists, func, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.gifts import is_of_gift
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import complaints
from returns_api.db.tables import message_texts as _w
from returns_api.db.tables import return_messages as _t
from returns_api.domain.messages import MESSAGE, About, Said

_ABOUT: Final = ("return_id", "complaint_id")
_NAMES: Final = ("id", *_ABOUT, "order_id", "kind", "party", "role", "author", "photos", "at")
_said: Final = (
    insert(_t)
    .values(shop_id=SHOP, **{name: given(name, _t.c[name].type) for name in _NAMES})
    .returning(_t.c.id)
    .cte("said")
)
_ADD: Final = Query(
    insert(_w).from_select(
        ["shop_id", "message_id", "text"], select(SHOP, _said.c.id, given("text", Text))
    )
)
_COUNT: Final = {
    name: Query(select(func.count()).select_from(_t).where(here(_t), _t.c[name] == given("of")))
    for name in _ABOUT
}
_SHOWN: Final = tuple(name for name in Said.__dataclass_fields__ if name != "text")
_with_words: Final = select(*(_t.c[name] for name in _SHOWN), _w.c.text).outerjoin(
    _w, and_(_w.c.shop_id == _t.c.shop_id, _w.c.message_id == _t.c.id)
)
_PAGE: Final = {
    name: Query(
        _with_words.where(
            here(_t),
            _t.c[name] == given("of"),
            _t.c.kind == given("kind"),
            _t.c.id > given("after"),
        )
        .order_by(_t.c.id)
        .limit(given("limit"))
    )
    for name in _ABOUT
}
_WORDS: Final = Query(select(_w.c.text).where(here(_w), _w.c.message_id == given("id")))
_ORDERS: Final = given("order_ids", ARRAY(Uuid))
_messages: Final = (
    select(_t.c.order_id, *(_t.c[name] for name in _ABOUT), _t.c.party, _t.c.at, _w.c.text)
    .outerjoin(_w, and_(_w.c.shop_id == _t.c.shop_id, _w.c.message_id == _t.c.id))
    .where(here(_t), _t.c.order_id == any_(_ORDERS), _t.c.kind == MESSAGE)
)
_OF_ORDERS: Final = Query(
    _messages.where(~is_of_gift(_t.c.return_id))
    .where(
        ~exists().where(
            here(complaints),
            complaints.c.id == _t.c.complaint_id,
            is_of_gift(complaints.c.return_id),
        )
    )
    .order_by(_t.c.order_id, _t.c.id)
)
_about: Final = or_(
    _t.c.return_id == any_(given("return_ids", ARRAY(Uuid))),
    _t.c.complaint_id == any_(given("complaint_ids", ARRAY(Uuid))),
)
_SAID_ABOUT: Final = Query(_messages.where(_about).order_by(_t.c.id))
_FORGET: Final = Query(
    delete(_w).where(
        here(_w),
        _w.c.message_id.in_(select(_t.c.id).where(here(_t), _t.c.order_id == any_(_ORDERS))),
    )
)
_FORGET_ABOUT: Final = Query(
    delete(_w).where(
        here(_w),
        _w.c.message_id.in_(
            select(_t.c.id).where(
                here(_t),
                _t.c.order_id == any_(_ORDERS),
                _about,
            )
        ),
    )
)


async def add(tx: Transaction, **values: Any) -> None:
    """One message or note with its words."""
    await tx.run(_ADD, **values)


async def count(tx: Transaction, about: About) -> int:
    """How many messages and notes a return or a complaint has."""
    name, of = _of(about)
    return int(await tx.value(_COUNT[name], of=of))


async def page(tx: Transaction, about: About, kind: str, *, after: UUID, limit: int) -> list[Said]:
    """Messages, or notes, behind ``after``, oldest first."""
    name, of = _of(about)
    found = await tx.all(_PAGE[name], of=of, kind=kind, after=after, limit=limit)
    return [Said(**{**dict(row.items()), "photos": tuple(row["photos"])}) for row in found]


async def words(tx: Transaction, message_id: UUID) -> str | None:
    """What a message says; None once its person was erased."""
    found: str | None = await tx.value(_WORDS, id=message_id)
    return found


def _of(about: About) -> tuple[str, UUID]:
    found = [(name, of) for name in _ABOUT if (of := getattr(about, name)) is not None]
    (one,) = found
    return one


async def of_orders(tx: Transaction, order_ids: Sequence[UUID]) -> list[Row]:
    """What was said about these orders, without the notes; by order."""
    return await tx.all(_OF_ORDERS, order_ids=list(order_ids))


async def said_about(
    tx: Transaction,
    order_ids: Sequence[UUID],
    return_ids: Sequence[UUID],
    complaint_ids: Sequence[UUID],
) -> list[Row]:
    """What was said about some returns and complaints of the orders alone, without the notes."""
    return await tx.all(_SAID_ABOUT, **_named(order_ids, return_ids, complaint_ids))


async def forget(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """Drop the words of all that was said and noted about these orders."""
    await tx.run(_FORGET, order_ids=list(order_ids))


async def forget_about(
    tx: Transaction,
    order_ids: Sequence[UUID],
    return_ids: Sequence[UUID],
    complaint_ids: Sequence[UUID],
) -> None:
    """The same about some returns and complaints of the orders alone."""
    await tx.run(_FORGET_ABOUT, **_named(order_ids, return_ids, complaint_ids))


def _named(
    order_ids: Sequence[UUID], return_ids: Sequence[UUID], complaint_ids: Sequence[UUID]
) -> dict[str, list[UUID]]:
    of = {"order_ids": order_ids, "return_ids": return_ids, "complaint_ids": complaint_ids}
    return {name: list(each) for name, each in of.items()}
