"""Who wants no more notifications, by the keyed hash of an address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, any_, delete, exists, not_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import notification_opt_outs as _t
from returns_api.db.tables import orders

_ADD: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP, **{name: given(name) for name in ("address_key", "channel", "created_at")}
    )
    .on_conflict_do_nothing()
)
_ONE: Final = Query(
    select(_t.c.channel).where(
        here(_t), _t.c.address_key == given("address_key"), _t.c.channel == given("channel")
    )
)
_CHANNELS: Final = Query(
    select(_t.c.channel)
    .where(here(_t), _t.c.address_key == given("address_key"))
    .order_by(_t.c.channel)
)
_ids = given("order_ids", ARRAY(Uuid))
_another = orders.alias("another")
_FORGET: Final = Query(
    delete(_t).where(
        here(_t),
        _t.c.address_key.in_(
            select(orders.c.email_key).where(
                here(orders), orders.c.id == any_(_ids), orders.c.email_key.is_not(None)
            )
        ),
        ~exists().where(
            here(_another),
            _another.c.email_key == _t.c.address_key,
            not_(_another.c.id == any_(_ids)),
        ),
    )
)
_FORGET_KEYS: Final = Query(
    delete(_t).where(
        here(_t),
        _t.c.address_key == any_(given("keys", ARRAY(LargeBinary))),
        ~exists().where(here(orders), orders.c.email_key == _t.c.address_key),
    )
)


async def add(tx: Transaction, address_key: bytes, channel: str, now: datetime) -> None:
    """Nothing more on this channel; a second time changes nothing."""
    await tx.run(_ADD, address_key=address_key, channel=channel, created_at=now)


async def is_out(tx: Transaction, address_key: bytes, channel: str) -> bool:
    return await tx.first(_ONE, address_key=address_key, channel=channel) is not None


async def channels_of(tx: Transaction, address_key: bytes) -> list[str]:
    """On which channels nothing is wanted."""
    return [row["channel"] for row in await tx.all(_CHANNELS, address_key=address_key)]


async def forget(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """Drop what is kept of persons who are being erased, unless other orders of theirs stay: those
    would be told of again. Before the orders forget their addresses' hashes."""
    await tx.run(_FORGET, order_ids=list(order_ids))


async def forget_keys(tx: Transaction, keys: Collection[bytes]) -> None:
    """The same for addresses of recipients of gifts, unless orders of theirs stay."""
    await tx.run(_FORGET_KEYS, keys=sorted(keys))
