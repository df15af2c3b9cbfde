"""Captured payments of an order, as the shop platform told them.

Owns ``captured`` and who stands behind a payment. Never touches ``reserved`` and ``refunded`` (the
refunds' own statements do) nor ``external`` and ``disputed`` (``outside_facts``). A payment never
goes away: money that came in is a fact, even if a later snapshot is silent about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Text,
    Uuid,
    and_,
    case,
    exists,
    func,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import payments

_told: Final = json_rows(
    "told",
    id=Uuid,
    external_id=Text,
    position=Integer,
    gateway=Text,
    provider=Text,
    account=Text,
    provider_payment_id=Text,
    currency=Text,
    captured=BigInteger,
)
_other: Final = payments.alias("other")
# A second capture of one provider payment, or another order's: the provider's id can stand once.
_taken: Final = exists().where(
    here(_other),
    _other.c.provider == _told.c.provider,
    _other.c.account == _told.c.account,
    _other.c.provider_payment_id == _told.c.provider_payment_id,
    or_(
        _other.c.order_id != given("order_id", Uuid),
        _other.c.external_id != _told.c.external_id,
    ),
)
_columns: Final = tuple(
    case((_taken, null()), else_=told) if told.name == "provider_payment_id" else told
    for told in _told.c
)
_new: Final = insert(payments).from_select(
    ["shop_id", "order_id", *(told.name for told in _told.c)],
    select(SHOP, given("order_id", Uuid), *_columns),
)
_newest: Final = given("newest", Boolean)
# In another currency it is another sum: what is known stays, or 40 000 yen would be so many euros.
_same_money: Final = and_(_newest, _new.excluded.currency == payments.c.currency)
# Connecting a provider after the order came in: nothing may have been counted under the old name.
_adopted: Final = and_(
    payments.c.provider == "shop", payments.c.external == 0, payments.c.disputed == 0
)
_put: Final = (
    _new.on_conflict_do_update(
        index_elements=["shop_id", "order_id", "external_id"],
        set_={
            "captured": case((_same_money, _new.excluded.captured), else_=payments.c.captured),
            "position": case((_newest, _new.excluded.position), else_=payments.c.position),
            "gateway": case((_newest, _new.excluded.gateway), else_=payments.c.gateway),
            "provider": case((_adopted, _new.excluded.provider), else_=payments.c.provider),
            "account": case((_adopted, _new.excluded.account), else_=payments.c.account),
            # Whoever stands behind it from now on may call it otherwise than the platform did.
            "provider_payment_id": case(
                (
                    and_(_adopted, _new.excluded.provider != "shop"),
                    func.coalesce(
                        _new.excluded.provider_payment_id, payments.c.provider_payment_id
                    ),
                ),
                else_=func.coalesce(
                    payments.c.provider_payment_id, _new.excluded.provider_payment_id
                ),
            ),
        },
    )
    .returning(
        payments.c.id,
        payments.c.provider,
        payments.c.account,
        payments.c.provider_payment_id,
        payments.c.currency,
        payments.c.captured,
    )
    .cte("put")
)
# Reads the rows as they were before this statement.
_before: Final = (
    select(payments.c.id, payments.c.captured)
    .where(here(payments), payments.c.order_id == given("order_id", Uuid))
    .cte("before")
)
_PUT: Final = Query(
    select(
        _put.c.id,
        _put.c.provider,
        _put.c.account,
        _put.c.provider_payment_id,
        _put.c.currency,
        (_put.c.captured - func.coalesce(_before.c.captured, 0)).label("captured_delta"),
    )
    .select_from(_put.outerjoin(_before, _before.c.id == _put.c.id))
    .order_by(_put.c.id)
)
_OF_ORDER: Final = Query(
    select(*(c for c in payments.c if c.name != "shop_id"))
    .where(here(payments), payments.c.order_id == given("order_id"))
    .order_by(payments.c.position, payments.c.id)
)

_ID_OF: Final = Query(
    select(payments.c.id).where(
        here(payments),
        payments.c.order_id == given("order_id"),
        payments.c.external_id == given("external_id"),
    )
)


async def put(
    tx: Transaction, order_id: UUID, told: Sequence[Mapping[str, Any]], *, newest: bool
) -> list[Row]:
    """Add what is new; take ``captured`` of what is known only from the newest snapshot, and never
    in another currency: a payment keeps its own.

    The order must be locked by ``order_intake.begin``. Returns every payment that was told, with
    ``captured_delta``: how much more (or less) is captured than was known.
    """
    if not told:
        return []
    return await tx.all(
        _PUT, order_id=order_id, told=[dict(payment) for payment in told], newest=newest
    )


async def of_order(tx: Transaction, order_id: UUID) -> list[Row]:
    """The order's payments in the order in which they are drained."""
    return await tx.all(_OF_ORDER, order_id=order_id)


async def id_of(tx: Transaction, order_id: UUID, external_id: str) -> UUID | None:
    """The id of an order's payment by its outside name, where it is stored."""
    found: UUID | None = await tx.value(_ID_OF, order_id=order_id, external_id=external_id)
    return found
