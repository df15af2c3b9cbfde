"""Shapes of listings: who is on the shop's allow or block list."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from returns_api.api.schemas.base import (
    Code,
    In,
    ListingId,
    Moment,
    OrderId,
    Out,
    ShortText,
    example,
    example_id,
    ways,
)
from returns_api.api.schemas.buyers import Email
from returns_api.api.schemas.connections import Slug
from returns_api.api.schemas.times import MomentIn

List = Literal["allow", "block"]
_WAYS: Final = (("email",), ("source", "customer_id"), ("order",))
_SHOWN: Final = {
    "listing": example_id("lst"),
    "list": "block",
    "identifier": "email",
    "reason": "payment_disputes",
    "made_by": "agent",
    "created_at": "2026-11-22T10:00:00Z",
    "expires_at": "2027-11-22T10:00:00Z",
    "ended_at": None,
}


class ListingIn(In):
    """A person: by `email`, by `source` and `customer_id`, or as who placed an `order`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "list": "block",
                    "email": "person@example.org",
                    "reason": "payment_disputes",
                    "expires_at": "2027-11-22T10:00:00Z",
                },
                {"list": "allow", "order": example_id("ord"), "reason": "stylist"},
            ],
            **ways(*_WAYS),
        }
    )

    list: List
    reason: Code = Field(description="A code of your own; no words about a person are kept.")
    email: Email | None = None
    source: Slug | None = Field(None, description="The shop platform's connection, or `api`.")
    customer_id: ShortText | None = Field(None, description="The customer's id there.")
    order: OrderId | None = None
    expires_at: MomentIn | None = Field(None, description="Left out: until it is removed.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        named = {name for way in _WAYS for name in way if getattr(self, name) is not None}
        if named not in [set(way) for way in _WAYS]:
            problem = "Send email, or source and customer_id, or order, and none of the others"
            raise PydanticCustomError("one_way", problem)
        return self


class ListingOut(Out):
    """A listing. Of whom it is, nobody can read here any more."""

    model_config = example(_SHOWN)

    listing: ListingId
    list: List
    identifier: Literal["email", "customer"] = Field(description="By what the person is known.")
    reason: str
    made_by: str = Field(description="The role; the history names the key.")
    created_at: Moment
    expires_at: Moment | None
    ended_at: Moment | None = Field(description="Since when nobody is meant any more.")


class ListingsOut(Out):
    model_config = example({"items": [_SHOWN], "next_cursor": None})

    items: list[ListingOut]
    next_cursor: str | None
