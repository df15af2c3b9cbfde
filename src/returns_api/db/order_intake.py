"""What a shop platform told, written down: the order's head, person and certificate.

**Locks.** The order of the house is payment, order, line. An intake of an order may add payments
that did not exist when it began, so locking "the payments first" is not enough on its own: two
intakes of one order could each find the other's new payment too late. ``begin`` therefore takes
three steps: an advisory lock on the order's outside name, which only intakes take, so that nobody
else adds a payment to it; the payments that exist; the order's row. Whatever else locks a payment
and an order does so in the same sequence, without the first step; ``money=False`` locks no payment.

Refuses to own which of two snapshots is newer (``usecases._orders``), lines (``order_lines``) and
payments (``payments``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Text,
    Uuid,
    and_,
    exists,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import (
    certificates,
    order_people,
    orders,
    payments,
    shops,
)

PERSON: Final = (
    "email",
    "phone",
    "name",
    "customer_id",
    "locale",
    "street1",
    "street2",
    "city",
    "region",
    "postcode",
    "country",
)
_HEAD: Final = (
    "number",
    "number_key",
    "snapshot",
    "email_key",
    "customer_key",
    "placed_at",
    "platform_updated_at",
    "currency",
    "taxes_included",
    "total_minor",
    "tags",
    "flags",
    "channel",
    "country",
    "region",
    "financial_status",
    "cancelled_at",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class OrderHead:
    """The locked order, as far as an intake has to know it."""

    id: UUID
    version: int
    platform_updated_at: datetime
    snapshot: str
    currency: str
    erased: bool
    """The person was erased: nothing personal is ever written for this order again."""


_BEGIN: Final = Query(
    select(
        func.pg_advisory_xact_lock(func.hashtextextended(given("name", Text), 0)),
        select(shops.c.status).where(here(shops)).scalar_subquery().label("status"),
    )
)
_its_name: Final = and_(
    here(orders),
    orders.c.source == given("source"),
    orders.c.external_id == given("external_id"),
)
# Not a join: a plan made while both tables were all but empty would go through one for each row of
# the other, and workers keep their plans.
_LOCK_PAYMENTS: Final = Query(
    select(payments.c.id)
    .where(
        here(payments),
        payments.c.order_id == select(orders.c.id).where(_its_name).scalar_subquery(),
    )
    .order_by(payments.c.id)
    .with_for_update()
)
_LOCK_ORDER: Final = Query(
    select(
        orders.c.id,
        orders.c.version,
        orders.c.platform_updated_at,
        orders.c.snapshot,
        orders.c.currency,
        exists(
            select(literal(1)).where(
                here(order_people),
                order_people.c.order_id == orders.c.id,
                order_people.c.erased_at.is_not(None),
            )
        ).label("erased"),
    )
    .where(_its_name)
    .with_for_update(of=orders, key_share=True)
)
_ADD_ORDER: Final = Query(
    insert(orders).values(
        shop_id=SHOP,
        created_at=given("updated_at"),
        **{name: given(name) for name in ("id", "source", "external_id", *_HEAD)},
    )
)
_CHANGE_ORDER: Final = Query(
    update(orders)
    .where(here(orders), orders.c.id == given("id"))
    .values(version=orders.c.version + 1, **{name: given(name) for name in _HEAD})
    .returning(orders.c.version)
)
_STEP: Final = Query(
    update(orders)
    .where(here(orders), orders.c.id == given("id"))
    .values(version=orders.c.version + 1, updated_at=given("now"))
    .returning(orders.c.version)
)

_new_person: Final = insert(order_people).values(
    shop_id=SHOP, order_id=given("order_id"), **{name: given(name) for name in PERSON}
)
_PUT_PERSON: Final = Query(
    _new_person.on_conflict_do_update(
        index_elements=["shop_id", "order_id"],
        set_={name: _new_person.excluded[name] for name in PERSON},
        where=order_people.c.erased_at.is_(None),
    )
)

_latest: Final = (
    select(certificates.c.version, certificates.c.digest)
    .where(here(certificates), certificates.c.order_id == given("order_id"))
    .order_by(certificates.c.version.desc())
    .limit(1)
    .subquery("latest")
)
_ADD_CERTIFICATE: Final = Query(
    insert(certificates).from_select(
        ["shop_id", "order_id", "version", "body", "digest", "created_at"],
        select(
            SHOP,
            given("order_id", Uuid),
            func.coalesce(_latest.c.version, 0) + 1,
            given("body", JSONB),
            given("digest", Text),
            given("now", certificates.c.created_at.type),
        )
        .select_from(select(literal(1)).subquery("one").outerjoin(_latest, true()))
        .where(_latest.c.digest.is_distinct_from(given("digest", Text))),
    )
)


async def begin(
    tx: Transaction, source: str, external_id: str, *, money: bool = True
) -> tuple[str, OrderHead | None]:
    """Lock one order for intake; the shop's status, and the order if it is known.

    Call it before anything else in the transaction has locked a payment or an order.
    """
    row = await tx.first(_BEGIN, name=f"order/{tx.shop}/{source}/{external_id}")
    assert row is not None
    if money:
        await tx.run(_LOCK_PAYMENTS, source=source, external_id=external_id)
    head = await tx.first(_LOCK_ORDER, source=source, external_id=external_id)
    return row["status"], None if head is None else OrderHead(**dict(head.items()))


async def add_order(tx: Transaction, **values: Any) -> None:
    await tx.run(_ADD_ORDER, **values)


async def change_order(tx: Transaction, **values: Any) -> int:
    """Overwrite the head with a newer snapshot's; returns the new version."""
    return int(await tx.value(_CHANGE_ORDER, **values))


async def step(tx: Transaction, order_id: UUID, now: datetime) -> int:
    """The next version, for an event that changes something below the head."""
    return int(await tx.value(_STEP, id=order_id, now=now))


async def put_person(tx: Transaction, order_id: UUID, person: Mapping[str, str | None]) -> None:
    """The newest snapshot's person; an erased one stays erased."""
    await tx.run(_PUT_PERSON, order_id=order_id, **person)


async def add_certificate(
    tx: Transaction, order_id: UUID, body: Mapping[str, Any], digest: str, now: datetime
) -> bool:
    """Append a version; False when the newest one says the same."""
    values = {"body": dict(body), "digest": digest, "now": now}
    return bool(await tx.run(_ADD_CERTIFICATE, order_id=order_id, **values))
