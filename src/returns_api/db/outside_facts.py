"""Money that moved without us: dashboard refunds and chargebacks, always recorded.

Owns the one way in which ``payments.external`` and ``payments.disputed`` change: by the difference
between what a fact counted before and what it counts now, under the payment's row lock. So the
same fact twice, or an older one after a newer one, moves nothing, and no fact is refused, however
far it goes above what was captured. Refuses to own who tells a fact and whether it counts.

How two tellings of one fact meet: the newer amount wins; "no longer active" is final, whatever
order the tellings come in (a failed refund and a won dispute never come back to life); what was
counted once stays counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Uuid,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import outside_facts as _t
from returns_api.db.tables import payments


def _counts(fact: FromClause) -> ColumnElement[int]:
    """What a fact takes off its payment."""
    return case((and_(fact.c.active, fact.c.counted), fact.c.amount_minor), else_=0)


_KEY: Final = and_(
    here(_t),
    _t.c.kind == given("kind"),
    _t.c.provider == given("provider"),
    _t.c.external_id == given("external_id"),
)

_LOCK: Final = Query(
    select(payments.c.id)
    .where(
        here(payments),
        or_(
            payments.c.id == given("payment_id", Uuid),
            payments.c.id == select(_t.c.payment_id).where(_KEY).scalar_subquery(),
        ),
    )
    .order_by(payments.c.id)
    .with_for_update()
)


def _upsert() -> Any:
    given_names = (
        "kind",
        "provider",
        "external_id",
        "order_id",
        "payment_id",
        "amount_minor",
        "currency",
        "active",
        "counted",
        "at",
        "lines",
    )
    new = insert(_t).values(
        shop_id=SHOP,
        id=func.gen_random_uuid(),
        **{name: given(name, _t.c[name].type) for name in given_names},
    )
    told = new.excluded
    newer = told.at > _t.c.at
    return new.on_conflict_do_update(
        index_elements=["shop_id", "kind", "provider", "external_id"],
        set_={
            "order_id": func.coalesce(_t.c.order_id, told.order_id),
            "payment_id": func.coalesce(_t.c.payment_id, told.payment_id),
            "amount_minor": case(
                (newer, told.amount_minor),
                (told.at == _t.c.at, func.greatest(told.amount_minor, _t.c.amount_minor)),
                else_=_t.c.amount_minor,
            ),
            "active": and_(_t.c.active, told.active),
            "counted": or_(_t.c.counted, told.counted),
            "at": func.greatest(told.at, _t.c.at),
            "lines": case((newer, told.lines), else_=_t.c.lines),
        },
    ).returning(_t)


def _record_statement() -> Query:
    before = select(_t).where(_KEY).cte("before")
    after = _upsert().cte("after")
    both = after.outerjoin(before, true())
    delta = _counts(after) - func.coalesce(_counts(before), 0)
    moved = (
        select(after.c.payment_id, after.c.kind, delta.label("delta"))
        .select_from(both)
        .subquery("moved")
    )

    def by(kind: str) -> ColumnElement[int]:
        return case((moved.c.kind == kind, moved.c.delta), else_=literal(0, BigInteger))

    counted = (
        update(payments)
        .where(here(payments), payments.c.id == moved.c.payment_id, moved.c.delta != 0)
        .values(
            external=payments.c.external + by("refund"),
            disputed=payments.c.disputed + by("dispute"),
        )
        .cte("counted")
    )
    same = and_(
        before.c.id.is_not(None),
        _counts(after) == _counts(before),
        after.c.active == before.c.active,
        after.c.amount_minor == before.c.amount_minor,
        after.c.lines == before.c.lines,
    )
    return Query(select(~func.coalesce(same, False)).select_from(both).add_cte(counted))


_RECORD: Final = _record_statement()
_OF_ORDER: Final = Query(
    select(_t).where(here(_t), _t.c.order_id == given("order_id")).order_by(_t.c.at, _t.c.id)
)


async def record(
    tx: Transaction,
    *,
    kind: str,
    provider: str,
    external_id: str,
    order_id: UUID | None,
    payment_id: UUID | None,
    amount_minor: int,
    currency: str,
    active: bool,
    counted: bool,
    at: datetime,
    lines: Sequence[Mapping[str, Any]],
) -> bool:
    """Record one fact (``kind``: refund or dispute); returns whether anything changed.

    ``counted`` needs a payment and its currency. ``lines`` is ``[{"line": external id, "quantity":
    units}]``. Locks the payment, so call it before anything locks the order.
    """
    await tx.run(
        _LOCK, kind=kind, provider=provider, external_id=external_id, payment_id=payment_id
    )
    changed = await tx.value(
        _RECORD,
        kind=kind,
        provider=provider,
        external_id=external_id,
        order_id=order_id,
        payment_id=payment_id,
        amount_minor=amount_minor,
        currency=currency,
        active=active,
        counted=counted,
        at=at,
        lines=[dict(line) for line in lines],
    )
    return bool(changed)


async def of_order(tx: Transaction, order_id: UUID) -> list[Any]:
    """All facts of an order, oldest first."""
    return list(await tx.all(_OF_ORDER, order_id=order_id))
