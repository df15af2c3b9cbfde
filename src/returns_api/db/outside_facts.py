"""Money that moved without us: dashboard refunds and chargebacks, always recorded.

Owns the one way in which ``payments.external`` and ``payments.disputed`` change: by the difference
between what a fact counted before and what it counts now, under the payment's row lock. So the
same fact twice, or an older one after a newer one, moves nothing, and no fact is refused, however
far it goes above what was captured. Refuses to own who tells a fact and whether it counts.

How two tellings of one fact meet: the newer amount of the same currency wins; "no longer active" is
final, whatever order the tellings come in (a failed refund and a won dispute never come back to
life); what was counted once stays counted. A payment that was only guessed gives way to a better
guess and to a known one, and takes its amount along.
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
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import orders, payments
from returns_api.db.tables import outside_facts as _t


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
        "guessed",
        "at",
        "lines",
    )
    new = insert(_t).values(
        shop_id=SHOP,
        id=func.gen_random_uuid(),
        **{name: given(name, _t.c[name].type) for name in given_names},
    )
    told = new.excluded
    same_money = told.currency == _t.c.currency  # or a hundred yen would be as many euros
    newer = told.at > _t.c.at
    # A payment that was only guessed, or none, gives way to what is known now.
    loose = and_(or_(_t.c.guessed, _t.c.payment_id.is_(None)), told.payment_id.is_not(None))
    return new.on_conflict_do_update(
        index_elements=["shop_id", "kind", "provider", "external_id"],
        set_={
            "order_id": func.coalesce(_t.c.order_id, told.order_id),
            "payment_id": case((loose, told.payment_id), else_=_t.c.payment_id),
            "amount_minor": case(
                (~same_money, _t.c.amount_minor),
                (newer, told.amount_minor),
                (told.at == _t.c.at, func.greatest(told.amount_minor, _t.c.amount_minor)),
                else_=_t.c.amount_minor,
            ),
            "active": and_(_t.c.active, told.active),
            "counted": case((loose, told.counted), else_=or_(_t.c.counted, told.counted)),
            "guessed": case((loose, told.guessed), else_=_t.c.guessed),
            "at": func.greatest(told.at, _t.c.at),
            "lines": case((newer, told.lines), else_=_t.c.lines),
        },
    ).returning(_t)


def _record_statement() -> Query:
    before = select(_t).where(_KEY).cte("before")
    after = _upsert().cte("after")
    both = after.outerjoin(before, true())
    taken = select(before.c.payment_id, before.c.kind, (-_counts(before)).label("delta"))
    put = select(after.c.payment_id, after.c.kind, _counts(after).label("delta"))
    each = union_all(taken, put).subquery("each")
    moved = (
        select(
            each.c.payment_id, each.c.kind, cast(func.sum(each.c.delta), BigInteger).label("delta")
        )
        .where(each.c.payment_id.is_not(None))
        .group_by(each.c.payment_id, each.c.kind)
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
        after.c.payment_id.is_not_distinct_from(before.c.payment_id),
        _counts(after) == _counts(before),
        after.c.active == before.c.active,
        after.c.amount_minor == before.c.amount_minor,
        after.c.lines == before.c.lines,
    )
    told = (
        select(
            after.c.id.label("fact_id"),
            after.c.order_id,
            moved.c.payment_id,
            moved.c.kind,
            moved.c.delta.label("delta_minor"),
            after.c.currency,
            (~func.coalesce(same, False)).label("changed"),
        )
        .select_from(both.outerjoin(moved, moved.c.delta != 0))
        .order_by(moved.c.payment_id)
    )
    return Query(told.add_cte(counted))


_RECORD: Final = _record_statement()
_GUESSES: Final = Query(
    select(_t)
    .where(here(_t), _t.c.order_id == given("order_id"), _t.c.guessed)
    .order_by(_t.c.kind, _t.c.provider, _t.c.external_id)
)


_part: Final = json_rows(_t.c.lines, line=Text, amount=BigInteger, tax=BigInteger)
_SHIPPING: Final = Query(
    select(
        _part.c.line,
        cast(
            func.sum(_part.c.amount + case((orders.c.taxes_included, 0), else_=_part.c.tax)),
            BigInteger,
        ).label("amount"),
    )
    .select_from(
        _t.join(orders, and_(orders.c.shop_id == _t.c.shop_id, orders.c.id == _t.c.order_id)).join(
            _part, true()
        )
    )
    .where(
        here(_t),
        _t.c.order_id == given("order_id"),
        _t.c.kind == "refund",
        _t.c.active,
        _part.c.amount.is_not(None),
    )
    .group_by(_part.c.line)
)


async def shipping(tx: Transaction, order_id: UUID) -> dict[str, int]:
    """What was given back of each shipping line elsewhere, by external id (minor units)."""
    return {row["line"]: row["amount"] for row in await tx.all(_SHIPPING, order_id=order_id)}


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
    guessed: bool = False,
) -> tuple[bool, list[Row]]:
    """Record one fact (``kind``: refund or dispute); returns whether anything changed, and what it
    moved: fact_id, order_id, payment_id, kind, delta_minor (signed) and currency of each payment.

    ``counted`` needs a payment and its currency. ``guessed`` says that the payment was chosen by us
    and may be chosen anew. ``lines`` is ``[{"line": external id, "quantity": units}]``. Locks the
    payment, so call it before anything locks the order.
    """
    await tx.run(
        _LOCK, kind=kind, provider=provider, external_id=external_id, payment_id=payment_id
    )
    rows = await tx.all(
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
        guessed=guessed,
    )
    moved = [row for row in rows if row["payment_id"] is not None]
    return bool(rows[0]["changed"]), moved


async def guesses(tx: Transaction, order_id: UUID) -> list[Row]:
    """Facts of an order whose teller did not say which payment they are about."""
    return await tx.all(_GUESSES, order_id=order_id)
