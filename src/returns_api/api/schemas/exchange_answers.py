"""Shapes of what is said about goods that are wished for: the shop's answer, the buyer's choice.

Owns what an answer may say at all, in its schema and in its check. Refuses to own the exchange that
is answered (``exchanges``) and what an answer does (``domain.exchange_answers``).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from returns_api.api.schemas.base import (
    HttpsUrl,
    In,
    Minor,
    NoBool,
    PositiveMinor,
    ShortText,
    either,
    example,
)
from returns_api.domain.exchanges import ALTERNATIVES_MAX, GOODS_KINDS, WITH_GIFT

_NULL: Final = {"type": "null"}
_SUM: Final = {"type": "integer"}
_NOTHING: Final[dict[str, Any]] = dict.fromkeys(("variant", "sku", "title", "unit_price"), _NULL)
_GOODS_OR_MONEY: Final = {
    "oneOf": [
        {
            "properties": {"kind": {"enum": [*GOODS_KINDS]}, "gift": _NULL},
            **either("variant", "sku"),
        },
        {"properties": {"kind": {"const": "store_credit"}, **_NOTHING, "gift": _NULL}},
        {
            "properties": {"kind": {"const": WITH_GIFT}, **_NOTHING, "gift": _SUM},
            "required": ["gift"],
        },
    ]
}
_THERE_OR_NOT: Final = {
    "oneOf": [
        {"properties": {"in_stock": {"const": True}, "alternatives": {"maxItems": 0}}},
        {
            "properties": {
                "in_stock": {"const": False},
                **dict.fromkeys(("unit_price", "title", "payment_url"), _NULL),
            }
        },
    ]
}


class AlternativeIn(In):
    """Something else that the shop has. Money back is always among them and needs no saying."""

    model_config = example(
        {"kind": "variant", "sku": "JKT-L-NAVY", "title": "Field jacket, L, navy",
         "unit_price": 8900},
        **_GOODS_OR_MONEY,
    )  # fmt: skip

    kind: Literal["variant", "upgrade", "store_credit", "refund_and_gift"]
    variant: ShortText | None = None
    sku: ShortText | None = None
    title: ShortText | None = None
    unit_price: Minor | None = Field(
        None, description="Minor units; needed for goods, unless they replace faulty ones."
    )
    gift: PositiveMinor | None = Field(
        None, description="Store credit on top of a refund, in minor units (`refund_and_gift`)."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        goods = self.variant is not None or self.sku is not None
        more = goods or self.title is not None or self.unit_price is not None
        in_goods = self.kind in GOODS_KINDS
        if in_goods and not goods:
            raise PydanticCustomError("alternative", "Input should name a variant or a sku")
        if not in_goods and more:
            raise PydanticCustomError("alternative", "Money is no goods: name its kind only")
        if (self.kind == WITH_GIFT) != (self.gift is not None):
            raise PydanticCustomError("alternative", "A gift goes with refund_and_gift")
        return self


class StockIn(In):
    """The shop's answer: there, at which price; or not there, and what there is instead."""

    model_config = example(
        {"in_stock": True, "unit_price": 9900, "title": "Field jacket, L, olive",
         "payment_url": "https://shop.example/pay/1"},
        **_THERE_OR_NOT,
    )  # fmt: skip

    in_stock: StrictBool
    unit_price: Minor | None = Field(
        None, description="Minor units of one unit; needed unless it replaces a faulty one."
    )
    title: ShortText | None = None
    payment_url: HttpsUrl | None = Field(
        None, description="Where the buyer can pay a difference, once it is due."
    )
    alternatives: Annotated[list[AlternativeIn], Field(max_length=ALTERNATIVES_MAX)] = Field(
        default_factory=list
    )

    @model_validator(mode="after")
    def _there_or_not(self) -> Self:
        told = (self.unit_price, self.title, self.payment_url)
        if self.in_stock and self.alternatives:
            raise PydanticCustomError("stock", "What is in stock needs no alternatives")
        if not self.in_stock and any(each is not None for each in told):
            raise PydanticCustomError("stock", "What is not in stock has no price")
        return self


class ChoiceIn(In):
    model_config = example({"alternative": 1})

    alternative: Annotated[int, Field(ge=1, le=ALTERNATIVES_MAX + 1), NoBool] = Field(
        description="Its `number`."
    )
