"""Shapes of what is kept of a person."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    ComplaintId,
    In,
    Moment,
    OrderId,
    Out,
    RefundId,
    ReturnId,
    Storable,
    WithdrawalId,
    example,
    example_id,
)
from returns_api.api.schemas.listings import ListingOut

_PERSON: Final = {
    "email": "person@example.org",
    "phone": None,
    "name": "Anna Beispiel",
    "customer_id": "700123",
    "locale": "de-DE",
    "street1": "Beispielweg 1",
    "street2": None,
    "city": "Berlin",
    "region": None,
    "postcode": "10115",
    "country": "DE",
}
_KEPT: Final[dict[str, Any]] = {
    "order": example_id("ord"),
    "number": "#1001",
    "source": "shopify",
    "external_id": "820982911946154508",
    "placed_at": "2026-11-01T09:00:00Z",
    "currency": "EUR",
    "total": 10390,
    "person": _PERSON,
    "lines": [{"title": "Field jacket, M", "sku": "JKT-M-OLIVE", "quantity": 1}],
    "returns": [
        {
            "return": example_id("ret"),
            "number": "#1001-R1",
            "state": "closed",
            "created_at": "2026-11-08T09:00:00Z",
            "reason": "size_too_small",
            "quantity": 1,
            "note": "The sleeves.",
            "info_answer": None,
            "statements": [],
        }
    ],
    "refunds": [
        {
            "refund": example_id("ref"),
            "amount": 9900,
            "currency": "EUR",
            "state": "succeeded",
            "created_at": "2026-11-12T09:00:00Z",
        }
    ],
    "notifications": [
        {
            "kind": "refund.succeeded",
            "channel": "email",
            "state": "sent",
            "ended_at": "2026-11-12T09:00:04Z",
        }
    ],
    "messages": [
        {
            "return": example_id("ret"),
            "complaint": None,
            "party": "buyer",
            "at": "2026-11-09T10:00:00Z",
            "text": "When will the money arrive?",
        }
    ],
    "withdrawals": [
        {
            "withdrawal": example_id("wdr"),
            "name": "Anna Beispiel",
            "contact": "person@example.org",
            "state": "opened",
            "confirmed_at": "2026-11-08T09:00:00Z",
        }
    ],
    "address_changes": [
        {
            "address": {"street1": "Neue Str. 2", "postcode": "20095", "city": "Hamburg"},
            "state": "applied",
            "created_at": "2026-11-02T09:00:00Z",
        }
    ],
}


class PersonIn(In):
    """Who: an e-mail address, in whatever spelling."""

    model_config = example({"email": "person@example.org"})

    email: Annotated[str, StringConstraints(min_length=3, max_length=320), Storable]


class PersonOut(Out):
    email: str | None
    phone: str | None
    name: str | None
    customer_id: str | None
    locale: str | None
    street1: str | None
    street2: str | None
    city: str | None
    region: str | None
    postcode: str | None
    country: str | None


class KeptLineOut(Out):
    title: str
    sku: str | None
    quantity: int


class KeptReturnOut(Out):
    """One line of a return, with the buyer's own words."""

    return_: ReturnId = Field(alias="return")
    number: str
    state: str
    created_at: Moment
    reason: str
    quantity: int
    note: str | None
    info_answer: str | None = Field(description="What the buyer answered to the shop's question.")
    statements: list[str] = Field(
        description="What the buyer put forward in a dispute about the return, and with offers."
    )


class KeptRefundOut(Out):
    refund: RefundId
    amount: int
    currency: str
    state: str
    created_at: Moment


class KeptMessageOut(Out):
    """What one side said about a return or a complaint; the staff's notes are not told, they are
    erased."""

    return_: ReturnId | None = Field(alias="return")
    complaint: ComplaintId | None
    party: str
    at: Moment
    text: str | None


class KeptNotificationOut(Out):
    """That something was told; what it said follows from its kind and the order."""

    kind: str
    channel: str
    state: str
    ended_at: Moment | None


class KeptWithdrawalOut(Out):
    """A withdrawal, with what the statement named of the person."""

    withdrawal: WithdrawalId
    name: str | None
    contact: str | None
    state: str
    confirmed_at: Moment | None


class KeptAddressOut(Out):
    """Where goods should have gone instead."""

    address: dict[str, str | None]
    state: str
    created_at: Moment


class KeptOrderOut(Out):
    """One order and everything personal that hangs on it."""

    order: OrderId
    number: str
    source: str
    external_id: str
    placed_at: Moment
    currency: str
    total: int
    person: PersonOut
    lines: list[KeptLineOut]
    returns: list[KeptReturnOut]
    refunds: list[KeptRefundOut]
    notifications: list[KeptNotificationOut]
    messages: list[KeptMessageOut]
    withdrawals: list[KeptWithdrawalOut]
    address_changes: list[KeptAddressOut]


class RecipientOut(Out):
    email: str | None
    phone: str | None
    name: str | None
    locale: str | None
    street1: str | None
    street2: str | None
    city: str | None
    region: str | None
    postcode: str | None
    country: str | None


class KeptGiftOut(Out):
    """A return of what somebody else had bought, with what its recipient said and was told."""

    return_: ReturnId = Field(alias="return")
    number: str
    state: str
    created_at: Moment
    info_answer: str | None
    recipient: RecipientOut
    notifications: list[KeptNotificationOut]
    messages: list[KeptMessageOut]


class PersonExportOut(Out):
    """Everything that is kept of a person, newest order first."""

    model_config = example({"orders": [_KEPT], "opted_out": ["sms"], "lists": [], "gifts": []})

    orders: list[KeptOrderOut]
    opted_out: list[str] = Field(description="Channels on which they want no notifications.")
    lists: list[ListingOut] = Field(description="Lists of the shop that they are on.")
    gifts: list[KeptGiftOut] = Field(description="What they brought back by a gift receipt.")


class PersonErasedOut(Out):
    """Of how many orders the person was erased; 0 when nothing (more) is kept."""

    model_config = example({"orders": 3})

    orders: int
