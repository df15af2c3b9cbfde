"""New goods of an exchange before the old ones are seen, inside the transaction of what causes it.

Owns: sending them first at the policy's moment, once, under the caps that bound fast refunds. What
the old goods then settle of it, and what has to come back, is that of any advance (``_advances``,
``recoveries``). Lock order: payments, the return, its advance, then the counters of caps.
"""

from __future__ import annotations

from returns_api.db import exchanges as rows
from returns_api.db import ledger, reservations
from returns_api.db.engine import Transaction
from returns_api.domain.advances import DIFFERENCE_DUE, SEVERAL_LINES
from returns_api.domain.events import By, Event
from returns_api.domain.exchange_goods import plan_first
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.domain.ledger import ExchangeRef, goods_advanced
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.terms import AdvanceTerms
from returns_api.usecases import _exposure
from returns_api.usecases._books import stamp
from returns_api.usecases._exchanges import save
from returns_api.usecases._exchanging import draw
from returns_api.usecases.context import Context


async def give_first(
    tx: Transaction, ctx: Context, ret: ReturnRecord, terms: AdvanceTerms, by: By
) -> list[Event]:
    """Release the goods that a return waits for, or say why they wait for the old ones.

    Nothing while shop and buyer have not agreed on any; free goods have nothing to recover. One
    advance is of one exchange: those of several lines wait. The return must be locked and have no
    advance yet.
    """
    found = await rows.of_return(tx, ret.id)
    agreed = [each for each in found if each.state == "awaiting_goods" and each.unit_price_minor]
    if not agreed:
        return []
    exchange = agreed[0]
    if len(found) > 1:
        sum_ = sum((each.unit_price_minor or 0) * each.quantity for each in agreed)
        wanted = await _exposure.exposure(tx, ctx, ret, terms, sum_)
        return [await _exposure.decline(tx, ctx, ret, wanted, SEVERAL_LINES, by)]
    assert exchange.unit_price_minor is not None
    units = [unit for line in ret.open_lines() for unit in line.units]
    price = exchange.unit_price_minor * len(units)
    wanted = await _exposure.exposure(tx, ctx, ret, terms, price)
    payments = await reservations.lock_payments(tx, ret.order_id)
    reason = DIFFERENCE_DUE if price > exchange.expected_minor else None
    left = sum(max(each.refundable, 0) for each in payments)
    reason = reason or await _exposure.take(tx, wanted, ret.currency, covered=left >= price)
    if reason is not None:
        return [await _exposure.decline(tx, ctx, ret, wanted, reason, by)]
    granted = await _exposure.grant(tx, ctx, ret, wanted, by, exchange_id=exchange.id)
    return [granted, await _release(tx, ctx, exchange, units, price, payments, by)]


async def _release(
    tx: Transaction,
    ctx: Context,
    exchange: ExchangeRecord,
    units: list[int],
    price_minor: int,
    payments: list[PaymentRecord],
    by: By,
) -> Event:
    """Draw what the goods cost, book what is out, tell the shop what to send."""
    await draw(tx, exchange, price_minor, payments)
    await ledger.post(tx, goods_advanced(stamp(ctx, by), _ref(exchange), price_minor))
    return await save(tx, ctx, plan_first(exchange, units, ctx.clock()), by)


def _ref(exchange: ExchangeRecord) -> ExchangeRef:
    return ExchangeRef(exchange.id, exchange.order_id, exchange.currency)
