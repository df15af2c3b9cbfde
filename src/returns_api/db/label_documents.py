"""Files of labels that the carrier gives once: kept until the person is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, delete, exists, not_, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import gift_recipients, order_people, returns, shipments
from returns_api.db.tables import label_documents as _t
from returns_api.ports.carriers import LabelDocument

_KEPT: Final = ("shipment_id", "form", "media_type", "content", "created_at")
_sender_is_erased: Final = exists().where(
    here(shipments),
    here(returns),
    shipments.c.id == given("shipment_id", Uuid),
    returns.c.id == shipments.c.return_id,
    or_(
        exists().where(
            here(gift_recipients),
            gift_recipients.c.return_id == returns.c.id,
            gift_recipients.c.erased_at.is_not(None),
        ),
        and_(
            returns.c.gift_receipt_id.is_(None),
            exists().where(
                here(order_people),
                order_people.c.order_id == returns.c.order_id,
                order_people.c.erased_at.is_not(None),
            ),
        ),
    ),
)
_KEEP: Final = Query(
    insert(_t)
    .from_select(
        ["shop_id", *_KEPT],
        select(SHOP, *(given(name, _t.c[name].type) for name in _KEPT)).where(~_sender_is_erased),
    )
    .on_conflict_do_nothing()
)
_FORGET_LINKS: Final = Query(
    update(shipments)
    .where(here(shipments), shipments.c.id == given("shipment_id", Uuid), _sender_is_erased)
    .values(label_url=null(), qr_url=null())
)
_ONE: Final = Query(
    select(_t.c.media_type, _t.c.content).where(
        here(_t),
        here(shipments),
        shipments.c.id == _t.c.shipment_id,
        shipments.c.return_id == given("return_id"),
        _t.c.form == given("form"),
        not_(among(shipments.c.state, ("void_due", "voided", "void_failed"))),
    )
)
_parcels = select(shipments.c.id).where(here(shipments))
_DROP: Final = Query(
    delete(_t).where(
        here(_t),
        _t.c.shipment_id.in_(
            _parcels.where(
                here(returns),
                returns.c.id == shipments.c.return_id,
                returns.c.order_id == any_(given("order_ids", ARRAY(Uuid))),
            )
        ),
    )
)
_DROP_OF_RETURNS: Final = Query(
    delete(_t).where(
        here(_t),
        _t.c.shipment_id.in_(
            _parcels.where(shipments.c.return_id == any_(given("return_ids", ARRAY(Uuid))))
        ),
    )
)


async def keep(
    tx: Transaction, shipment_id: UUID, documents: Iterable[LabelDocument], now: datetime
) -> None:
    """Keep the files of a label that was bought; a form that is there stays as it is. Nothing where
    the sender was erased while the carrier was asked, nor where the carrier keeps it."""
    await tx.run(_FORGET_LINKS, shipment_id=shipment_id)
    for document in documents:
        await tx.run(
            _KEEP,
            shipment_id=shipment_id,
            form=document.form.value,
            media_type=document.media_type,
            content=document.content,
            created_at=now,
        )


async def one(tx: Transaction, return_id: UUID, form: str) -> Row | None:
    """Media type and content; None also for a label that nobody needs any more."""
    return await tx.first(_ONE, return_id=return_id, form=form)


async def drop_of_orders(tx: Transaction, order_ids: list[UUID]) -> None:
    """A label names the sender: it goes with the person."""
    await tx.run(_DROP, order_ids=order_ids)


async def drop_of_returns(tx: Transaction, return_ids: list[UUID]) -> None:
    """The same for a sender who is not the order's person."""
    await tx.run(_DROP_OF_RETURNS, return_ids=return_ids)
