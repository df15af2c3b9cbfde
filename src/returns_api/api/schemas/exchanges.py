"""Shapes of exchanges: other goods, their price, its payment and the way they go."""

from __future__ import annotations

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    ExchangeId,
    HttpsUrl,
    In,
    Moment,
    OrderId,
    Out,
    PositiveMinor,
    RefundId,
    ReturnId,
    ReturnLineId,
    ShortText,
    example,
    example_id,
)
from returns_api.api.schemas.refunds import Reference

_EXC, _RET, _ORD = example_id("exc"), example_id("ret"), example_id("ord")


class PaymentLinkIn(In):
    model_config = example({"payment_url": "https://shop.example/pay/1"})

    payment_url: HttpsUrl


class ExchangePaymentIn(In):
    """Evidence that the buyer paid the difference."""

    model_config = example({"amount": 1490, "reference": "pi_3NExample"})

    amount: PositiveMinor = Field(description="All that is due, in minor units.")
    reference: Reference = Field(
        description="The payment's id at your provider or bank; it counts once, for ever."
    )


class ExchangeShipmentIn(In):
    """How the new goods go out; both may be left out."""

    model_config = example({"carrier": "DHL", "tracking": "00340434161094042557"})

    carrier: ShortText | None = None
    tracking: ShortText | None = None


class AlternativeOut(Out):
    number: int
    kind: str = Field(
        description="`variant`, `upgrade`, `store_credit`, `refund_and_gift` or `refund`."
    )
    variant: str | None
    sku: str | None
    title: str | None
    unit_price: int | None = Field(description="Minor units; null for money, or where it is free.")
    gift: int | None = Field(description="Minor units of store credit on top of the refund.")


class ExchangeGoodsOut(Out):
    """The goods that the buyer gets."""

    variant: str | None
    sku: str | None
    title: str | None
    quantity: int = Field(description="Units that are to be sent: as many as passed, once judged.")
    unit_price: int | None = Field(description="Minor units, by the shop; null until it answered.")


class ExchangeMoneyOut(Out):
    """Minor units. What the goods that come back count for, against what the new ones cost."""

    expected: int = Field(
        description="What the accepted quote counts the units of its line for: all exchanges of a"
        " return together, its total."
    )
    credit: int | None = Field(description="What they counted for when they were judged.")
    difference: int | None = Field(
        description="Price less credit, as far as it is known: above zero the buyer owes it, below"
        " zero it goes back. Null until the shop told its price."
    )
    due: int | None = Field(description="What has to be paid before the goods go out.")
    paid: int
    drawn: int = Field(description="What the new goods drew on the order's payments.")
    refund: RefundId | None = Field(
        description="What was left over and goes back, by the one refund of the return."
    )
    gift: int | None = Field(description="Store credit on top of the refund that the buyer took.")
    gift_refund: RefundId | None = Field(description="The goodwill that gave it, once it did.")
    payment_url: str | None


class ExchangeOut(Out):
    """Goods instead of money for what comes back, and what its reader may do."""

    model_config = example(
        {
            "exchange": _EXC,
            "return": _RET,
            "order": _ORD,
            "return_line": example_id("rl"),
            "kind": "exchange",
            "state": "awaiting_payment",
            "goods": {
                "variant": "49148385",
                "sku": "JKT-L-OLIVE",
                "title": "Field jacket, L, olive",
                "quantity": 1,
                "unit_price": 9900,
            },
            "money": {
                "expected": 8410,
                "credit": 8410,
                "difference": 1490,
                "due": 1490,
                "paid": 0,
                "drawn": 0,
                "refund": None,
                "gift": None,
                "gift_refund": None,
                "payment_url": "https://shop.example/pay/1",
            },
            "currency": "EUR",
            "alternatives": [],
            "in_advance": False,
            "fallback": "refund",
            "outcome": None,
            "failed_since": None,
            "carrier": None,
            "tracking": None,
            "sequence": 3,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-25T10:00:00Z",
            "deadlines": [
                {
                    "of": "exchange",
                    "href": f"/v1/exchanges/{_EXC}",
                    "kind": "difference",
                    "who": "finance",
                    "due_at": "2026-12-02T10:00:00Z",
                    "state": "open",
                    "on_silence": "converted",
                }
            ],
            "actions": [
                {
                    "action": "cancel",
                    "method": "POST",
                    "href": f"/v1/exchanges/{_EXC}/cancel",
                    "until": None,
                    "on_silence": None,
                }
            ],
            "waiting_for": {"who": "finance", "to": "pay"},
        }
    )

    exchange: ExchangeId
    return_: ReturnId = Field(alias="return")
    order: OrderId
    return_line: ReturnLineId = Field(description="The line of the return that it is for.")
    kind: str = Field(description="`exchange`, or `replacement`: the same goods without a price.")
    state: str
    goods: ExchangeGoodsOut
    money: ExchangeMoneyOut
    currency: str
    alternatives: list[AlternativeOut]
    in_advance: bool = Field(
        description="The goods went before the old ones were seen: `money.advance` of the return"
        " says by when those have to come, and what of it is to be paid back."
    )
    fallback: str = Field(description="What its line is settled as if the buyer gives goods up.")
    outcome: str | None = Field(description="What that is settled as, where no goods are given.")
    failed_since: str | None = Field(description="Why judged goods earned no new ones.")
    carrier: str | None
    tracking: str | None
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class ExchangesOut(Out):
    items: list[ExchangeOut]
    next_cursor: str | None
