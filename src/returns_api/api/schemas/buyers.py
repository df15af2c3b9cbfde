"""Shapes of buyer sessions."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from returns_api.api.schemas.base import (
    In,
    Moment,
    OrderId,
    Out,
    Storable,
    example,
    example_id,
    ways,
)
from returns_api.domain.people import EMAIL_MAX, ORDER_NUMBER_MAX

Email = Annotated[str, StringConstraints(min_length=1, max_length=EMAIL_MAX), Storable]
Number = Annotated[str, StringConstraints(min_length=1, max_length=ORDER_NUMBER_MAX), Storable]


class BuyerSessionIn(In):
    """Either what a guest knows (`number` and `email`), or the `order` that a shop vouches for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"number": "#1001", "email": "ada@example.com"},
                {"order": example_id("ord")},
            ],
            **ways(("number", "email"), ("order",)),
        }
    )

    number: Number | None = Field(None, description="The order number as the buyer knows it.")
    email: Email | None = Field(None, description="The address that the order was placed with.")
    order: OrderId | None = Field(None, description="An order's id; not with a publishable key.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        guest = self.number is not None and self.email is not None
        neither = self.number is None and self.email is None
        if not (guest and self.order is None) and not (neither and self.order is not None):
            raise PydanticCustomError("one_way", "Send number and email, or order alone")
        return self


class BuyerSessionOut(Out):
    """A token that acts for the buyer of one order; it is shown this once."""

    model_config = example(
        {
            "token": "rk_buyer_06a8w6d7f9s4p8x6z0000000_5f0c4f4e0b9d4f0a",
            "order": example_id("ord"),
            "expires_at": "2026-11-21T10:12:44Z",
        }
    )

    token: str
    order: OrderId
    expires_at: Moment
