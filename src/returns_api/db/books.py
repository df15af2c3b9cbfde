"""Both books beside each other: lines of the other one with what we have, and ours without a line.

Owns the joins of a reconciliation. Reads only; nothing here locks a payment.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, tuple_

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import orders, outside_facts, payments, transfers
from returns_api.db.tables import reconciliation_lines as _l
from returns_api.domain.lifecycle.refunds import TRANSFER
from returns_api.domain.refunds import can_be_named

CONFIRMED: Final = ("succeeded", "pending", "requires_action")
"""States in which the provider itself has told us of the refund."""

_by_reference = transfers.alias("by_reference")
_by_id = transfers.alias("by_id")
# As ``domain.refunds.can_be_named`` says, of a transfer that has no id of the provider's yet.
_unnamed = and_(
    or_(
        _by_reference.c.provider_refund_id.is_(None),
        _by_reference.c.provider_refund_id == _by_reference.c.provider_key,
    ),
    among(_by_reference.c.state, sorted(filter(can_be_named, TRANSFER.states))),
)
_account = given("account")
_provider = given("provider")

_LINES: Final = Query(
    select(
        _l,
        payments.c.id.label("payment_id"),
        payments.c.order_id,
        payments.c.currency.label("payment_currency"),
        func.coalesce(_by_id.c.id, _by_reference.c.id).label("our_transfer"),
        func.coalesce(_by_id.c.refund_id, _by_reference.c.refund_id).label("our_refund"),
        func.coalesce(_by_id.c.payment_id, _by_reference.c.payment_id).label("our_payment"),
        func.coalesce(_by_id.c.order_id, _by_reference.c.order_id).label("our_order"),
        func.coalesce(_by_id.c.amount_minor, _by_reference.c.amount_minor).label("our_amount"),
        func.coalesce(_by_id.c.currency, _by_reference.c.currency).label("our_currency"),
        func.coalesce(_by_id.c.state, _by_reference.c.state).label("our_state"),
        func.coalesce(_by_id.c.updated_at, _by_reference.c.updated_at).label("our_at"),
        outside_facts.c.amount_minor.label("fact_amount"),
        outside_facts.c.currency.label("fact_currency"),
        outside_facts.c.active.label("fact_active"),
        outside_facts.c.at.label("fact_at"),
    )
    .select_from(
        _l.outerjoin(
            payments,
            and_(
                payments.c.shop_id == _l.c.shop_id,
                payments.c.provider == _provider,
                payments.c.account == _account,
                payments.c.provider_payment_id == _l.c.payment,
            ),
        )
        .outerjoin(
            _by_reference,
            and_(
                _by_reference.c.shop_id == _l.c.shop_id,
                _by_reference.c.id == _l.c.transfer_id,
                _by_reference.c.account == _account,
                or_(payments.c.id.is_(None), _by_reference.c.payment_id == payments.c.id),
                _l.c.kind == "refund",
                _unnamed,
            ),
        )
        .outerjoin(
            _by_id,
            and_(
                _by_id.c.shop_id == _l.c.shop_id,
                _by_id.c.provider == _provider,
                _by_id.c.account == _account,
                _by_id.c.provider_refund_id == _l.c.external_id,
                _l.c.kind == "refund",
            ),
        )
        .outerjoin(
            outside_facts,
            and_(
                outside_facts.c.shop_id == _l.c.shop_id,
                outside_facts.c.kind == _l.c.kind,
                outside_facts.c.provider == _provider,
                outside_facts.c.external_id == _l.c.external_id,
            ),
        )
    )
    .where(
        here(_l),
        _l.c.reconciliation_id == given("reconciliation_id"),
        tuple_(_l.c.kind, _l.c.external_id)
        > tuple_(given("kind", _l.c.kind.type), given("after", _l.c.external_id.type)),
    )
    .order_by(_l.c.kind, _l.c.external_id)
    .limit(given("limit"))
)

_confirmed = (
    select(transfers)
    .where(
        here(transfers),
        transfers.c.id > given("after"),
        transfers.c.provider == _provider,
        transfers.c.account == _account,
        among(transfers.c.state, CONFIRMED),
        transfers.c.first_sent_at >= given("since"),
        transfers.c.first_sent_at < given("until"),
    )
    .order_by(transfers.c.id)
    .limit(given("limit"))
    .cte("confirmed")
)


def _has_line(same: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the run has a refund of the other book that is the ``same``."""
    of_run = _l.c.reconciliation_id == given("reconciliation_id")
    return exists().where(here(_l), of_run, _l.c.kind == "refund", same)


# Two questions, since one with OR between them is answered by reading every line for every
# transfer: a book of twenty thousand refunds was never looked back at to its end.
TRANSFERS: Final = Query(
    select(
        _confirmed,
        or_(
            _has_line(_l.c.transfer_id == _confirmed.c.id),
            _has_line(_l.c.external_id == _confirmed.c.provider_refund_id),
        ).label("has_line"),
    ).order_by(_confirmed.c.id)
)
_FACTS_LEFT: Final = Query(
    select(outside_facts, payments.c.id.label("its_payment"))
    .join(
        payments,
        and_(
            payments.c.shop_id == outside_facts.c.shop_id,
            payments.c.id == outside_facts.c.payment_id,
        ),
    )
    .where(
        here(outside_facts),
        outside_facts.c.provider == _provider,
        payments.c.account == _account,
        outside_facts.c.active,
        outside_facts.c.counted,
        outside_facts.c.at >= given("since"),
        outside_facts.c.at < given("until"),
        or_(given("disputes", outside_facts.c.active.type), outside_facts.c.kind == "refund"),
        ~exists().where(
            here(_l),
            _l.c.reconciliation_id == given("reconciliation_id"),
            _l.c.kind == outside_facts.c.kind,
            _l.c.external_id == outside_facts.c.external_id,
        ),
    )
    .order_by(outside_facts.c.id)
    .limit(given("limit"))
)
_PAYMENTS: Final = Query(
    select(payments.c.id, payments.c.provider_payment_id)
    .join(orders, and_(orders.c.shop_id == payments.c.shop_id, orders.c.id == payments.c.order_id))
    .where(
        here(payments),
        payments.c.id > given("after"),
        payments.c.provider == _provider,
        payments.c.account == _account,
        payments.c.provider_payment_id.is_not(None),
        orders.c.placed_at >= given("since"),
    )
    .order_by(payments.c.id)
    .limit(given("limit"))
)


async def lines(
    tx: Transaction,
    run: Row,
    *,
    provider: str,
    after: tuple[str, str],
    limit: int,
) -> list[Row]:
    """Lines after (kind, external id), each with our transfer or outside fact if there is one."""
    return await tx.all(
        _LINES,
        reconciliation_id=run["id"],
        provider=provider,
        account=run["source"],
        kind=after[0],
        after=after[1],
        limit=limit,
    )


async def confirmed_transfers(
    tx: Transaction, run: Row, *, provider: str, after: UUID, limit: int
) -> list[Row]:
    """Our confirmed transfers of the run's time, each with ``has_line``: whether a line names it.

    Those that have one are given too, so that a page costs the same whatever it finds.
    """
    return await tx.all(
        TRANSFERS,
        reconciliation_id=run["id"],
        provider=provider,
        account=run["source"],
        since=run["since"],
        until=run["until"],
        after=after,
        limit=limit,
    )


async def facts_left(
    tx: Transaction, run: Row, *, provider: str, disputes: bool, limit: int
) -> list[Row]:
    """Outside facts of the run's time that no line names; chargebacks only when asked for."""
    return await tx.all(
        _FACTS_LEFT,
        reconciliation_id=run["id"],
        provider=provider,
        account=run["source"],
        since=run["since"],
        until=run["until"],
        disputes=disputes,
        limit=limit,
    )


async def payments_of(
    tx: Transaction, run: Row, *, provider: str, after: UUID, limit: int
) -> list[Row]:
    """Payments of the account whose orders were placed in the run's time."""
    return await tx.all(
        _PAYMENTS,
        provider=provider,
        account=run["source"],
        since=run["since"],
        after=after,
        limit=limit,
    )
