"""From an exchange to its shape, with what its reader may do."""

from __future__ import annotations

from returns_api.api.actions import exchange_actions, place_of
from returns_api.api.schemas.exchanges import (
    AlternativeOut,
    ExchangeGoodsOut,
    ExchangeMoneyOut,
    ExchangeOut,
)
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain.access import Principal
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.domain.lifecycle.exchanges import EXCHANGE


def exchange_out(exchange: ExchangeRecord, principal: Principal) -> ExchangeOut:
    return ExchangeOut(
        exchange=exchange.id,
        return_=exchange.return_id,
        order=exchange.order_id,
        return_line=exchange.return_line_id,
        kind=exchange.kind,
        state=exchange.state,
        goods=_goods(exchange),
        money=_money(exchange),
        currency=exchange.currency,
        alternatives=_alternatives(exchange),
        in_advance=exchange.in_advance,
        fallback=exchange.fallback,
        outcome=exchange.outcome,
        failed_since=exchange.failed_since,
        carrier=exchange.carrier,
        tracking=exchange.tracking,
        sequence=exchange.sequence,
        created_at=exchange.created_at,
        updated_at=exchange.updated_at,
        deadlines=deadlines_out(
            EXCHANGE, exchange.state, exchange.deadlines, place_of("exchange", exchange.id)
        ),
        actions=[action_out(action) for action in exchange_actions(exchange, principal)],
        waiting_for=waiting_out(EXCHANGE, exchange.state),
    )


def _goods(exchange: ExchangeRecord) -> ExchangeGoodsOut:
    return ExchangeGoodsOut(
        variant=exchange.variant,
        sku=exchange.sku,
        title=exchange.title,
        quantity=exchange.quantity if exchange.units is None else len(exchange.units),
        unit_price=exchange.unit_price_minor,
    )


def _money(exchange: ExchangeRecord) -> ExchangeMoneyOut:
    return ExchangeMoneyOut(
        expected=exchange.expected_minor,
        credit=exchange.credit_minor,
        difference=exchange.difference_minor(),
        due=exchange.due_minor,
        paid=exchange.paid_minor,
        drawn=exchange.drawn_minor,
        refund=exchange.refund_id,
        gift=exchange.gift_minor,
        gift_refund=exchange.gift_refund_id,
        payment_url=exchange.payment_url,
    )


def _alternatives(exchange: ExchangeRecord) -> list[AlternativeOut]:
    return [
        AlternativeOut(
            number=number,
            kind=each["kind"],
            variant=each["variant"],
            sku=each["sku"],
            title=each["title"],
            unit_price=each["unit_price_minor"],
            gift=each.get("gift_minor"),
        )
        for number, each in enumerate(exchange.alternatives, start=1)
    ]
