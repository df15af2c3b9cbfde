"""Shapes of repairs: what the workshop quotes, what the buyer answers, money and the way back."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StrictBool

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    In,
    LongText,
    Moment,
    OrderId,
    Out,
    Quantity,
    RepairId,
    ReturnId,
    ReturnLineId,
    example,
    example_id,
)
from returns_api.api.schemas.exchanges import ExchangePaymentIn, ExchangeShipmentIn
from returns_api.api.schemas.shop import PriceCode, RepairPrice
from returns_api.domain.repair_prices import POSITIONS_MAX

_REP, _RET, _ORD = example_id("rep"), example_id("ret"), example_id("ord")
_BATTERY: Final = {
    "code": "BAT-7",
    "kind": "part",
    "title": "Battery",
    "quantity": 1,
    "unit_price": 3900,
    "covered": False,
}


class RepairPricesOut(Out):
    """The shop's price list of repairs; the quote of a return says whether any of it is charged."""

    model_config = example(
        {
            "currency": "EUR",
            "prices": {"BAT-7": {"kind": "part", "title": "Battery", "price": 3900}},
        }
    )

    currency: str
    prices: dict[PriceCode, RepairPrice] = Field(description="By code.")


class PositionIn(In):
    model_config = example({"code": "BAT-7", "quantity": 1, "covered": False})

    code: PriceCode = Field(description="A `code` of the shop's price list.")
    quantity: Quantity = 1
    covered: StrictBool = Field(
        False, description="By the maker's warranty or as goodwill: named, not charged."
    )


class RepairQuoteIn(In):
    """What the repair takes. Of one that is covered as a whole nothing is charged, whatever stands
    here, and no position is needed."""

    model_config = example(
        {
            "positions": [
                {"code": "inspect", "quantity": 1, "covered": False},
                {"code": "BAT-7", "quantity": 1, "covered": False},
            ],
            "note": "The battery does not hold its charge.",
        }
    )

    positions: list[PositionIn] = Field(default_factory=list, max_length=POSITIONS_MAX)
    note: LongText | None = Field(None, description="What was found; shown to the buyer.")


Take = Literal["goods", "replacement", "refund", "store_credit"]


class TakeIn(In):
    """What the buyer gets instead of a repair."""

    model_config = example({"take": "goods"})

    take: Take = Field("goods", description="One of the repair's `instead`.")


class GiveUpIn(In):
    model_config = example({"cause": "beyond_repair"})

    cause: Literal["beyond_repair", "no_parts", "not_worth_it", "no_fault_found"]


class RepairPaymentIn(ExchangePaymentIn):
    """Evidence that the buyer paid what is due."""

    model_config = example({"amount": 5400, "reference": "pi_3NExample"})


class RepairShipmentIn(ExchangeShipmentIn):
    """How the goods go back; both may be left out."""

    model_config = example({"carrier": "DHL", "tracking": "00340434161094042557"})


class PositionOut(Out):
    code: str
    kind: Literal["part", "labour", "inspection", "freight"]
    title: str
    quantity: int
    unit_price: int = Field(description="Minor units, by the price list.")
    covered: bool = Field(description="Not charged.")


class RepairMoneyOut(Out):
    """Minor units."""

    freight: int = Field(description="The way to the repair point, as the accepted quote says.")
    total: int | None = Field(description="What the repair costs you; null until it is quoted.")
    if_declined: int | None = Field(
        description="What declining costs you; null until it is quoted."
    )
    if_declined_at_most: int = Field(description="By the accepted quote of the return.")
    due: int | None = Field(description="What has to be paid before the goods go back.")
    paid: int
    waived: int
    payment_url: str | None


class RepairOut(Out):
    """Goods that are mended and given back, and what its reader may do."""

    model_config = example(
        {
            "repair": _REP,
            "return": _RET,
            "order": _ORD,
            "return_line": example_id("rl"),
            "state": "quoted",
            "free": False,
            "title": "Headphones",
            "sku": "HP-2",
            "quantity": 1,
            "positions": [_BATTERY],
            "note": "The battery does not hold its charge.",
            "money": {
                "freight": 490,
                "total": 4390,
                "if_declined": 490,
                "if_declined_at_most": 2680,
                "due": None,
                "paid": 0,
                "waived": 0,
                "payment_url": None,
            },
            "currency": "EUR",
            "instead": ["goods"],
            "result": None,
            "cause": None,
            "outcome": None,
            "exchange": None,
            "carrier": None,
            "tracking": None,
            "sequence": 3,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-25T10:00:00Z",
            "deadlines": [
                {
                    "of": "repair",
                    "href": f"/v1/repairs/{_REP}",
                    "kind": "repair_answer",
                    "who": "buyer",
                    "due_at": "2026-12-02T10:00:00Z",
                    "state": "open",
                    "on_silence": "ready",
                }
            ],
            "actions": [
                {
                    "action": "accept",
                    "method": "POST",
                    "href": f"/v1/repairs/{_REP}/accept",
                    "until": "2026-12-02T10:00:00Z",
                    "on_silence": "ready",
                }
            ],
            "waiting_for": {"who": "buyer", "to": "accept"},
        }
    )

    repair: RepairId
    return_: ReturnId = Field(alias="return")
    order: OrderId
    return_line: ReturnLineId
    state: str
    free: bool = Field(description="The policy or a law covers it: nothing is charged.")
    title: str
    sku: str | None
    quantity: int = Field(description="Units; those that came, once they were looked at.")
    positions: list[PositionOut]
    note: str | None
    money: RepairMoneyOut
    currency: str
    instead: Annotated[
        list[str],
        Field(
            description="What the buyer can have who does not have the goods repaired; of goods"
            " that cannot be, silence takes the last."
        ),
    ]
    result: str | None = Field(
        description="As what the goods go back: `repaired`, `declined` or `unrepairable`."
    )
    cause: str | None = Field(description="Why they were not repaired.")
    outcome: str | None = Field(
        description="What the return is settled as, where the goods do not go back."
    )
    exchange: str | None = Field(description="Where a replacement is read, if that is taken.")
    carrier: str | None
    tracking: str | None
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class RepairsOut(Out):
    items: list[RepairOut]
    next_cursor: str | None
